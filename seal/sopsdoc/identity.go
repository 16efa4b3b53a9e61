// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// The text forms of native age keys (C2SP age; age: x25519.go, pq.go) are
// bech32: a prefix, and the key with a checksum of 6 characters.
//
//	age1<58>       AGE-SECRET-KEY-1<58>      32 and 32 bytes: X25519
//	age1pq1<1952>  AGE-SECRET-KEY-PQ-1<58>   1,216 and 32 bytes: ML-KEM-768 with X25519
const (
	classicRecipient = "age1"
	classicIdentity  = "AGE-SECRET-KEY-1"
	hybridRecipient  = "age1pq1"
	hybridIdentity   = "AGE-SECRET-KEY-PQ-1"

	classicChars  = 58
	hybridChars   = 1952
	identityChars = 58
)

// bech32 is the alphabet of what follows the prefix (BIP 173).
const bech32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// ValidKeyRecipient reports whether s has the form of a recipient that a
// SealingKey can have: a native age recipient, age1... or age1pq1.... The
// checksum is left to age.
func ValidKeyRecipient(s string) bool {
	if isKey(s, hybridRecipient, hybridChars, bech32) {
		return true
	}
	return isKey(s, classicRecipient, classicChars, bech32)
}

func isKey(s, prefix string, chars int, alphabet string) bool {
	rest, ok := strings.CutPrefix(s, prefix)
	return ok && len(rest) == chars && strings.Trim(rest, alphabet) == ""
}

// Identity is the private half of a SealingKey: a native age identity, not
// checked against its recipient. Its text is never printed: every fmt verb and
// every marshaller gives a fixed one. The zero value is none.
type Identity struct {
	reveal func() string // for the reason that keys.DataKey holds a function
}

// ParseIdentity returns the identity of which text is the one line:
// AGE-SECRET-KEY-1... or AGE-SECRET-KEY-PQ-1.... The checksum is left to age.
// The error holds nothing of the text.
func ParseIdentity(text string) (Identity, error) {
	alphabet := strings.ToUpper(bech32)
	if !isKey(text, classicIdentity, identityChars, alphabet) && !isKey(text, hybridIdentity, identityChars, alphabet) {
		return Identity{}, errors.New("is not a native age identity (AGE-SECRET-KEY-...) alone on its line")
	}
	return Identity{func() string { return text }}, nil
}

// Reveal returns the text of the identity, "" for the zero value.
func (i Identity) Reveal() string {
	if i.reveal == nil {
		return ""
	}
	return i.reveal()
}

// fits reports whether a recipient is of the same kind, which is all that can
// be told without the means of age.
func (i Identity) fits(recipient string) bool {
	return strings.HasPrefix(i.Reveal(), hybridIdentity) == strings.HasPrefix(recipient, hybridRecipient)
}

const hiddenIdentity = "[age identity]"

// String returns a fixed text, never the identity.
func (i Identity) String() string { return hiddenIdentity }

// Format writes a fixed text for every verb.
func (i Identity) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hiddenIdentity) }

// MarshalText returns a fixed text, never the identity.
func (i Identity) MarshalText() ([]byte, error) { return []byte(hiddenIdentity), nil }

var (
	_ fmt.Stringer  = Identity{}
	_ fmt.Formatter = Identity{}
)
