// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
)

// The body and the answer of :encrypt (Cloud KMS API v1, EncryptRequest and
// EncryptResponse). JSON carries bytes in standard base64.
type (
	encryptRequest struct {
		Plaintext       []byte `json:"plaintext"`
		PlaintextCRC32C crc32c `json:"plaintextCrc32c"`
	}
	encryptAnswer struct {
		Name                    string `json:"name"` // of the version that was used
		Ciphertext              []byte `json:"ciphertext"`
		CiphertextCRC32C        crc32c `json:"ciphertextCrc32c"`
		VerifiedPlaintextCRC32C bool   `json:"verifiedPlaintextCrc32c"`
	}
)

// Wrap implements keys.Wrapper for keys.GCPKMSEntry. The result has the
// ResourceID of to, the present time and the ciphertext. The secret has 32 or
// 33 bytes. Every error about to is a *keys.CallError.
func (s *Service) Wrap(ctx context.Context, to keys.Entry, secret []byte) (keys.Entry, error) {
	e, ok := to.(keys.GCPKMSEntry)
	if !ok {
		return nil, fmt.Errorf("wrap for gcp_kms: entry is of type %q", string(to.Type()))
	}
	fail := failure{operation: keys.Wrapping, entry: e}
	if err := Check(e); err != nil {
		return nil, fail.permanently(err)
	}
	if err := keys.CheckSecret(secret); err != nil {
		return nil, fail.permanently(err)
	}
	var a encryptAnswer
	g, err := s.do(ctx, request{
		verb: "encrypt",
		key:  e.ResourceID,
		in:   encryptRequest{Plaintext: secret, PlaintextCRC32C: checksum(secret)},
		out:  &a,
		hide: [][]byte{secret},
	})
	if err == nil {
		err = a.check(e.ResourceID)
	}
	if err != nil {
		return nil, fail.because(g, err)
	}
	e.Enc = base64.StdEncoding.EncodeToString(a.Ciphertext)
	e.CreatedAt = time.Now().UTC().Format(time.RFC3339)
	return e, nil
}

// check makes sure that the document can be opened again: that the secret
// arrived as it was sent, and the ciphertext as it was made, with the right key.
func (a encryptAnswer) check(key string) error {
	switch {
	case !strings.HasPrefix(a.Name, key+"/cryptoKeyVersions/"):
		return errors.New("the answer is of another key")
	case !a.VerifiedPlaintextCRC32C:
		return errors.New("the secret was damaged on its way to Cloud KMS")
	case len(a.Ciphertext) == 0 || a.CiphertextCRC32C != checksum(a.Ciphertext):
		return errors.New("the ciphertext was damaged on its way from Cloud KMS")
	case base64.StdEncoding.EncodedLen(len(a.Ciphertext)) > maxEncBytes:
		return fmt.Errorf("the ciphertext has %d bytes", len(a.Ciphertext))
	}
	return nil
}
