// SPDX-License-Identifier: Apache-2.0

package pgp

import (
	"errors"
	"strings"

	"github.com/signet-secrets/signet/seal/keys"
)

// hint is the next step after err, or "".
func (f failure) hint(err error) string {
	if errors.As(err, new(*startError)) {
		return "install GnuPG (Debian: apt-get install gnupg; macOS: brew install gnupg), or name the program in SOPS_GPG_EXEC"
	}
	if f.operation == keys.Unwrapping && errors.As(err, new(*timeoutError)) {
		return hintTerminal
	}
	e := new(gpgError)
	if !errors.As(err, &e) {
		return ""
	}
	name := f.name()
	switch {
	case e.code == codeNoTerminal:
		return hintTerminal
	case e.code == codeNoPinentry:
		return "install a pinentry (Debian: apt-get install pinentry-curses), then: gpgconf --kill gpg-agent"
	case e.code == codeNoCard:
		return "plug in the security key that holds the secret key; gpg --card-status shows what is there"
	case errors.Is(err, keys.ErrNoIdentity):
		return "gpg --list-secret-keys " + name + " must show the key: import it with gpg --import <file>, " +
			"or set GNUPGHOME to the directory of the key ring that has it"
	case e.noPublic:
		return "gpg --list-keys " + name + " must show a valid key for encryption: gpg --import <file> imports or renews it"
	}
	return ""
}

const hintTerminal = "gpg-agent asks for the passphrase on the terminal that GPG_TTY names: export GPG_TTY=$(tty); " +
	"without a terminal, use a key that needs no passphrase"

// name is the key as gpg wants it. It was checked, so that a shell takes it
// for what it is.
func (f failure) name() string { return strings.TrimSuffix(f.entry.Fingerprint, "!") }
