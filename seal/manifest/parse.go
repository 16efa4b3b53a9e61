// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Limits of what is parsed. They bound memory to some 100 MiB whatever the
// input is (measured; see the tests for hostile input).
const (
	// MaxStreamBytes is the size of a whole stream.
	MaxStreamBytes = 64 << 20
	// MaxDocumentBytes is the size of one document that has to be parsed.
	MaxDocumentBytes = 8 << 20
	// MaxDepth is how many mappings and lists a node may stand in.
	MaxDepth = 100
	// maxDocuments bounds what a stream is cut into: a Document takes some 100
	// bytes, its text may take two.
	maxDocuments = 300_000
	// maxTags bounds %TAG directives, of which the YAML parser compares each
	// with each.
	maxTags = 100
	// maxStructure bounds the characters that can start a node, counted
	// before parsing: a parsed node takes some 200 bytes, its text may take one.
	maxStructure = 200_000
)

// Parse reads exactly one YAML or JSON document and checks it with Check. The
// result is a document node, or nil for a document without content. The error
// is a *SyntaxError.
func Parse(data []byte) (*yaml.Node, error) {
	if err := checkBytes(data); err != nil {
		return nil, err
	}
	if looksLikeJSON(data) {
		if n, err := parseJSON(data); err == nil || !errors.Is(err, errNotJSON) {
			return n, err
		}
	}
	n, err := parseYAML(data)
	if err != nil || n == nil {
		return nil, err
	}
	if err := Check(n); err != nil {
		return nil, err
	}
	return n, nil
}

func checkBytes(data []byte) error {
	if len(data) > MaxDocumentBytes {
		return &SyntaxError{Reason: fmt.Sprintf("document has %d bytes, the limit is %d", len(data), MaxDocumentBytes)}
	}
	if !utf8.Valid(data) {
		return &SyntaxError{Line: lineOf(data, isInvalid), Reason: "not valid UTF-8"}
	}
	if n := structure(data); n > maxStructure {
		return &SyntaxError{Reason: fmt.Sprintf("document has up to %d nodes, the limit is %d", n, maxStructure)}
	}
	if bytes.Count(data, []byte("%TAG")) > maxTags {
		return &SyntaxError{Reason: "too many %TAG directives"}
	}
	return nil
}

// Nodes returns a bound for what parsing the document makes, without parsing
// it: never less than half of the nodes.
func (d *Document) Nodes() int { return structure(d.raw) }

// lineOf returns the 1-based line of the first bad character.
func lineOf(data []byte, bad func(r rune, size int) bool) int {
	line := 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if bad(r, size) {
			return line
		}
		if r == '\n' {
			line++
		}
		data = data[size:]
	}
	return line
}

func isInvalid(r rune, size int) bool { return r == utf8.RuneError && size == 1 }

// isControl reports what YAML does not allow even in quotes (readerc.go).
func isControl(r rune, _ int) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r' || r == 0x85:
		return false
	}
	return r < 0x20 || r >= 0x7F && r < 0xA0 || r == 0xFFFE || r == 0xFFFF
}

// parseYAML runs the YAML parser. Its panics become errors: the parser is
// foreign code over foreign input.
func parseYAML(data []byte) (n *yaml.Node, err error) {
	defer func() {
		if recover() != nil {
			n, err = nil, &SyntaxError{Reason: "not valid YAML"}
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	switch err := d.Decode(&first); {
	case err == io.EOF:
		return nil, nil
	case err != nil:
		return nil, fromYAML(err, data)
	}
	switch err := d.Decode(&second); {
	case err == io.EOF:
		return &first, nil
	case err != nil:
		return nil, fromYAML(err, data)
	}
	return nil, &SyntaxError{Line: second.Line, Reason: "more than one document where one is expected"}
}
