// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/signet-secrets/signet/seal/keys/internal/hide"
)

const (
	// maxForeignBytes is what is kept of a text of another library.
	maxForeignBytes = 500
	// maxWordBytes is the longest word that is no key: 20 bytes in hex are a
	// fingerprint.
	maxWordBytes = 40
)

// secretRun finds what may be a key or a wrapped one: age identities; PEM
// blocks; 40 or more characters of base64 in a row, of which 32 bytes take 43,
// and which may be escaped for JSON or a URL; and bytes one by one, as fmt
// prints them.
var secretRun = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i:AGE-(?:SECRET-KEY|PLUGIN)-[-A-Z0-9]*)` +
		`|-----BEGIN (?:.*-----END [ A-Z0-9]*-----|.*)` +
		`|[-A-Za-z0-9+/_=%\\]{40,}` +
		`|(?:\b[0-9A-Fa-fx]{1,4}[ ,:]+){15,}[0-9A-Fa-fx]{1,4}`)
})

// publicWord matches a part of a path, an ARN, a name or a UUID: letters of one
// case with digits, or words likeTheseOf or AWSLikeThese, which may end in the
// hex digits that CloudFormation adds.
var publicWord = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\A(?:[a-z0-9]+|[A-Z0-9]+|(?:[a-z]*|[A-Z]{2,4})(?:[A-Z][a-z]{2,})+[A-Z0-9]{0,8})\z`)
})

// ForeignText makes one line of the message of another library or of a server:
// white space is folded, what cannot be printed becomes "?", and what could be
// a key or ciphertext becomes "...". At most 500 bytes remain.
//
// Secrets to hide, such as what a server was sent and may repeat, become "..."
// as they are, in hex and in base64. With any, nothing is shown of a text that
// is not UTF-8, or has the U+FFFD that a decoder makes of that: it may be one of
// them in pieces.
func ForeignText(text string, secrets ...[]byte) string {
	if len(secrets) > 0 {
		if strings.ContainsRune(text, utf8.RuneError) {
			return "(not text)"
		}
		text = hide.In(text, secrets...)
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	text = strings.Join(strings.Fields(text), " ")
	text = secretRun().ReplaceAllStringFunc(text, func(run string) string {
		if isPublic(run) {
			return run
		}
		return "..."
	})
	if len(text) > maxForeignBytes {
		text = strings.ToValidUTF8(text[:maxForeignBytes-len("...")], "") + "..."
	}
	return text
}

// isPublic reports whether what secretRun found is made of words. Less
// than one in a million keys of 32 bytes looks so by chance in URL base64,
// which has - and _, and none in ten million in the standard one.
func isPublic(run string) bool {
	upper := strings.ToUpper(run)
	if strings.Contains(upper, "AGE-SECRET-KEY-") || strings.Contains(upper, "AGE-PLUGIN-") {
		return false
	}
	for word := range strings.FieldsFuncSeq(run, func(r rune) bool { return strings.ContainsRune("-/_=", r) }) {
		if len(word) > maxWordBytes || !publicWord().MatchString(word) {
			return false
		}
	}
	return true
}
