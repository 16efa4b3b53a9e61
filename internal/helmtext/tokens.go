// SPDX-License-Identifier: Apache-2.0

package helmtext

import "strings"

// token is a word of an action: a text in quotes, a parenthesis, a comma, a
// bar, an assignment, or anything else.
type token struct {
	text   string
	quoted bool
}

// tokens cuts an action into words. What is malformed gives some words, too.
func tokens(action string) []token {
	var all []token
	for action != "" {
		switch c := action[0]; {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			action = action[1:]
		case c == '"' || c == '`' || c == '\'':
			n := quotedLen(action)
			all = append(all, token{unquote(action[:n]), true})
			action = action[n:]
		case strings.HasPrefix(action, ":="):
			all, action = append(all, token{text: ":="}), action[2:]
		case strings.IndexByte("()|,=[]", c) >= 0:
			all, action = append(all, token{text: parenthesis(c)}), action[1:]
		default:
			n := strings.IndexAny(action[1:], " \t\r\n\"'`()|,=[]") + 1
			if n == 0 {
				n = len(action)
			}
			if i := strings.Index(action[:n], ":="); i > 0 {
				n = i
			}
			all, action = append(all, token{text: action[:n]}), action[n:]
		}
	}
	return all
}

// parenthesis takes brackets for parentheses: both hold words apart.
func parenthesis(c byte) string {
	switch c {
	case '[':
		return "("
	case ']':
		return ")"
	}
	return string(c)
}

// quotedLen is how long the text in quotes is that s begins with, quotes
// included.
func quotedLen(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && s[0] != '`':
			i++
		case s[i] == s[0]:
			return i + 1
		}
	}
	return len(s)
}

func unquote(s string) string {
	end := len(s)
	if end > 1 && s[end-1] == s[0] {
		end--
	}
	return s[1:end]
}
