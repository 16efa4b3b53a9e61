// SPDX-License-Identifier: Apache-2.0

package pgp

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/chars"
)

// failure makes the errors of one call.
type failure struct {
	operation keys.Operation
	entry     keys.PGPEntry
}

// permanently is for what is wrong with an entry before gpg is run.
func (f failure) permanently(err error) error {
	return &keys.CallError{Operation: f.operation, Entry: f.entry, Err: err, Permanent: true}
}

// because is for everything else.
func (f failure) because(err error) error {
	return &keys.CallError{Operation: f.operation, Entry: f.entry, Err: err, Permanent: permanent(err), Hint: f.hint(err)}
}

func permanent(err error) bool {
	switch e := err.(type) {
	case *startError, *contentError:
		return true
	case *gpgError:
		return e.permanent()
	}
	return errors.Is(err, errTooMuch)
}

// errTooMuch says that gpg wrote more than a wrapped or unwrapped secret can be.
var errTooMuch = errors.New("gpg wrote more than a wrapped key can hold")

// contentError says that a message was opened and holds no secret.
type contentError struct{ err error }

func (e *contentError) Error() string { return e.err.Error() }
func (e *contentError) Unwrap() error { return e.err }

// timeoutError says that the time of one run is over.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string { return fmt.Sprintf("gpg did not finish within %v", e.after) }

// Unwrap returns context.DeadlineExceeded.
func (e *timeoutError) Unwrap() error { return context.DeadlineExceeded }

// The codes that gpg gives for why a secret key could not be used
// (libgpg-error: err-codes.h.in; errno.h for the one with the system's bit).
const (
	codeBadPassphrase = 11
	codeTimeout       = 62
	codeNoPinentry    = 85
	codeBadPIN        = 87
	codeCanceled      = 99
	codeNoCard        = 112
	codeFullyCanceled = 198
	codeNoTerminal    = 1<<15 | 102 // ENOTTY
	codeMask          = 1<<16 - 1   // above it: which part of GnuPG it comes from
)

// gpgError is a gpg that ended with an exit code other than 0. Its texts are
// filtered.
type gpgError struct {
	exit      int
	said      string // the last of its messages, in the user's language
	noSecret  string // key ID for which there is no secret key, or ""
	noPublic  bool   // the recipient is missing, expired, revoked or for signing only
	code      int    // why the secret key could not be used, or 0
	damaged   bool
	decrypted bool // and then something else went wrong
}

// newGPGError reads stderr: messages for people and status lines (GnuPG:
// doc/DETAILS), which are
//
//	[GNUPG:] <KEYWORD> <arguments>
func newGPGError(stderr string, exit int) *gpgError {
	e := &gpgError{exit: exit}
	var said []string
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		if status, ok := strings.CutPrefix(line, "[GNUPG:] "); ok {
			e.read(strings.Fields(status))
		} else if line != "" {
			said = append(said, strings.TrimPrefix(line, "gpg: "))
		}
	}
	e.said = keys.ForeignText(strings.Join(said[max(0, len(said)-2):], "; "))
	return e
}

func (e *gpgError) read(status []string) {
	if len(status) == 0 {
		return
	}
	last := status[len(status)-1]
	switch status[0] {
	case "NO_SECKEY":
		if len(last) <= fingerprintV5 && chars.Only(last, chars.Hex) {
			e.noSecret = last
		}
	case "INV_RECP":
		e.noPublic = true
	case "BADMDC":
		e.damaged = true
	case "DECRYPTION_OKAY":
		e.decrypted = true
	case "ERROR":
		if code, err := strconv.ParseUint(last, 10, 32); err == nil && len(status) == 3 && status[1] == "pkdecrypt_failed" {
			e.code = int(code & codeMask)
		}
	}
}

func (e *gpgError) Error() string {
	switch {
	case e.code == codeBadPassphrase, e.code == codeBadPIN:
		return "wrong passphrase or PIN for the secret key"
	case e.code == codeCanceled, e.code == codeFullyCanceled:
		return "the question for the passphrase was cancelled"
	case e.code == codeTimeout:
		return "nobody answered the question for the passphrase in time"
	case e.code == codeNoPinentry:
		return "gpg-agent has no pinentry to ask for the passphrase with"
	case e.code == codeNoTerminal:
		return "pinentry has no terminal to ask for the passphrase on"
	case e.damaged:
		return "PGP message was damaged or manipulated"
	case e.code == 0 && e.noSecret != "":
		return keys.ErrNoIdentity.Error() + ": gpg has no secret key " + e.noSecret
	case e.said == "":
		return "gpg: exit code " + strconv.Itoa(e.exit)
	}
	return "gpg: " + e.said
}

// Unwrap returns keys.ErrNoIdentity or nil.
func (e *gpgError) Unwrap() error {
	if e.code == 0 && !e.damaged && e.noSecret != "" {
		return keys.ErrNoIdentity
	}
	return nil
}

// permanent is true for what a person has to change. Of what gpg says in words
// only, nobody can tell.
func (e *gpgError) permanent() bool {
	switch e.code {
	case 0:
		return e.noSecret != "" || e.noPublic || e.damaged || e.decrypted
	case codeNoPinentry, codeNoTerminal:
		return true
	}
	return false
}
