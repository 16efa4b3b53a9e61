// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// Scope is where a SealedSecret opens, in the words of `signet seal --scope`.
type Scope string

// The scopes, and what Sealed Secrets calls them.
const (
	Strict    Scope = "strict"    // strict
	Namespace Scope = "namespace" // namespace-wide
	Cluster   Scope = "cluster"   // cluster-wide
)

// upstream returns Sealed Secrets' name of the scope.
func (s Scope) upstream() string {
	if s == Strict {
		return "strict"
	}
	return string(s) + "-wide"
}

// label returns the OAEP label of values that are sealed for the place
// (sealedsecret_expansion.go: EncryptionLabel).
func (s Scope) label(namespace, name string) []byte {
	switch s {
	case Cluster:
		return nil
	case Namespace:
		return []byte(namespace)
	}
	return []byte(namespace + "/" + name)
}

// opener tries private keys. Ciphertext doesn't name its key, so the one that
// opened the last value comes first: the values of a document mostly share one.
type opener struct {
	keys []*rsa.PrivateKey
	last int
}

// open returns the value, or the cause for each key in the order of the keys.
func (o *opener) open(ciphertext, label []byte) ([]byte, []error) {
	causes := make([]error, len(o.keys))
	for n := range o.keys {
		i := (o.last + n) % len(o.keys)
		value, err := openWith(o.keys[i], ciphertext, label)
		if err == nil {
			o.last = i
			return value, nil
		}
		causes[i] = err
	}
	return nil, causes
}

var (
	errTooShort = errors.New("the ciphertext is cut short")
	errLabel    = errors.New("it was sealed for another key, namespace or name")
	errDamaged  = errors.New("the ciphertext is damaged")
)

// openWith opens one value with one key (pkg/crypto/crypto.go: singleDecrypt):
//
//	length of the next, 2 bytes, big endian
//	AES key, RSA-OAEP with SHA-256 and the label
//	value, AES-GCM with a nonce of zeros, no additional data
func openWith(key *rsa.PrivateKey, ciphertext, label []byte) ([]byte, error) {
	if len(ciphertext) < 2 {
		return nil, errTooShort
	}
	const minRSABytes = 128
	n := int(binary.BigEndian.Uint16(ciphertext))
	rest := ciphertext[2:]
	switch {
	case len(rest) < n:
		return nil, errTooShort
	case n < minRSABytes:
		return nil, errDamaged
	case n != key.Size():
		return nil, fmt.Errorf("it was sealed for a key of %d bits, this one has %d", 8*n, key.N.BitLen())
	}
	session, err := rsa.DecryptOAEP(sha256.New(), rand.Reader, key, rest[:n], label)
	if err != nil {
		return nil, errLabel
	}
	block, err := aes.NewCipher(session)
	if err != nil {
		return nil, errDamaged
	}
	// It takes the nonce from before the ciphertext, and is what Go's FIPS 140
	// mode allows.
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, errDamaged
	}
	const nonceBytes = 12
	value, err := gcm.Open(nil, nil, append(make([]byte, nonceBytes), rest[n:]...), nil)
	if err != nil {
		return nil, errDamaged
	}
	return value, nil
}
