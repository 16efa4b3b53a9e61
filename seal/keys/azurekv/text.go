// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/signet-secrets/signet/seal/keys"
)

// minHidden is the length from which on a known secret is looked for in a text.
// Less would tear words apart.
const minHidden = 8

// foreign makes one line of what somebody else said. The known secrets are not
// in it, neither as they are nor in hex or base64: a server may repeat what it
// was sent, and the filter of package keys finds only what looks like a key.
// Bytes that are no text, of which a decoder has made U+FFFD, are not shown.
func foreign(text string, known ...[]byte) string {
	if strings.ContainsRune(text, utf8.RuneError) {
		return "(not text)"
	}
	for _, k := range known {
		if len(k) < minHidden {
			continue
		}
		lower := hex.EncodeToString(k)
		for _, form := range []string{
			string(k), lower, strings.ToUpper(lower),
			base64.RawStdEncoding.EncodeToString(k), base64.RawURLEncoding.EncodeToString(k),
		} {
			text = strings.ReplaceAll(text, form, "...")
		}
	}
	return keys.ForeignText(text)
}

// word returns s if it is a name as in ForbiddenByRbac, else "".
func word(s string) string {
	if len(s) > 64 || !only(s, letters+digits) {
		return ""
	}
	return s
}

// id returns s if it is a UUID or a domain, as request ids, object ids and
// tenants are, else "".
func id(s string) string {
	if len(s) > 128 || !only(s, letters+digits+"-.") {
		return ""
	}
	return s
}
