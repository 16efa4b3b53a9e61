// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// errNotJSON says that a document that begins like JSON is not, so that it may
// still be YAML in flow style.
var errNotJSON = errors.New("not valid JSON")

func looksLikeJSON(data []byte) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	return len(data) > 0 && (data[0] == '{' || data[0] == '[')
}

// parseJSON reads one JSON document. The YAML parser cannot: it refuses
// surrogate pairs ("\ud83d\ude00"), which JSON needs for other planes.
func parseJSON(data []byte) (*yaml.Node, error) {
	d := &jsonReader{d: json.NewDecoder(bytes.NewReader(data)), data: data, line: 1}
	d.d.UseNumber()
	root, err := d.value(nil, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.d.Token(); err != io.EOF {
		return nil, errNotJSON
	}
	if at := halfPair(data); at >= 0 {
		return nil, &SyntaxError{Line: 1 + bytes.Count(data[:at], []byte("\n")), Reason: "half of a surrogate pair in a JSON string"}
	}
	return &yaml.Node{Kind: yaml.DocumentNode, Line: root.Line, Content: []*yaml.Node{root}}, nil
}

type jsonReader struct {
	d    *json.Decoder
	data []byte // what d reads
	at   int    // end of the last token
	line int    // of the last token
}

func (d *jsonReader) token() (json.Token, error) {
	t, err := d.d.Token()
	end := int(d.d.InputOffset())
	d.line += bytes.Count(d.data[d.at:end], []byte("\n"))
	d.at = end
	if err != nil {
		return nil, errNotJSON
	}
	return t, nil
}

func (d *jsonReader) value(path []string, depth int) (*yaml.Node, error) {
	if depth > MaxDepth {
		return nil, &SyntaxError{Line: d.line, Path: JoinPath(path[:5]), Reason: fmt.Sprintf("nested deeper than %d levels", MaxDepth)}
	}
	t, err := d.token()
	if err != nil {
		return nil, err
	}
	line := d.line
	n, err := d.node(t, path, depth)
	if err != nil {
		return nil, err
	}
	n.Line = line
	return n, nil
}

func (d *jsonReader) node(t json.Token, path []string, depth int) (*yaml.Node, error) {
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return d.object(path, depth+1)
		}
		return d.array(path, depth+1)
	case string:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: t, Style: yaml.DoubleQuotedStyle}, nil
	case json.Number:
		return jsonNumber(t), nil
	case bool:
		if t {
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"}, nil
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "false"}, nil
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
	}
}

func jsonNumber(t json.Number) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: t.String()}
	if n.Tag = n.ShortTag(); n.Tag != "!!int" {
		n.Tag = "!!float" // also what YAML has no number for: 1e400
	}
	return n
}

func (d *jsonReader) object(path []string, depth int) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	seen := map[string]struct{}{}
	for d.d.More() {
		t, err := d.token()
		key, ok := t.(string)
		if err != nil || !ok {
			return nil, errNotJSON
		}
		if _, dup := seen[key]; dup {
			return nil, &SyntaxError{Line: d.line, Path: JoinPath(path), Reason: "duplicate key " + quoteKey(key)}
		}
		seen[key] = struct{}{}
		name := String(key)
		name.Line = d.line
		v, err := d.value(append(path, key), depth)
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, name, v)
	}
	return n, d.end()
}

func (d *jsonReader) array(path []string, depth int) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for d.d.More() {
		v, err := d.value(append(path, "[]"), depth)
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, v)
	}
	return n, d.end()
}

func (d *jsonReader) end() error {
	_, err := d.token()
	return err
}

// halfPair returns where valid JSON has an escape that is half of a surrogate
// pair, for which encoding/json silently puts U+FFFD, or -1.
func halfPair(data []byte) int {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' { // stands in strings only
			continue
		}
		r, ok := unicodeEscape(data[i:])
		switch {
		case !ok:
			i++
		case !utf16.IsSurrogate(r):
			i += 5
		default:
			low, ok := unicodeEscape(data[i+6:])
			if !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
				return i
			}
			i += 11
		}
	}
	return -1
}

// unicodeEscape reads the \u1234 that data begins with.
func unicodeEscape(data []byte) (rune, bool) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	return rune(n), err == nil
}
