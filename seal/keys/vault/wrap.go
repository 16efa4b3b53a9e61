// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"context"
	"fmt"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
)

// The body of a request to <engine>/encrypt/<key>, and the data of the answer.
// Vault carries plaintext in standard base64.
type (
	encryptRequest struct {
		Plaintext []byte `json:"plaintext"`
	}
	encryptAnswer struct {
		Ciphertext string `json:"ciphertext"`
	}
)

// Wrap implements keys.Wrapper for keys.VaultEntry. The result has Address,
// EnginePath and KeyName of to, the present time and Vault's ciphertext. The
// secret has 32 or 33 bytes. A key that does not exist is made by Vault when
// the token has the capability "create" on <engine>/encrypt/<key>. Every error
// about to is a *keys.CallError.
func (s *Service) Wrap(ctx context.Context, to keys.Entry, secret []byte) (keys.Entry, error) {
	e, ok := to.(keys.VaultEntry)
	if !ok {
		return nil, fmt.Errorf("wrap for hc_vault: entry is of type %q", string(to.Type()))
	}
	fail := failure{operation: keys.Wrapping, entry: e, own: s.o.Address}
	err := Check(e)
	if err == nil {
		err = keys.CheckSecret(secret)
	}
	if err != nil {
		return nil, fail.permanently(err)
	}
	var a encryptAnswer
	err = s.do(ctx, request{
		entry: e,
		verb:  "encrypt",
		in:    encryptRequest{Plaintext: secret},
		out:   &a,
		hide:  [][]byte{secret},
	})
	if err == nil && checkEnc(a.Ciphertext) != nil {
		err = &notTransitError{}
	}
	if err != nil {
		return nil, fail.because(err)
	}
	e.Enc = a.Ciphertext
	e.CreatedAt = time.Now().UTC().Format(time.RFC3339)
	return e, nil
}
