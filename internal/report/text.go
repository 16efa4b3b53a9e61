// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Lines makes text fit for a terminal, as Visible does for one line, and sets
// the lines after the first in.
func Lines(text string) string {
	all := strings.Split(text, "\n")
	for i, line := range all {
		all[i] = Visible(line)
	}
	return strings.Join(all, "\n  ")
}

// Visible makes foreign text fit for one line of a terminal: characters that
// would steer it are escaped, as are bytes that are no UTF-8, private keys are
// not shown, and what is longer than 4000 bytes is cut. Names, paths and
// arguments may hold any of it, by attack or by mistake.
func Visible(text string) string {
	text = WithoutKeys(cut(text))
	if utf8.ValidString(text) && !strings.ContainsFunc(text, steers) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1: // 0x9b alone steers some terminals
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case steers(r):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteString(text[:size])
		}
		text = text[size:]
	}
	return b.String()
}

// cut shortens text that is too long, between two characters.
func cut(text string) string {
	const most = 4000
	if len(text) <= most {
		return text
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "..."
}

func steers(r rune) bool { return !unicode.IsPrint(r) }

var privateKey = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)AGE-(SECRET-KEY|PLUGIN)-[-A-Z0-9]*1[A-Z0-9]{6,}`)
})

// WithoutKeys replaces age identities.
func WithoutKeys(text string) string {
	return privateKey().ReplaceAllLiteralString(text, "(a private key)")
}

// Quoted puts a path that a shell would take apart in quotes, and one that a
// program would take for a flag behind "./".
func Quoted(path string) string {
	if strings.HasPrefix(path, "-") {
		path = "./" + path // not a flag
	}
	if strings.ContainsFunc(path, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_./", r)
	}) {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

// firstLines cuts text after n lines and says so.
func firstLines(text string, n int) string {
	all := strings.Split(text, "\n")
	if len(all) <= n {
		return text
	}
	return strings.Join(all[:n], "\n") + fmt.Sprintf("\n  and %d more lines", len(all)-n)
}
