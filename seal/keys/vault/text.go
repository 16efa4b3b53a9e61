// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"strings"
	"unicode"

	"github.com/signet-secrets/signet/seal/keys"
)

const (
	// minHidden is the length from which on a known secret is looked for in a
	// text. Less would tear words apart.
	minHidden = 4
	// minHiddenPart is the same for a part of one.
	minHiddenPart = 8
)

// foreign makes one line of what a server said. What it was sent is not in it:
// a server may repeat that, and the filter of package keys finds only what
// looks like a key. Parts between other characters than letters and digits are
// hidden too, because URLs and quoting take texts apart there.
func foreign(text string, hide []string) string {
	for _, secret := range hide {
		if len(secret) >= minHidden {
			text = strings.ReplaceAll(text, secret, "...")
		}
	}
	for _, secret := range hide {
		for part := range strings.FieldsFuncSeq(secret, isSeparator) {
			if len(part) >= minHiddenPart {
				text = strings.ReplaceAll(text, part, "...")
			}
		}
	}
	return keys.ForeignText(text)
}

func isSeparator(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
