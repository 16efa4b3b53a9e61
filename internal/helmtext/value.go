// SPDX-License-Identifier: Apache-2.0

package helmtext

import (
	"regexp"
	"strings"
	"sync"
)

// Literal reports whether a value, as it stands in a template, is written
// there. One without any action is, unless it is empty.
func Literal(value string) bool {
	m := replace(value)
	return m.literal(strings.Join(m.lines, "\n"))
}

// literal is Literal for a text with marks.
func (m *marked) literal(value string) bool {
	texts, marks := m.split(value)
	references := false
	for _, k := range marks {
		if k.literal {
			return true
		}
		references = references || k.reference
	}
	if !references {
		return strings.Trim(strings.Join(texts, ""), "\"' \t\n") != ""
	}
	if !strings.Contains(strings.TrimSpace(value), "\n") && alternative(texts, marks) {
		return true
	}
	return looksSecret(value, func(s string) bool { return strings.Contains(s, markBegin) })
}

// alternative reports whether one branch of a condition in a line is text alone,
// as in {{ if .x }}{{ .x }}{{ else }}text{{ end }}.
func alternative(texts []string, marks []mark) bool {
	for i := 1; i < len(marks); i++ {
		if marks[i-1].control && marks[i].control && len(strings.Trim(texts[i], "\"' \t")) >= shortest {
			return true
		}
	}
	return false
}

// secretLike finds what looks like a password among other text: behind a name
// that says so, or in a URL.
var secretLike = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|credentials?)["']?[ \t]*[:=][ \t]*["']?([^\s"',;&]+)` +
		`|://[^/\s:@]*:([^/\s@]+)@|(-----BEGIN [A-Z ]*PRIVATE KEY-----)`)
})

// looksSecret reports whether there is a password in a text of which something
// comes from elsewhere; elsewhere tells of a piece whether it does.
func looksSecret(text string, elsewhere func(string) bool) bool {
	for _, found := range secretLike().FindAllStringSubmatch(text, -1) {
		for _, value := range found[1:] {
			if len(value) >= shortest && !elsewhere(value) && !strings.HasPrefix(value, "$") && !strings.HasPrefix(value, "<") {
				return true
			}
		}
	}
	return false
}
