// SPDX-License-Identifier: Apache-2.0

package helmtext

import (
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ErrTooLarge says that a template is too large to be looked at.
var ErrTooLarge = errors.New("the template is too large")

// MaxBytes is the size of a template that Secrets looks at.
const MaxBytes = 4 << 20

// Secret is a Secret in a template with values that are written there.
type Secret struct {
	Line int    // 1-based, on which the object begins
	Name string // "" if it comes from elsewhere, or there is none
	// Literals are in the order of the template, at least one.
	Literals []Written
}

// Written is a value that is written into a template.
type Written struct {
	Line  int    // 1-based, of the key
	Field string // data or stringData
	Key   string // "" if the value is not below a key
}

// IsTemplate reports whether a text has actions.
func IsTemplate(text string) bool {
	for _, d := range [][2]string{{"{{", "}}"}, {"{%", "%}"}, {"<%", "%>"}} {
		if i := strings.Index(text, d[0]); i >= 0 && strings.Contains(text[i:], d[1]) {
			return true
		}
	}
	return false
}

// Secrets returns the Secrets of a template of which values are written there,
// in order. The error is ErrTooLarge.
func Secrets(text string) ([]Secret, error) {
	if len(text) > MaxBytes {
		return nil, ErrTooLarge
	}
	m := replace(text)
	m.blankLines()
	var all []Secret
	for _, part := range m.documents() {
		if !strings.Contains(part.text(), "Secret") && !m.mayHide(part) {
			continue
		}
		found, ok := part.parsed()
		if !ok {
			found = part.scanned()
		}
		all = append(all, found...)
	}
	return all, nil
}

// document are the lines from first to before end.
type document struct {
	*marked
	first, end int
}

// documents cuts a template at its document markers.
func (m *marked) documents() []document {
	var all []document
	first := 0
	for i, line := range m.lines {
		if line == "---" || strings.HasPrefix(line, "--- ") || strings.HasPrefix(line, "---"+markBegin) {
			all = append(all, document{m, first, i})
			first = i + 1
		}
	}
	return append(all, document{m, first, len(m.lines)})
}

func (d document) text() string { return strings.Join(d.lines[d.first:d.end], "\n") }

// line is where line n of the document, 1-based, stands in the template.
func (d document) line(n int) int {
	if i := d.first + n - 1; i >= 0 && i < len(d.at) {
		return d.at[i]
	}
	return 0
}

// mayHide reports whether a mark in the document brings the word Secret.
func (m *marked) mayHide(d document) bool {
	_, marks := m.split(d.text())
	for _, k := range marks {
		if strings.Contains(k.text, "Secret") {
			return true
		}
	}
	return false
}

// blankLines empties the lines that only hold actions, which print nothing or
// whole lines. What is in a block of text stays, but for conditions and loops.
func (m *marked) blankLines() {
	block := -1 // how far the line is set in that a block of text is below
	for i, line := range m.lines {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		bare := strings.TrimSpace(line)
		if bare == "" {
			continue
		}
		texts, marks := m.split(bare)
		onlyMarks := len(marks) > 0 && strings.TrimSpace(strings.Join(texts, "")) == ""
		prints := false
		for _, k := range marks {
			prints = prints || !k.control
		}
		if onlyMarks && !prints {
			m.lines[i] = ""
			continue
		}
		if block >= 0 && indent > block {
			continue
		}
		block = -1
		switch {
		case onlyMarks:
			m.lines[i] = ""
		case opensBlock(bare):
			block = indent
		}
	}
}

// opensBlock reports whether the value behind a line is a block of text.
func opensBlock(line string) bool {
	if i := strings.Index(line, " #"); i >= 0 {
		line = strings.TrimSpace(line[:i])
	}
	line = strings.TrimRight(line, "+-0123456789")
	before, ok := strings.CutSuffix(line, "|")
	if !ok {
		before, ok = strings.CutSuffix(line, ">")
	}
	before = strings.TrimSpace(before)
	return ok && (strings.HasSuffix(before, ":") || before == "-")
}

// parsed reads the document as YAML; ok is false if it is none.
func (d document) parsed() (all []Secret, ok bool) {
	var root yaml.Node
	if yaml.Unmarshal([]byte(d.text()), &root) != nil {
		return nil, false
	}
	if root.Kind == yaml.DocumentNode {
		d.walk(root.Content[0], 0, &all)
	}
	return all, true
}

// maxDepth bounds how deep objects are looked for.
const maxDepth = 100

// walk finds the Secrets in a tree.
func (d document) walk(n *yaml.Node, depth int, all *[]Secret) {
	if depth > maxDepth || n.Kind == yaml.AliasNode {
		return
	}
	if n.Kind == yaml.MappingNode && d.plain(get(n, "kind")) == "Secret" {
		if s := d.secret(n); len(s.Literals) > 0 {
			*all = append(*all, s)
		}
		return
	}
	for _, child := range n.Content {
		d.walk(child, depth+1, all)
	}
}

func (d document) secret(n *yaml.Node) Secret {
	s := Secret{Line: d.line(n.Line)}
	if metadata := get(n, "metadata"); metadata != nil && metadata.Kind == yaml.MappingNode {
		s.Name = d.plain(get(metadata, "name"))
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case !isField(key.Value):
		case value.Kind == yaml.MappingNode:
			for j := 0; j+1 < len(value.Content); j += 2 {
				if name := value.Content[j]; d.holds(value.Content[j+1], 0) {
					s.Literals = append(s.Literals, Written{d.line(name.Line), key.Value, d.plain(name)})
				}
			}
		case d.holds(value, 0):
			s.Literals = append(s.Literals, Written{Line: d.line(key.Line), Field: key.Value})
		}
	}
	return s
}

func isField(key string) bool {
	return strings.EqualFold(key, "data") || strings.EqualFold(key, "stringData")
}

// holds reports whether a value or one below it is written into the template.
func (d document) holds(n *yaml.Node, depth int) bool {
	if n.Kind == yaml.ScalarNode {
		return n.Tag != "!!null" && d.literal(n.Value)
	}
	if n.Kind == yaml.AliasNode || depth > maxDepth {
		return false
	}
	for _, child := range n.Content {
		if d.holds(child, depth+1) {
			return true
		}
	}
	return false
}

// plain is the text of a node with what marks bring, "" if something in it comes
// from elsewhere.
func (d document) plain(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	texts, marks := d.split(n.Value)
	text := texts[0]
	for i, k := range marks {
		if k.reference {
			return ""
		}
		text += k.text + texts[i+1]
	}
	return text
}

// get returns the first value of a key: conditions can make several.
func get(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
