// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"filippo.io/age"
)

// Identity is a native age identity: the private key of an X25519 or a hybrid
// recipient. Nothing prints it but Reveal and File. The zero value is none.
type Identity struct {
	key *nativeKey
}

// nativeKey holds the key in closures: fmt calls no Format method on unexported
// fields and follows pointers under some verbs, but shows only the address of a
// function.
type nativeKey struct {
	reveal    func() string // AGE-SECRET-KEY-1... or AGE-SECRET-KEY-PQ-1...
	unwrap    func([]*age.Stanza) ([]byte, error)
	recipient string
}

func classicKey(id *age.X25519Identity) *nativeKey {
	return &nativeKey{id.String, id.Unwrap, id.Recipient().String()}
}

func hybridKey(id *age.HybridIdentity) *nativeKey {
	return &nativeKey{id.String, id.Unwrap, id.Recipient().String()}
}

// GenerateIdentity returns a new post-quantum hybrid identity (age1pq1...).
func GenerateIdentity() (Identity, error) {
	if err := checkFIPS(); err != nil {
		return Identity{}, err
	}
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		return Identity{}, fmt.Errorf("generate age identity: %w", err)
	}
	return Identity{hybridKey(id)}, nil
}

// GenerateClassicIdentity returns a new X25519 identity (age1...), whose
// recipient is short, but which a quantum computer would break.
func GenerateClassicIdentity() (Identity, error) {
	if err := checkFIPS(); err != nil {
		return Identity{}, err
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return Identity{}, fmt.Errorf("generate age identity: %w", err)
	}
	return Identity{classicKey(id)}, nil
}

// ParseIdentity parses the text of an identity file that holds exactly one
// native identity, with or without comments and empty lines.
func ParseIdentity(text string) (Identity, error) {
	if err := checkFIPS(); err != nil {
		return Identity{}, err
	}
	var found []Identity
	err := identityLines([]byte(text), false, func(s string) error {
		id, err := parseNative(s)
		found = append(found, id)
		return err
	})
	switch {
	case err != nil:
		return Identity{}, fmt.Errorf("age identity: %w", err)
	case len(found) != 1:
		return Identity{}, fmt.Errorf("age identity: text holds %d identities, want one", len(found))
	}
	return found[0], nil
}

// parseNative parses AGE-SECRET-KEY-1... and AGE-SECRET-KEY-PQ-1... Its errors
// hold nothing of s, not even a character with its position, as age's do.
func parseNative(s string) (Identity, error) {
	var key *nativeKey
	var err error
	switch {
	case strings.HasPrefix(s, "AGE-SECRET-KEY-PQ-1"):
		var id *age.HybridIdentity
		if id, err = age.ParseHybridIdentity(s); err == nil {
			key = hybridKey(id)
		}
	case strings.HasPrefix(s, "AGE-SECRET-KEY-1"):
		var id *age.X25519Identity
		if id, err = age.ParseX25519Identity(s); err == nil {
			key = classicKey(id)
		}
	case strings.HasPrefix(s, "age1"), strings.HasPrefix(s, "ssh-"):
		return Identity{}, errors.New("it is a recipient (a public key), not an identity (AGE-SECRET-KEY-...)")
	case strings.HasPrefix(s, "AGE-PLUGIN-"):
		return Identity{}, errors.New("it is an identity for a plugin, not a native one (AGE-SECRET-KEY-...)")
	default:
		return Identity{}, errors.New("it is not an age identity (AGE-SECRET-KEY-...)")
	}
	if err != nil && strings.HasSuffix(err.Error(), "invalid checksum") {
		return Identity{}, errors.New("it is malformed: bech32 checksum does not match")
	}
	if err != nil {
		return Identity{}, errors.New("it is malformed")
	}
	return Identity{key}, nil
}

// Recipient returns the public key of i as text, or "" for the zero value.
func (i Identity) Recipient() string {
	if i.key == nil {
		return ""
	}
	return i.key.recipient
}

// Reveal returns the private key: AGE-SECRET-KEY-1... or AGE-SECRET-KEY-PQ-1...,
// or "" for the zero value.
func (i Identity) Reveal() string {
	if i.key == nil {
		return ""
	}
	return i.key.reveal()
}

// File returns the text of an identity file as age-keygen writes it (age:
// cmd/age-keygen/keygen.go, generate). It holds the private key.
//
//	# created: 2026-01-02T15:04:05+01:00
//	# public key: age1pq1...
//	AGE-SECRET-KEY-PQ-1...
func (i Identity) File(created time.Time) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# created: %s\n", created.Format(time.RFC3339))
	fmt.Fprintf(&b, "# public key: %s\n%s\n", i.Recipient(), i.Reveal())
	return b.Bytes()
}

const hidden = "[age identity]"

// String returns a fixed text, never the key.
func (i Identity) String() string { return hidden }

// Format writes a fixed text for every verb.
func (i Identity) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText returns a fixed text, never the key.
func (i Identity) MarshalText() ([]byte, error) { return []byte(hidden), nil }

var (
	_ fmt.Stringer  = Identity{}
	_ fmt.Formatter = Identity{}
)
