// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

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
	d := jsonReader{json.NewDecoder(bytes.NewReader(data))}
	d.UseNumber()
	root, err := d.value(nil, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errNotJSON
	}
	if hasLoneSurrogate(data, root) {
		return nil, &SyntaxError{Reason: "half of a surrogate pair in a JSON string"}
	}
	return &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{root}}, nil
}

type jsonReader struct {
	*json.Decoder
}

func (d jsonReader) value(path []string, depth int) (*yaml.Node, error) {
	if depth > MaxDepth {
		return nil, &SyntaxError{Path: JoinPath(path[:5]), Reason: "nested too deep"}
	}
	t, err := d.Token()
	if err != nil {
		return nil, errNotJSON
	}
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
	tag := "!!int"
	if strings.ContainsAny(t.String(), ".eE") {
		tag = "!!float"
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: t.String()}
}

func (d jsonReader) object(path []string, depth int) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	seen := map[string]struct{}{}
	for d.More() {
		t, err := d.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return nil, errNotJSON
		}
		if _, dup := seen[key]; dup {
			return nil, &SyntaxError{Path: JoinPath(path), Reason: "duplicate key " + quoteKey(key)}
		}
		seen[key] = struct{}{}
		v, err := d.value(append(path, key), depth)
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, String(key), v)
	}
	return n, d.end()
}

func (d jsonReader) array(path []string, depth int) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for d.More() {
		v, err := d.value(append(path, "[]"), depth)
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, v)
	}
	return n, d.end()
}

func (d jsonReader) end() error {
	if _, err := d.Token(); err != nil {
		return errNotJSON
	}
	return nil
}

// hasLoneSurrogate reports whether decoding lost something: encoding/json
// silently puts U+FFFD for half of a surrogate pair.
func hasLoneSurrogate(data []byte, n *yaml.Node) bool {
	if !bytes.Contains(data, []byte(`\ud`)) && !bytes.Contains(data, []byte(`\uD`)) {
		return false
	}
	if strings.ContainsRune(n.Value, '\uFFFD') {
		return true
	}
	for _, c := range n.Content {
		if hasLoneSurrogate(data, c) {
			return true
		}
	}
	return false
}
