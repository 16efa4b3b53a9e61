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
// that never mean anything in YAML, begins with a letter or is a key path, and
// is no word or number of YAML 1.1 or 1.2. It errs towards quotes.
func plainSafe(s string) bool {
	if s == "" || oldBool(s) {
		return false
	}
	for i, c := range []byte(s) {
		inner := i > 0 && i < len(s)-1
		if c == ' ' && inner && s[i-1] != ':' {
			continue
		}
		if !plainByte(c, i == 0, i == len(s)-1) {
			return false
		}
	}
	n := yaml.Node{Kind: yaml.ScalarNode, Value: s}
	return n.ShortTag() == "!!str" && !sexagesimal(s)
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

// sexagesimal reports whether YAML 1.1 might read s as a number in base 60 or
// an octal or hexadecimal one: a digit, then only digits and the like.
func sexagesimal(s string) bool {
	return s[0] >= '0' && s[0] <= '9' && strings.Trim(s, "0123456789:_.") == "" && strings.Count(s, ".") < 2
}

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
