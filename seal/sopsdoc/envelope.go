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

// MaxControllerNodes bounds the keys, values and lists (manifest.JSONNodes) in the
// spec of a document that signet-controller opens: to parse each takes much more
// memory than its text. A Secret of 1,000 keys has some 2,100.
const MaxControllerNodes = 10_000

// Envelope is a parsed `spec.sealed`: well formed, not yet authenticated. It
// is not changed after it was parsed or made.
type Envelope struct {
	Clear
	Metadata *Metadata
	sealed   sealed
}

// DataKeys returns the names of the binary values, sorted.
func (e *Envelope) DataKeys() []string { return sortedKeys(e.sealed.data) }

// StringDataKeys returns the names of the text values, sorted.
func (e *Envelope) StringDataKeys() []string { return sortedKeys(e.sealed.stringData) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

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
	if err := e.Clear.check(); err != nil {
		return nil, err
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
	case "merge":
		e.Merge, err = readMark(name, v)
	case "scope":
		err = e.readScope(v)
	case "type":
		if err = readString(&e.Type, name, v); err == nil && e.Type == "" {
			err = invalid(name, "is empty")
		}
	case "signet":
		e.sealed, err = readSealed(v)
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

// readMark reads a boolean that is written only if it is true.
func readMark(path string, v *yaml.Node) (bool, error) {
	set, err := readBool(path, v)
	if err != nil || !set {
		return false, invalid(path, "must be true, or be left out")
	}
	return true, nil
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
	n := manifest.Mapping(
		scalar("annotations"), manifest.StringMap(e.Annotations),
		scalar("immutable"), manifest.Bool(e.Immutable),
		scalar("labels"), manifest.StringMap(e.Labels),
	)
	if e.Merge {
		n.Content = append(n.Content, scalar("merge"), manifest.Bool(true))
	}
	n.Content = append(n.Content,
		scalar("scope"), manifest.String(e.Scope.String()),
		scalar("signet"), e.sealed.node(),
		scalar("sops"), e.Metadata.node(),
		scalar("type"), manifest.String(e.Type),
	)
	return n
}
