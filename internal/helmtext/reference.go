// SPDX-License-Identifier: Apache-2.0

package helmtext

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// longest is how many characters may stand in a row beside references, in a value
// that has no form of its own: more may be most of a password.
const longest = 5

// OnlyReferences reports whether a value, as it stands in a manifest that is no
// template, names something elsewhere, as ${NAME} and {{ .name }} do, and has no
// secret beside that. URLs, host names, settings and whole files may have more
// text than what references leave room for.
func OnlyReferences(value string) bool {
	m := replace(value)
	text := strings.TrimSpace(strings.Join(m.lines, "\n"))
	return text != "" && !m.literal(text) && (hasForm(text) || !hasRun(withoutURLs(text)))
}

// hasForm reports whether a text is a file, or has settings of which one is a
// reference: names and other settings stand in it, and what looks like a password
// has been looked for.
func hasForm(text string) bool {
	return strings.Contains(text, "\n") || formed().MatchString(text)
}

// formed finds what text in JSON or XML begins with, and NAME=REFERENCE.
var formed = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:\{ *["']|\[ *[{"']|<[?A-Za-z])|(?:^|[\s;&,?])[A-Za-z][A-Za-z0-9_.-]*=["']?` + markBegin)
})

// known finds what is no secret beside references: the user, host, path and all
// else of a URL, but for its password, the name of a host or the place of a mail
// address, and how a token is used.
var known = sync.OnceValue(func() *regexp.Regexp {
	const marks = markBegin + `[0-9]+` + markEnd
	return regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.:-]*://(?:[^\s/:@]*(:[^\s/@]*)?@)?[^\s"']*` +
		`|@(?:[a-z0-9-]|` + marks + `)+(?:\.(?:[a-z0-9-]|` + marks + `)+)+` +
		`|(?:[a-z0-9-]|` + marks + `)+(?:\.(?:[a-z0-9-]|` + marks + `)+)*\.[a-z]{2,}(?::[0-9]+)?(?:$|[\s/,;])` +
		`|^(?i:basic|bearer|token|digest|apikey)[ \t]`)
})

// withoutURLs cuts what known finds.
func withoutURLs(text string) string {
	return known().ReplaceAllString(text, " $1 ")
}

// hasRun reports whether too many letters, digits and other characters stand in
// a row that do not hold parts of a name apart.
func hasRun(text string) bool {
	run := 0
	for text != "" {
		if _, length := markAt(text); length > 0 {
			run, text = 0, text[length:]
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		if run++; strings.ContainsRune(":/@-_.,;=&?'\"()[]{}|", r) || unicode.IsSpace(r) {
			run = 0
		}
		if run > longest {
			return true
		}
		text = text[size:]
	}
	return false
}
