// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// allowPattern is a pattern of an AllowList. It matches in time linear in the
// value, which is foreign.
type allowPattern struct {
	text string
	re   *regexp.Regexp
}

// newAllowPattern compiles a pattern: ** is any text, * any without / and :,
// which separate the parts of URLs and names. In an ARN only : does, as in the
// policies of AWS. The pattern * alone is **.
func newAllowPattern(text string) allowPattern {
	star := "[^/:]*"
	if strings.HasPrefix(text, "arn:") {
		star = "[^:]*"
	}
	if text == "*" {
		return allowPattern{text, regexp.MustCompile(`(?s)\A.*\z`)}
	}
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for rest := text; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "**"):
			b.WriteString(".*")
			rest = rest[2:]
		case rest[0] == '*':
			b.WriteString(star)
			rest = rest[1:]
		default:
			literal, _, _ := strings.Cut(rest, "*")
			b.WriteString(regexp.QuoteMeta(literal))
			rest = rest[len(literal):]
		}
	}
	b.WriteString(`\z`)
	return allowPattern{text, regexp.MustCompile(b.String())}
}

// match reports whether the whole value matches. A value that is not UTF-8
// never does: regexp would take all that is wrong in it for U+FFFD.
func (p allowPattern) match(value string) bool {
	return utf8.ValidString(value) && p.re.MatchString(value)
}

// hostPattern checks the pattern of a URL and writes its host as values have
// it; reason says what is wrong with it. A ** in the place of the host would
// reach into the path, and so let any host pass.
func hostPattern(text string) (pattern, reason string) {
	if text == "*" || text == "**" {
		return text, ""
	}
	scheme, rest, _ := strings.Cut(text, "://")
	host, path, found := strings.Cut(rest, "/")
	switch {
	case scheme != "https" && scheme != "http", host == "", !found:
		return "", "want a URL, as in https://<host>/**"
	case strings.Contains(host, "**"):
		return "", "** in the place of the host would let any host pass"
	}
	return scheme + "://" + strings.ToLower(host) + "/" + path, ""
}
