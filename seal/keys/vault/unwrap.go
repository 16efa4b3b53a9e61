// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"context"
	"fmt"

	"github.com/signet-secrets/signet/seal/keys"
)

// The body of a request to <engine>/decrypt/<key>, and the data of the answer.
type (
	decryptRequest struct {
		Ciphertext string `json:"ciphertext"`
	}
	decryptAnswer struct {
		Plaintext *[]byte `json:"plaintext"`
	}
)

// Unwrap implements keys.Unwrapper for keys.VaultEntry. The token goes to the
// Address of e: whether it may is for the caller to decide. Every error about e
// is a *keys.CallError; one about the lack of a token wraps keys.ErrNoIdentity.
func (s *Service) Unwrap(ctx context.Context, e keys.Entry) ([]byte, error) {
	v, ok := e.(keys.VaultEntry)
	if !ok {
		return nil, fmt.Errorf("unwrap with hc_vault: entry is of type %q", string(e.Type()))
	}
	fail := failure{operation: keys.Unwrapping, entry: v, own: s.o.Address}
	err := Check(v)
	if err == nil {
		err = checkEnc(v.Enc)
	}
	if err != nil {
		return nil, fail.permanently(err)
	}
	var a decryptAnswer
	err = s.do(ctx, request{
		entry: v,
		verb:  "decrypt",
		in:    decryptRequest{Ciphertext: v.Enc},
		out:   &a,
		hide:  [][]byte{[]byte(v.Enc)},
	})
	switch {
	case err != nil:
	case a.Plaintext == nil:
		err = &notTransitError{}
	default:
		err = checkAnswer(*a.Plaintext)
	}
	if err != nil {
		return nil, fail.because(err)
	}
	return *a.Plaintext, nil
}

// checkAnswer tells what is no secret: no other call will give one.
func checkAnswer(secret []byte) error {
	if err := keys.CheckSecret(secret); err != nil {
		return &permanentError{err}
	}
	return nil
}
