// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// conflictLine returns the 1-based line on which the first conflict of a merge
// begins, 0 if there is none: a line of at least seven <, and further down one
// each of = and >.
func conflictLine(text []byte) int {
	if !bytes.Contains(text, []byte("<<<<<<<")) {
		return 0
	}
	begin, middle, number := 0, false, 0
	for line := range bytes.Lines(text) {
		number++
		switch {
		case begin == 0 && isMarker(line, '<'):
			begin = number
		case begin > 0 && isMarker(line, '='):
			middle = true
		case middle && isMarker(line, '>'):
			return begin
		}
	}
	return 0
}

// isMarker reports whether a line is one of seven or more of a character, and
// perhaps a name behind them.
func isMarker(line []byte, c byte) bool {
	line = bytes.TrimRight(line, "\r\n")
	rest := bytes.TrimLeft(line, string(c))
	return len(line)-len(rest) >= 7 && (len(rest) == 0 || rest[0] == ' ')
}

// conflict tells of conflict markers in a file that holds something sealed, or a
// Secret.
func conflict(name string, text []byte) []finding {
	line := conflictLine(text)
	if line == 0 || !manifest.Mentions(text, sopsdoc.Group, sopsdoc.ValuePrefix) && !namesSealed().Match(text) {
		return nil
	}
	hint := "settle it, and seal what is in clear"
	if manifest.Mentions(text, sopsdoc.Group, sopsdoc.ValuePrefix) {
		hint = "signet edit " + report.Quoted(name) + " settles it; who cannot open it takes one side as a whole, git checkout --ours FILE or --theirs FILE; do not edit ciphertext"
	}
	return []finding{{
		Rule: ruleConflict, Level: ruleConflict.level(), File: name, Line: line,
		Message: "a merge of this file was not finished: it has conflict markers",
		Hint:    hint,
	}}
}
