// SPDX-License-Identifier: Apache-2.0

// Package hide takes secrets that are known out of texts that somebody else
// wrote. What merely looks like a secret is for keys.ForeignText to find.
package hide

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode"
)

const (
	// minBytes is the length from which on a secret is looked for. Less would
	// tear words apart.
	minBytes = 4
	// minPartBytes is the same for a part of one.
	minPartBytes = 8
)

// In returns text with "..." in the place of the secrets: as they are, in hex
// and in both alphabets of base64. Their parts between other characters than
// letters and digits are hidden too, because URLs and quoting take texts apart
// there. Secrets of less than 4 bytes and parts of less than 8 remain.
func In(text string, secrets ...[]byte) string {
	var all []string
	for _, secret := range secrets {
		if len(secret) >= minBytes {
			all = append(all, forms(secret)...)
		}
	}
	for _, form := range all {
		text = strings.ReplaceAll(text, form, "...")
	}
	for _, separates := range []func(rune) bool{isNoBase64, isSeparator} { // longer parts first
		for _, form := range all {
			for part := range strings.FieldsFuncSeq(form, separates) {
				if len(part) >= minPartBytes {
					text = strings.ReplaceAll(text, part, "...")
				}
			}
		}
	}
	return text
}

// isNoBase64 separates what is before the ciphertext from it, as in
// vault:v1:<base64>.
func isNoBase64(r rune) bool { return isSeparator(r) && !strings.ContainsRune("+/-_=", r) }

func forms(secret []byte) []string {
	lower := hex.EncodeToString(secret)
	return []string{
		string(secret), lower, strings.ToUpper(lower),
		base64.RawStdEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret),
	}
}

func isSeparator(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
