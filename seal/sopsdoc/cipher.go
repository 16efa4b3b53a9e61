// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/seal/keys"
)

// Cipher encrypts and decrypts the values of one document with AES-256-GCM. It
// is safe for concurrent use. Unlike the cipher of SOPS it remembers nothing.
type Cipher struct {
	block cipher.Block
	gcm   cipher.AEAD // 12-byte nonces, made inside: nonce | ciphertext | tag
}

// NewCipher returns the cipher for the data key k, which must not be zero.
func NewCipher(k keys.DataKey) (*Cipher, error) {
	block, err := aes.NewCipher(k.Bytes())
	if err != nil {
		return nil, fmt.Errorf("use data key: %w", err)
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("use data key: %w", err)
	}
	return &Cipher{block: block, gcm: gcm}, nil
}

// aad returns the additional data of the value at path: its keys, each
// followed by a colon (sops: sops.go, Tree.Encrypt).
func aad(path ...string) string { return strings.Join(path, ":") + ":" }

// Encrypt encrypts a plaintext that is not empty, with additional data ad,
// under a new random 12-byte nonce.
func (c *Cipher) Encrypt(plaintext []byte, t ValueType, ad string) Value {
	out := c.gcm.Seal(nil, nil, plaintext, []byte(ad))
	return split(out, nonceBytes, t)
}

// EncryptSOPS is Encrypt with the 32-byte nonces of stock SOPS. It fails only
// where such nonces are forbidden (GODEBUG=fips140=only).
func (c *Cipher) EncryptSOPS(plaintext []byte, t ValueType, ad string) (Value, error) {
	gcm, err := c.sopsGCM()
	if err != nil {
		return Value{}, err
	}
	nonce := make([]byte, sopsNonceBytes)
	rand.Read(nonce)
	return split(gcm.Seal(nonce, nonce, plaintext, []byte(ad)), sopsNonceBytes, t), nil
}

func split(out []byte, nonce int, t ValueType) Value {
	end := len(out) - tagBytes
	return Value{Nonce: out[:nonce], Data: out[nonce:end], Tag: out[end:], Type: t}
}

func (c *Cipher) sopsGCM() (gcm cipher.AEAD, err error) {
	gcm, err = cipher.NewGCMWithNonceSize(c.block, sopsNonceBytes)
	if err != nil {
		return nil, errors.New("32-byte nonces are not available in FIPS-only mode")
	}
	return gcm, nil
}

// errAuthentication says that a value does not open under this key and path.
var errAuthentication = errors.New("does not authenticate")

// Decrypt returns the plaintext of v. A value that was made with another key
// or other additional data gives an error that says no more than that.
func (c *Cipher) Decrypt(v Value, ad string) ([]byte, error) {
	if len(v.Nonce) == nonceBytes {
		out, err := c.gcm.Open(nil, nil, slices.Concat(v.Nonce, v.Data, v.Tag), []byte(ad))
		if err != nil {
			return nil, errAuthentication
		}
		return out, nil
	}
	gcm, err := c.sopsGCM()
	if err != nil {
		return nil, err
	}
	out, err := gcm.Open(nil, v.Nonce, slices.Concat(v.Data, v.Tag), []byte(ad))
	if err != nil {
		return nil, errAuthentication
	}
	return out, nil
}
