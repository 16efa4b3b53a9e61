// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/chars"
)

const (
	// maxCiphertextBytes bounds a CiphertextBlob (KMS reference, Encrypt), and
	// maxEncBytes its base64.
	maxCiphertextBytes = 6144
	maxEncBytes        = 8192
	// maxContextBytes bounds an encryption context as JSON (KMS developer
	// guide, Encryption context).
	maxContextBytes = 8192
	maxProfileBytes = 128
)

// request is an entry that was found to be well formed.
type request struct {
	entry keys.KMSEntry
	key   KeyARN
}

// newRequest checks all of e but Enc. The error repeats nothing of e.
func newRequest(e keys.KMSEntry) (request, error) {
	key, err := ParseKeyARN(e.ARN)
	if err != nil {
		return request{}, err
	}
	if e.Role != "" {
		role, err := ParseRoleARN(e.Role)
		if err != nil {
			return request{}, err
		}
		if role.Partition != key.Partition {
			return request{}, fmt.Errorf("the role is in partition %s and the key in %s", role.Partition, key.Partition)
		}
	}
	if len(e.AWSProfile) > maxProfileBytes || !utf8.ValidString(e.AWSProfile) || strings.ContainsFunc(e.AWSProfile, unicode.IsControl) {
		return request{}, errors.New("the name of the AWS profile is malformed")
	}
	if err := checkContext(e.Context); err != nil {
		return request{}, err
	}
	return request{e, key}, nil
}

func checkContext(context map[string]string) error {
	for k, v := range context {
		if k == "" || !utf8.ValidString(k) || !utf8.ValidString(v) {
			return errors.New("the encryption context has an empty key, or is not UTF-8")
		}
	}
	text, err := json.Marshal(context)
	if err != nil || len(text) > maxContextBytes {
		return fmt.Errorf("the encryption context has more than %d bytes", maxContextBytes)
	}
	return nil
}

// ciphertext returns what the entry wraps: standard base64 of a CiphertextBlob
// (sops: kms/keysource.go, EncryptContext).
func (r request) ciphertext() ([]byte, error) {
	enc := r.entry.Enc
	switch {
	case enc == "":
		return nil, errors.New("the entry holds no wrapped key")
	case len(enc) > maxEncBytes:
		return nil, fmt.Errorf("the wrapped key has %d bytes, at most %d are allowed", len(enc), maxEncBytes)
	}
	blob, err := base64.StdEncoding.Strict().DecodeString(enc)
	if err != nil || len(blob) == 0 || !chars.Only(enc, chars.Base64Std) { // the decoder would skip line breaks
		return nil, errors.New("the wrapped key is not standard base64")
	}
	return blob, nil
}
