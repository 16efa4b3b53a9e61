// SPDX-License-Identifier: Apache-2.0

package sopsfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// readJSON reads one JSON object. Integers that fit become int, other numbers
// float64 (sops: stores/json/store.go, normalizeJSONNumber).
func readJSON(content []byte) ([]sopsdoc.Branch, error) {
	r := &jsonReader{d: json.NewDecoder(bytes.NewReader(content)), data: content}
	r.d.UseNumber()
	t, err := r.token()
	if err != nil {
		return nil, err
	}
	if t != json.Delim('{') {
		return nil, r.invalid("must be a JSON object")
	}
	b, err := r.object(1)
	if err != nil {
		return nil, err
	}
	if _, err := r.d.Token(); err != io.EOF {
		return nil, r.invalid("something stands behind the JSON object")
	}
	return []sopsdoc.Branch{b}, nil
}

type jsonReader struct {
	d     *json.Decoder
	data  []byte // what d reads
	nodes int
}

func (r *jsonReader) invalid(reason string) error { return r.at(int(r.d.InputOffset()), reason) }

func (r *jsonReader) at(offset int, reason string) error {
	offset = min(max(offset, 0), len(r.data))
	return invalid("", "line %d: %s", 1+bytes.Count(r.data[:offset], []byte("\n")), reason)
}

func (r *jsonReader) token() (json.Token, error) {
	if r.nodes++; r.nodes > 3*maxNodes { // keys and brackets are tokens too
		return nil, invalid("", "the file has more than %d nodes", maxNodes)
	}
	t, err := r.d.Token()
	if err == nil {
		return t, nil
	}
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) { // its text quotes a character
		return nil, r.at(int(syntax.Offset), "not valid JSON")
	}
	return nil, r.at(len(r.data), "not valid JSON: the text is cut short")
}

func (r *jsonReader) object(depth int) (sopsdoc.Branch, error) {
	b := sopsdoc.Branch{}
	for r.d.More() {
		t, err := r.token()
		if err != nil {
			return nil, err
		}
		key, ok := t.(string)
		if !ok {
			return nil, r.invalid("not valid JSON")
		}
		v, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		b = append(b, sopsdoc.Item{Key: key, Value: v})
	}
	_, err := r.token()
	return b, err
}

func (r *jsonReader) array(depth int) ([]any, error) {
	items := []any{}
	for r.d.More() {
		v, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	_, err := r.token()
	return items, err
}

func (r *jsonReader) value(depth int) (any, error) {
	if depth > manifest.MaxDepth {
		return nil, r.invalid("nested too deeply")
	}
	t, err := r.token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return r.object(depth + 1)
		}
		return r.array(depth + 1)
	case json.Number:
		if n, err := t.Int64(); err == nil {
			return int(n), nil
		}
		f, err := t.Float64()
		if err != nil {
			return nil, r.invalid("a number that SOPS cannot hold")
		}
		return f, nil
	default:
		return t, nil
	}
}

// writeJSON writes the object with tabs and a line break at the end (sops:
// stores/json/store.go, reindentJSON and EmitPlainFile).
func writeJSON(branches []sopsdoc.Branch) ([]byte, error) {
	compact, err := appendJSON(nil, branches[0])
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, compact, "", "\t"); err != nil {
		return nil, errNoJSON()
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func errNoJSON() error { return invalid("", "cannot be written as JSON") }

func appendJSON(out []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case sopsdoc.Branch:
		return appendJSONObject(out, v)
	case []any:
		return appendJSONArray(out, v)
	}
	text, err := json.Marshal(v)
	if err != nil { // its text may quote the value
		return nil, errNoJSON()
	}
	return append(out, text...), nil
}

func appendJSONObject(out []byte, b sopsdoc.Branch) ([]byte, error) {
	out = append(out, '{')
	for i, item := range b {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = appendJSON(out, item.Key); err != nil {
			return nil, err
		}
		out = append(out, ':')
		if out, err = appendJSON(out, item.Value); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

// appendJSONArray leaves comments out: those of YAML that was encrypted into
// JSON are items.
func appendJSONArray(out []byte, items []any) ([]byte, error) {
	out = append(out, '[')
	first := true
	for _, item := range items {
		if _, ok := item.(sopsdoc.Comment); ok {
			continue
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		var err error
		if out, err = appendJSON(out, item); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

// writeBinary returns the text under the key "data". What stands beside it is
// not printed (sops: stores/json/store.go, BinaryStore.EmitPlainFile).
func writeBinary(branches []sopsdoc.Branch) ([]byte, error) {
	for _, item := range branches[0] {
		if item.Key != "data" {
			continue
		}
		text, ok := item.Value.(string)
		if !ok {
			return nil, invalid("data", "must be a string")
		}
		return []byte(text), nil
	}
	return nil, invalid("data", "is missing: this is no encrypted binary file")
}
