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
)

const (
	// maxSecretBytes bounds what is wrapped: 32 bytes of a data key, or 33 of
	// a share of it. KMS would take 4,096.
	maxSecretBytes = 64
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
	blob, err := base64.StdEncoding.DecodeString(enc)
	if err != nil || len(blob) == 0 {
		return nil, errors.New("the wrapped key is not standard base64")
	}
	return blob, nil
}

// checkSecret checks the length of what is to be wrapped, or was.
func checkSecret(secret []byte) error {
	if len(secret) == 0 || len(secret) > maxSecretBytes {
		return fmt.Errorf("the secret has %d bytes, want 1 to %d", len(secret), maxSecretBytes)
	}
	return nil
}
