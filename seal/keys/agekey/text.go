// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode"
)

// looksPrivate reports whether s holds, or might hold, a private key or a part
// of one. Recipients and paths do not look like this: identities are written in
// capitals without separators.
func looksPrivate(s string) bool {
	upper := strings.ToUpper(s)
	if strings.Contains(upper, "AGE-SECRET-KEY-") || strings.HasPrefix(upper, "AGE-PLUGIN-") {
		return true
	}
	for _, mark := range []string{"SECRET-KEY-", "AGE-PLUGIN-", "PRIVATE KEY"} {
		if strings.Contains(s, mark) {
			return true
		}
	}
	for word := range strings.FieldsSeq(s) {
		if len(word) >= 24 && word == strings.ToUpper(word) && !strings.Contains(word, "/") {
			return true
		}
	}
	return false
}

// quote quotes a public text for an error and shortens it when it is long.
func quote(s string) string {
	const head, tail = 32, 12
	if len(s) > 100 {
		s = s[:head] + "..." + s[len(s)-tail:]
	}
	return fmt.Sprintf("%q", s)
}

// quotePath quotes a path. A key that was put where a path belongs is not shown.
func quotePath(path string) string {
	if looksPrivate(path) || strings.ContainsFunc(path, isControl) {
		return "(not a path: it looks like a key)"
	}
	return fmt.Sprintf("%q", path)
}

// fileCause is the cause of a file error without the path, which quotePath shows.
func fileCause(err error) error {
	if pe := new(fs.PathError); errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// foreign makes a text written by a plugin fit for an error: one line, at most
// 200 bytes, no word that could be a key or an encoding of one.
func foreign(s string) string {
	const maxWordBytes, maxBytes = 20, 200
	var out []string
	n := 0
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return unicode.IsSpace(r) || isControl(r) }) {
		if len(word) > maxWordBytes || looksPrivate(word) {
			word = "[...]"
		}
		if n += len(word) + 1; n > maxBytes {
			break
		}
		out = append(out, word)
	}
	return strings.Join(out, " ")
}

// isControl reports whether r would break a line or steer a terminal.
func isControl(r rune) bool { return !unicode.IsPrint(r) && r != '\t' || r == unicode.ReplacementChar }
