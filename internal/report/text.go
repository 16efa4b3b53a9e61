// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
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
// would steer it are escaped, private keys are not shown, and what is longer
// than 4000 bytes is cut. Names, paths and arguments may hold any of it, by
// attack or by mistake.
func Visible(text string) string {
	const most = 4000
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	text = WithoutKeys(text)
	if !strings.ContainsFunc(text, steers) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if steers(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
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
