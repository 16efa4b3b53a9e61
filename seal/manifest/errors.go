// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// SyntaxError says that input cannot be read as a manifest. It never holds
// values, only places and key names.
type SyntaxError struct {
	Line   int    // 1-based line within the input, 0 if unknown
	Path   string // key path such as "spec.sealed", "" for the document itself
	Reason string
}

func (e *SyntaxError) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", e.Line)
	}
	if e.Path != "" {
		fmt.Fprintf(&b, "%s: ", e.Path)
	}
	b.WriteString(e.Reason)
	return b.String()
}

// scannerProblems and parserProblems are the messages of the YAML parser that
// hold no input. Any other message is replaced, because it might quote a value
// (go.yaml.in/yaml/v3 v3.0.6: scannerc.go, parserc.go). The parser's own come
// with a line that counts from 0 (decode.go: fail).
var (
	scannerProblems = []string{
		"block sequence entries are not allowed in this context",
		"could not find expected ':'",
		"did not find URI escaped octet",
		"did not find expected '!'",
		"did not find expected alphabetic or numeric character",
		"did not find expected comment or line break",
		"did not find expected hexdecimal number",
		"did not find expected tag URI",
		"did not find expected version number",
		"did not find expected whitespace",
		"did not find expected whitespace or line break",
		"did not find the expected '>'",
		"exceeded max depth of 10000",
		"found a tab character that violates indentation",
		"found a tab character where an indentation space is expected",
		"found an indentation indicator equal to 0",
		"found character that cannot start any token",
		"found extremely long version number",
		"found invalid Unicode character escape code",
		"found unexpected document indicator",
		"found unexpected end of stream",
		"found unknown directive name",
		"found unknown escape character",
		"mapping keys are not allowed in this context",
		"mapping values are not allowed in this context",
	}
	parserProblems = []string{
		"did not find expected ',' or ']'",
		"did not find expected ',' or '}'",
		"did not find expected '-' indicator",
		"did not find expected <document start>",
		"did not find expected key",
		"did not find expected node content",
		"found duplicate %TAG directive",
		"found duplicate %YAML directive",
		"found incompatible YAML document",
		"found undefined tag handle",
	}
)

const controlProblem = "control characters are not allowed" // readerc.go

// fromYAML turns an error of the YAML parser over data into a SyntaxError.
func fromYAML(err error, data []byte) *SyntaxError {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		number, problem, found := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(number); err == nil && found {
			line, text = n, problem
		}
	}
	switch {
	case text == controlProblem:
		return &SyntaxError{Line: lineOf(data, isControl), Reason: "not valid YAML: " + text}
	case slices.Contains(scannerProblems, text):
		return &SyntaxError{Line: max(line, 1), Reason: "not valid YAML: " + text}
	case slices.Contains(parserProblems, text):
		return &SyntaxError{Line: min(line+1, lines(data)), Reason: "not valid YAML: " + text}
	case strings.HasPrefix(text, "unknown anchor"):
		return &SyntaxError{Reason: "not valid YAML: an alias without its anchor"}
	}
	return &SyntaxError{Line: line, Reason: "not valid YAML"}
}

// lines counts lines: the YAML parser ends a document that is cut short on the
// line after the last.
func lines(data []byte) int {
	return bytes.Count(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) + 1
}
