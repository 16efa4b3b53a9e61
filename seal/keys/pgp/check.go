// SPDX-License-Identifier: Apache-2.0

package pgp

import (
	"errors"
	"fmt"
	"strings"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/chars"
)

const (
	// nameChars are those of fingerprints, key IDs and mail addresses. None of
	// them means anything to a shell.
	nameChars = chars.AlphaNum + "@._+-"
)

const (
	fingerprintV4 = 40 // hex digits of SHA-1 (RFC 9580, section 5.5.4.2)
	fingerprintV5 = 64 // of SHA-256 (version 5 is GnuPG's; section 5.5.4.3 for version 6)
	maxNameBytes  = 254
)

// Check reports whether e names a key to wrap for: a whole fingerprint in hex,
// and behind it perhaps a "!", with which gpg uses exactly that subkey. Shorter
// ids are refused, because anybody can make another key with the same one.
// CreatedAt and Enc play no part. Nothing is run. The error repeats nothing of e.
func Check(e keys.PGPEntry) error {
	fp := strings.TrimSuffix(e.Fingerprint, "!")
	switch {
	case fp == "":
		return errors.New("fingerprint is empty")
	case !chars.Only(fp, chars.Hex):
		return errors.New("fingerprint is not hex: want the 40 digits that gpg --list-keys shows")
	case len(fp) != fingerprintV4 && len(fp) != fingerprintV5:
		return fmt.Errorf("fingerprint has %d hex digits, want %d or %d", len(fp), fingerprintV4, fingerprintV5)
	}
	return nil
}

// checkName is for what is to be unwrapped. Documents of SOPS hold whatever gpg
// took for a key when they were made: a fingerprint, a key id with or without
// 0x, a mail address. It goes into messages only, not to gpg, which finds the
// key by what the message says.
func checkName(name string) error {
	if name = strings.TrimSuffix(name, "!"); name == "" || len(name) > maxNameBytes || name[0] == '-' || !chars.Only(name, nameChars) {
		return errors.New("fingerprint is malformed")
	}
	return nil
}
