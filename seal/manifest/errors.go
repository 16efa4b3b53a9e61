// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"fmt"
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

// yamlProblems are the messages of the YAML parser that hold no input. Any
// other message is replaced, because it might quote a value
// (go.yaml.in/yaml/v3 v3.0.6: parserc.go, scannerc.go, readerc.go).
var yamlProblems = []string{
	"block sequence entries are not allowed in this context",
	"control characters are not allowed",
	"could not find expected ':'",
	"did not find expected ',' or ']'",
	"did not find expected ',' or '}'",
	"did not find expected '-' indicator",
	"did not find expected <document start>",
	"did not find expected key",
	"did not find expected node content",
	"did not find expected whitespace or line break",
	"exceeded max depth of 10000",
	"found a tab character that violates indentation",
	"found a tab character where an indentation space is expected",
	"found character that cannot start any token",
	"found incompatible YAML document",
	"found undefined tag handle",
	"found unexpected document indicator",
	"found unexpected end of stream",
	"found unknown escape character",
	"mapping keys are not allowed in this context",
	"mapping values are not allowed in this context",
}

// fromYAML turns an error of the YAML parser into a SyntaxError.
func fromYAML(err error) *SyntaxError {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	e := &SyntaxError{Reason: "not valid YAML"}
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		number, problem, found := strings.Cut(rest, ": ")
		if line, err := strconv.Atoi(number); err == nil && found {
			e.Line, text = line, problem
		}
	}
	for _, known := range yamlProblems {
		if text == known {
			e.Reason += ": " + known
		}
	}
	return e
}
