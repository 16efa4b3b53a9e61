// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// envelopeSelector is the one selector of envelopes: all ciphertext stands
// under the root key "signet".
const envelopeSelector = "^signet$"

// MaxEnvelopeBytes bounds the text of all keys and scalars of an envelope
// together.
const MaxEnvelopeBytes = 3 << 20

// Envelope is a parsed `spec.sealed`: well formed, not yet authenticated. It
// is not changed after it was parsed or made.
type Envelope struct {
	Clear
	Metadata *Metadata

	binding    Value
	data       map[string]sealedValue
	stringData map[string]sealedValue
}

// sealedValue is one value under seal, or the empty string, which SOPS never
// encrypts.
type sealedValue struct {
	Value
	empty bool
}

// DataKeys returns the names of the binary values, sorted.
func (e *Envelope) DataKeys() []string { return slices.Sorted(maps.Keys(e.data)) }

// StringDataKeys returns the names of the text values, sorted.
func (e *Envelope) StringDataKeys() []string { return slices.Sorted(maps.Keys(e.stringData)) }

var dataKeyName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[-._a-zA-Z0-9]{1,253}$`)
})

// ValidDataKey reports whether s can be a key of a Secret's data
// (apimachinery: util/validation, IsConfigMapKey).
func ValidDataKey(s string) bool {
	return dataKeyName().MatchString(s) && s != "." && !strings.HasPrefix(s, "..")
}

// ParseEnvelope reads the mapping of an envelope. Whatever FORMAT.md 2.1 to 2.3
// does not allow is an *InvalidError. Keys may stand in any order.
func ParseEnvelope(n *yaml.Node) (*Envelope, error) {
	if err := checkShape(n); err != nil {
		return nil, err
	}
	e := &Envelope{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if err := e.field(n.Content[i].Value, n.Content[i+1]); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"immutable", "scope", "signet", "sops", "type"} {
		if manifest.Get(n, name) == nil {
			return nil, invalid(name, "is missing")
		}
	}
	for name := range e.data {
		if _, both := e.stringData[name]; both {
			return nil, invalid(manifest.ChildPath("signet.stringData", name), "stands in data too")
		}
	}
	return e, nil
}

// checkShape refuses what the tree as a whole may not be. It runs on trees of
// any origin, hence the checks that manifest.Parse has made already.
func checkShape(n *yaml.Node) error {
	if n == nil || n.Kind != yaml.MappingNode {
		return invalid("", "the envelope must be a mapping")
	}
	if err := manifest.Check(n); err != nil {
		return &InvalidError{Reason: err.Error()}
	}
	if size := textBytes(n); size > MaxEnvelopeBytes {
		return invalid("", "the envelope has %d bytes, the limit is %d", size, MaxEnvelopeBytes)
	}
	return nil
}

func textBytes(n *yaml.Node) int {
	size := len(n.Value)
	for _, c := range n.Content {
		size += textBytes(c)
	}
	return size
}

func (e *Envelope) field(name string, v *yaml.Node) error {
	var err error
	switch name {
	case "annotations":
		e.Annotations, err = readStringMap(name, v)
	case "labels":
		e.Labels, err = readStringMap(name, v)
	case "immutable":
		e.Immutable, err = readBool(name, v)
	case "scope":
		err = e.readScope(v)
	case "type":
		if err = readString(&e.Type, name, v); err == nil && e.Type == "" {
			err = invalid(name, "is empty")
		}
	case "signet":
		err = e.readSealed(v)
	case "sops":
		e.Metadata, err = metadataReader{strict: true}.read(v)
	default:
		err = invalid(manifest.ChildPath("", name), "unknown field")
	}
	return err
}

func (e *Envelope) readScope(v *yaml.Node) error {
	var text string
	if err := readString(&text, "scope", v); err != nil {
		return err
	}
	scope, err := ParseScope(text)
	if err != nil {
		return invalid("scope", "%v", err)
	}
	e.Scope = scope
	return nil
}

func (e *Envelope) readSealed(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return invalid("signet", "must be a mapping")
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, v := n.Content[i].Value, n.Content[i+1]
		var err error
		switch name {
		case "binding":
			var b sealedValue
			if b, err = readSealedValue("signet.binding", v); err == nil && b.empty {
				err = invalid("signet.binding", "is empty")
			}
			e.binding = b.Value
		case "data":
			e.data, err = readSealedMap("signet.data", v)
		case "stringData":
			e.stringData, err = readSealedMap("signet.stringData", v)
		default:
			err = invalid(manifest.ChildPath("signet", name), "unknown field")
		}
		if err != nil {
			return err
		}
	}
	if e.binding.Data == nil {
		return invalid("signet.binding", "is missing")
	}
	return nil
}

func readSealedMap(path string, n *yaml.Node) (map[string]sealedValue, error) {
	if n.Kind != yaml.MappingNode {
		return nil, invalid(path, "must be a mapping")
	}
	m := make(map[string]sealedValue, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		at := manifest.ChildPath(path, name)
		if !ValidDataKey(name) {
			return nil, invalid(at, "is not a valid key of a Secret")
		}
		v, err := readSealedValue(at, n.Content[i+1])
		if err != nil {
			return nil, err
		}
		m[name] = v
	}
	return m, nil
}

func readSealedValue(path string, v *yaml.Node) (sealedValue, error) {
	var text string
	if err := readString(&text, path, v); err != nil {
		return sealedValue{}, err
	}
	if text == "" {
		return sealedValue{empty: true}, nil
	}
	value, err := ParseValue(text)
	if err != nil {
		return sealedValue{}, invalid(path, "%v", err)
	}
	if value.Type != TypeString {
		return sealedValue{}, invalid(path, "must have type:str")
	}
	return sealedValue{Value: value}, nil
}

func readStringMap(path string, n *yaml.Node) (map[string]string, error) {
	if n.Kind != yaml.MappingNode {
		return nil, invalid(path, "must be a mapping of strings")
	}
	m := make(map[string]string, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		var text string
		if err := readString(&text, manifest.ChildPath(path, n.Content[i].Value), n.Content[i+1]); err != nil {
			return nil, err
		}
		m[n.Content[i].Value] = text
	}
	return m, nil
}

func readBool(path string, v *yaml.Node) (bool, error) {
	if v.Kind != yaml.ScalarNode || v.ShortTag() != "!!bool" || v.Value != "true" && v.Value != "false" {
		return false, invalid(path, "must be true or false")
	}
	return v.Value == "true", nil
}

// Sorted reports whether the mapping n and all below it are in bytewise key
// order, as written by Node. Stock SOPS can verify only such an envelope.
func Sorted(n *yaml.Node) bool {
	for i := 2; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
		if n.Content[i-2].Value >= n.Content[i].Value {
			return false
		}
	}
	return !slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return !Sorted(c) })
}

// Node writes the envelope in key order.
func (e *Envelope) Node() *yaml.Node {
	sealed := manifest.Mapping(scalar("binding"), scalar(e.binding.String()))
	if len(e.data) > 0 {
		manifest.Set(sealed, "data", sealedNode(e.data))
	}
	if len(e.stringData) > 0 {
		manifest.Set(sealed, "stringData", sealedNode(e.stringData))
	}
	return manifest.Mapping(
		scalar("annotations"), manifest.StringMap(e.Annotations),
		scalar("immutable"), manifest.Bool(e.Immutable),
		scalar("labels"), manifest.StringMap(e.Labels),
		scalar("scope"), manifest.String(e.Scope.String()),
		scalar("signet"), sealed,
		scalar("sops"), e.Metadata.node(),
		scalar("type"), manifest.String(e.Type),
	)
}

func sealedNode(m map[string]sealedValue) *yaml.Node {
	n := manifest.Mapping()
	for _, name := range slices.Sorted(maps.Keys(m)) {
		v := manifest.String("")
		if !m[name].empty {
			v = scalar(m[name].String())
		}
		n.Content = append(n.Content, manifest.String(name), v)
	}
	return n
}
