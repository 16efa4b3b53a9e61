// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// value is one value of a target that was opened.
type value struct {
	key    string
	data   []byte
	binary bool // stands in data, not in stringData
}

// values returns all values, sorted by their keys, as they are by now. Of a SOPS
// file, numbers and the like are the text of them. The error is a
// *manifest.SyntaxError for what is not base64 in the data of a SOPS document.
func (t *target) values() ([]value, error) {
	data, text := t.change.Content.Data, t.change.Content.StringData
	if t.isSOPS() {
		data, text = t.scalars("data"), t.scalars("stringData")
	}
	var all []value
	for _, key := range slices.Sorted(maps.Keys(data)) {
		if _, both := text[key]; both {
			continue // which an API server overwrites
		}
		b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(data[key]), ""))
		if err != nil {
			return nil, &manifest.SyntaxError{Path: manifest.ChildPath("data", key), Reason: "is not base64"}
		}
		all = append(all, value{key, b, true})
	}
	for key, v := range text {
		all = append(all, value{key, []byte(v), false})
	}
	slices.SortFunc(all, func(a, b value) int { return strings.Compare(a.key, b.key) })
	return all, nil
}

// get returns one value.
func (t *target) get(key string) (v value, ok bool, err error) {
	all, err := t.values()
	i := slices.IndexFunc(all, func(v value) bool { return v.key == key })
	if err != nil || i < 0 {
		return value{}, false, err
	}
	return all[i], true, nil
}

// keys returns the names of all values, sorted.
func (t *target) keys() []string {
	data, text := t.change.Content.Data, t.change.Content.StringData
	if t.isSOPS() {
		data, text = t.scalars("data"), t.scalars("stringData")
	}
	all := slices.Collect(maps.Keys(data))
	all = slices.AppendSeq(all, maps.Keys(text))
	slices.Sort(all)
	return slices.Compact(all)
}

// isText reports whether a value can stand in stringData.
func isText(data []byte) bool { return utf8.Valid(data) && !slices.Contains(data, 0) }

// set changes or adds a value. It stays in data or stringData, wherever it is,
// unless it is no text any more or binary asks for data; a new one that is text
// goes into stringData. The same bytes are no change, whatever the form, unless
// binary asks for another. The error is a *manifest.SyntaxError for a key that no
// Secret can have.
func (t *target) set(key string, data []byte, binary bool) error {
	if !sopsdoc.ValidDataKey(key) {
		return &manifest.SyntaxError{Path: manifest.ChildPath("stringData", key), Reason: "is not a valid key: letters, digits, - _ and . only"}
	}
	old, ok, err := t.get(key)
	if err != nil {
		return err
	}
	binary = binary || !isText(data) || ok && old.binary
	if ok && old.binary == binary && string(old.data) == string(data) {
		return nil
	}
	t.unset(key)
	field, text := "stringData", string(data)
	if binary {
		field, text = "data", base64.StdEncoding.EncodeToString(data)
	}
	t.put(field, key, text)
	return nil
}

func (t *target) put(field, key, text string) {
	if t.isSOPS() {
		root := t.root()
		if m := manifest.Get(root, field); m == nil || m.Kind != yaml.MappingNode {
			manifest.Set(root, field, manifest.Mapping())
		}
		manifest.Set(manifest.Get(root, field), key, manifest.String(text))
		return
	}
	m := &t.change.Content.StringData
	if field == "data" {
		m = &t.change.Content.Data
	}
	if *m == nil {
		*m = map[string]string{}
	}
	(*m)[key] = text
}

// unset removes a value and reports whether there was one.
func (t *target) unset(key string) bool {
	if !slices.Contains(t.keys(), key) {
		return false
	}
	if !t.isSOPS() {
		delete(t.change.Content.Data, key)
		delete(t.change.Content.StringData, key)
		return true
	}
	for _, field := range []string{"data", "stringData"} {
		if m := manifest.Get(t.root(), field); m != nil {
			manifest.Delete(m, key)
		}
	}
	return true
}

// root returns the decrypted document of a SOPS file.
func (t *target) root() *yaml.Node { return manifest.Root(t.docs[t.at]) }

// scalars returns the scalars of a field of the decrypted document.
func (t *target) scalars(field string) map[string]string {
	m := manifest.Get(t.root(), field)
	all := map[string]string{}
	for _, key := range manifest.Keys(m) {
		if v := manifest.Get(m, key); v.Kind == yaml.ScalarNode && !manifest.IsNull(v) {
			all[key] = v.Value
		}
	}
	return all
}
