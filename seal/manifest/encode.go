// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// EncodeYAML writes n as one YAML document, indented by two, without a
// document marker. The result is read back and compared before it is returned:
// a YAML writer that changes a value must not go unnoticed in a tool that
// replaces files. Where comments or block styles get in the way, they go.
func EncodeYAML(n *yaml.Node) ([]byte, error) {
	out, err := encodeYAML(n)
	if err == nil && readsBack(out, n) {
		return withoutBlankTail(out, n), nil
	}
	plain := withoutStyle(n)
	out, err = encodeYAML(plain)
	if err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	if !readsBack(out, plain) {
		return nil, errors.New("write YAML: the result does not read back as what was written")
	}
	return out, nil
}

// withoutBlankTail drops the blank line that the YAML writer puts after a
// folded scalar at the end. Every rewriting of a file would add one.
func withoutBlankTail(out []byte, n *yaml.Node) []byte {
	trimmed := bytes.TrimRight(out, "\n")
	if trimmed = out[:min(len(trimmed)+1, len(out))]; len(trimmed) < len(out) && readsBack(trimmed, n) {
		return trimmed
	}
	return out
}

func encodeYAML(n *yaml.Node) (out []byte, err error) {
	defer func() {
		if recover() != nil {
			out, err = nil, errors.New("the YAML writer refused the document")
		}
	}()
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	e.CompactSeqIndent()
	if err := e.Encode(n); err != nil {
		return nil, errors.New("the YAML writer refused the document") // its message may quote a value
	}
	if err := e.Close(); err != nil {
		return nil, errors.New("the YAML writer refused the document")
	}
	return b.Bytes(), nil
}

func readsBack(out []byte, want *yaml.Node) bool {
	got, err := Parse(out)
	return err == nil && Equal(got, want)
}

// Equal reports whether both nodes hold the same data: kinds, tags, values and
// order, whatever their style and comments.
func Equal(a, b *yaml.Node) bool {
	a, b = Root(a), Root(b)
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind || a.ShortTag() != b.ShortTag() || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !Equal(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

// withoutStyle copies n without comments, with every string in double quotes.
func withoutStyle(n *yaml.Node) *yaml.Node {
	out := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value}
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" {
		out.Style = yaml.DoubleQuotedStyle
	}
	for _, c := range n.Content {
		out.Content = append(out.Content, withoutStyle(c))
	}
	return out
}

// EncodeJSON writes n as JSON with the given indent and a final newline. An
// empty indent gives one line. Numbers keep their text. Comments are lost.
func EncodeJSON(n *yaml.Node, indent string) ([]byte, error) {
	compact, err := appendJSON(nil, Root(n))
	if err != nil {
		return nil, err
	}
	if indent == "" {
		return append(compact, '\n'), nil
	}
	var b bytes.Buffer
	if err := json.Indent(&b, compact, "", indent); err != nil {
		return nil, errors.New("write JSON: a value has no JSON form")
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func appendJSON(out []byte, n *yaml.Node) ([]byte, error) {
	switch {
	case IsNull(n):
		return append(out, "null"...), nil
	case n.Kind == yaml.MappingNode:
		return appendJSONObject(out, n)
	case n.Kind == yaml.SequenceNode:
		return appendJSONArray(out, n)
	case n.Kind == yaml.ScalarNode && (n.ShortTag() == "!!str" || n.ShortTag() == "!!timestamp"):
		return appendJSONString(out, n.Value)
	default:
		return appendJSONPlain(out, n)
	}
}

func appendJSONObject(out []byte, n *yaml.Node) ([]byte, error) {
	out = append(out, '{')
	for i := 0; i+1 < len(n.Content); i += 2 {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = appendJSONString(out, n.Content[i].Value); err != nil {
			return nil, err
		}
		out = append(out, ':')
		if out, err = appendJSON(out, n.Content[i+1]); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

func appendJSONArray(out []byte, n *yaml.Node) ([]byte, error) {
	out = append(out, '[')
	for i, c := range n.Content {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = appendJSON(out, c); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

func appendJSONString(out []byte, s string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil, errors.New("write JSON: a string has no JSON form")
	}
	return append(out, bytes.TrimRight(b.Bytes(), "\n")...), nil
}

// appendJSONPlain writes a number or boolean: its own text where that is JSON,
// else what YAML takes it for (0x10, .5, True).
func appendJSONPlain(out []byte, n *yaml.Node) ([]byte, error) {
	var v any
	plain := n.Kind == yaml.ScalarNode && slices.Contains([]string{"!!int", "!!float", "!!bool"}, n.ShortTag())
	switch {
	case plain && json.Valid([]byte(n.Value)) && !strings.ContainsAny(n.Value, "{[\"n"):
		return append(out, n.Value...), nil
	case !plain || n.Decode(&v) != nil:
		return nil, errors.New("write JSON: a value has no JSON form")
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, errors.New("write JSON: a value has no JSON form")
	}
	return append(out, text...), nil
}
