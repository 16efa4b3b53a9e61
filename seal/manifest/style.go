// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// oldBool reports whether YAML 1.1 reads the plain scalar s as a boolean
// (yaml.org/type/bool.html).
func oldBool(s string) bool {
	switch s {
	case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON",
		"n", "N", "no", "No", "NO", "off", "Off", "OFF":
		return true
	}
	return false
}

// plainSafe reports whether s may stand without quotes: it has only characters
// that mean nothing in YAML where they stand, and is no word or number of YAML
// 1.1 or 1.2. It errs towards quotes.
func plainSafe(s string) bool {
	if s == "" || oldBool(s) {
		return false
	}
	for i, c := range []byte(s) {
		inner := i > 0 && i < len(s)-1
		if c == ' ' && inner && s[i-1] != ':' && !isDigit(s[0]) { // a date has spaces, too
			continue
		}
		if !plainByte(c, i == 0, i == len(s)-1) {
			return false
		}
	}
	n := yaml.Node{Kind: yaml.ScalarNode, Value: s}
	return n.ShortTag() == "!!str" && !oldNumber(s)
}

func plainByte(c byte, first, last bool) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	case c == '.' || c == '_' || c == '/' || c == '+' || c == '^':
		return true
	case c == '$' || c == '(' || c == ')' || c == ';':
		return true
	case c == '-' || c == '=':
		return !first
	case c == ':':
		return !first && !last
	}
	return false
}

// oldNumber reports whether YAML 1.1 might read s as a number where 1.2 does
// not: in base 60, or with underscores and dots in odd places. Versions and IP
// addresses, which begin with a digit and have two dots, are safe.
func oldNumber(s string) bool {
	s = strings.TrimPrefix(s, "+")
	if len(s) >= 2 && s[0] == '0' && strings.IndexByte("xXoObB", s[1]) >= 0 {
		return true
	}
	if strings.Trim(s, "0123456789:_.") != "" || strings.Trim(s, "_:") == "" {
		return false
	}
	return strings.Count(s, ".") < 2 || !isDigit(s[0])
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// literalSafe reports whether the lines of s survive a literal block scalar:
// printable characters only, and nothing that needs an indentation indicator
// or that a reader or an editor would trim.
func literalSafe(s string) bool {
	if s[0] == ' ' || s[0] == '\n' || s[0] == '\t' {
		return false
	}
	for line := range strings.SplitSeq(s, "\n") {
		if strings.TrimRight(line, " \t") != line {
			return false
		}
	}
	for _, r := range s {
		if !literalRune(r) {
			return false
		}
	}
	return true
}

func literalRune(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return true
	case r < 0x20, r >= 0x7F && r <= 0xA0:
		return false
	case r == 0x2028 || r == 0x2029 || r == 0xFEFF || r >= 0xFFFE && r <= 0xFFFF:
		return false
	}
	return r <= 0xFFFF
}
