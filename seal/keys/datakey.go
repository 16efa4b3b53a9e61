// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
)

// DataKeyBytes is the length of a data key: AES-256 (sops: sops.go, GenerateDataKey).
const DataKeyBytes = 32

// DataKey is the random key under which the values of one document are
// encrypted. Its bytes are never printed: every fmt verb and every marshaller
// gives a fixed text. The zero value is no key. A DataKey is safe for
// concurrent use; nothing changes it after it was made.
type DataKey struct {
	// A function, because fmt calls no method of a DataKey in an unexported
	// field, nor for a misplaced %w: it prints what it finds, through one
	// pointer too, but of a function only the address.
	bytes func() []byte
}

// GenerateDataKey returns a new random data key.
func GenerateDataKey() DataKey {
	b := make([]byte, DataKeyBytes)
	rand.Read(b) // never fails: crypto/rand aborts the program instead
	return DataKey{bytes: func() []byte { return b }}
}

// NewDataKey returns the data key with the given bytes, which it copies.
// Any other length than DataKeyBytes is an error that gives the length only.
func NewDataKey(b []byte) (DataKey, error) {
	if len(b) != DataKeyBytes {
		return DataKey{}, fmt.Errorf("data key has %d bytes, want %d", len(b), DataKeyBytes)
	}
	own := bytes.Clone(b)
	return DataKey{bytes: func() []byte { return own }}, nil
}

// Bytes returns the key, nil for the zero value. The caller must not change it.
func (k DataKey) Bytes() []byte {
	if k.bytes == nil {
		return nil
	}
	return k.bytes()
}

// IsZero reports whether k is no key at all.
func (k DataKey) IsZero() bool { return k.bytes == nil }

// Equal reports in constant time whether both are the same key.
func (k DataKey) Equal(o DataKey) bool {
	return subtle.ConstantTimeCompare(k.Bytes(), o.Bytes()) == 1
}

const hidden = "[data key]"

// String returns a fixed text, never the key.
func (k DataKey) String() string { return hidden }

// Format writes a fixed text for every verb, so that %x and %v of a struct
// that holds a key are harmless too.
func (k DataKey) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText returns a fixed text, never the key.
func (k DataKey) MarshalText() ([]byte, error) { return []byte(hidden), nil }

var (
	_ fmt.Stringer  = DataKey{}
	_ fmt.Formatter = DataKey{}
)
