// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"context"
	"errors"
	"fmt"

	"github.com/signet-secrets/signet/seal/keys"
)

// The body and the answer of :decrypt (Cloud KMS API v1, DecryptRequest and
// DecryptResponse). JSON carries bytes in standard base64.
type (
	decryptRequest struct {
		Ciphertext       []byte `json:"ciphertext"`
		CiphertextCRC32C crc32c `json:"ciphertextCrc32c"`
	}
	decryptAnswer struct {
		Plaintext       []byte `json:"plaintext"`
		PlaintextCRC32C crc32c `json:"plaintextCrc32c"`
	}
)

// Unwrap implements keys.Unwrapper for keys.GCPKMSEntry. Every error about e is
// a *keys.CallError; one about a lack of credentials wraps keys.ErrNoIdentity.
func (s *Service) Unwrap(ctx context.Context, e keys.Entry) ([]byte, error) {
	k, ok := e.(keys.GCPKMSEntry)
	if !ok {
		return nil, fmt.Errorf("unwrap with gcp_kms: entry is of type %q", string(e.Type()))
	}
	fail := failure{operation: keys.Unwrapping, entry: k}
	if err := Check(k); err != nil {
		return nil, fail.permanently(err)
	}
	enc, err := decodeEnc(k.Enc)
	if err != nil {
		return nil, fail.permanently(err)
	}
	var a decryptAnswer
	g, err := s.do(ctx, request{
		verb: "decrypt",
		key:  k.ResourceID,
		in:   decryptRequest{Ciphertext: enc, CiphertextCRC32C: checksum(enc)},
		out:  &a,
		hide: [][]byte{enc},
	})
	if err == nil {
		err = a.check()
	}
	if err != nil {
		return nil, fail.because(g, err)
	}
	return a.Plaintext, nil
}

// check tells a damaged answer, which another call may mend, from a key that
// holds something else.
func (a decryptAnswer) check() error {
	if a.PlaintextCRC32C != "" && a.PlaintextCRC32C != checksum(a.Plaintext) {
		return errors.New("the secret was damaged on its way from Cloud KMS")
	}
	if err := keys.CheckSecret(a.Plaintext); err != nil {
		return &permanentError{err}
	}
	return nil
}
