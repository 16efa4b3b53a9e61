// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"crypto/fips140"
	"errors"
	"strings"

	"github.com/signet-secrets/signet/seal/keys"
)

// ErrFIPS is what all but ParseRecipient returns under GODEBUG=fips140=only: age
// is made of X25519 and ChaCha20-Poly1305, which that mode refuses, and the
// generation of hybrid keys does not even come back (age 1.3.2, Go 1.26.8).
var ErrFIPS = errors.New("age is not available in FIPS-only mode")

func checkFIPS() error {
	if fips140.Enforced() {
		return ErrFIPS
	}
	return nil
}

// errNoPrompt is the state of a protected key where Sources.Prompt is nil.
var errNoPrompt = errors.New("protected by a passphrase, and nothing here can ask for one")

// Place is where identities were looked for.
type Place struct {
	// Name is a variable or a quoted path, as the user knows it.
	Name string
	// State says what was there: "not set", "not found", "2 identities", or
	// why it could not be used. It holds nothing secret.
	State string
}

// NoIdentityError says that no identity opens an entry, which is nobody's fault
// but the setup's. It wraps keys.ErrNoIdentity.
type NoIdentityError struct {
	// Recipient is the one that the entry names.
	Recipient string
	// Places lists, in the order of looking, every place that could have held
	// an identity for this kind of recipient.
	Places []Place
}

// Error lists the places with their states.
func (e *NoIdentityError) Error() string {
	var b strings.Builder
	b.WriteString("unwrap with age recipient " + quote(e.Recipient) + ": " + keys.ErrNoIdentity.Error())
	for i, p := range e.Places {
		b.WriteString([]string{"; looked in ", ", "}[min(i, 1)])
		b.WriteString(p.Name + " (" + p.State + ")")
	}
	if len(e.Places) == 0 {
		b.WriteString("; there is no place to look in")
	}
	return b.String()
}

// Unwrap returns keys.ErrNoIdentity.
func (e *NoIdentityError) Unwrap() error { return keys.ErrNoIdentity }
