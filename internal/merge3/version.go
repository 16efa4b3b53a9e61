// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"maps"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// Version is one version of a SealedSecret that was opened.
type Version struct {
	Clear   sopsdoc.Clear
	Content sopsdoc.Content
	// Around is the object without its envelope, as NewVersion makes it. It may
	// be nil in all versions, and then nothing around the envelope is merged.
	Around *yaml.Node
	// Foreign says that who sealed this version need not have been able to open
	// the one that both sides began with (sopsdoc.Envelope.Succeeds): anybody can
	// seal a document of that name. Nothing of it is taken over without asking.
	Foreign bool
}

// NewVersion returns the version of a document that opened to clear and
// content. object is the SealedSecret, or the document node that holds it.
// Around keeps the place of the envelope, with null for it.
func NewVersion(object *yaml.Node, clear sopsdoc.Clear, content sopsdoc.Content) Version {
	around := clone(object)
	if spec := manifest.Get(manifest.Root(around), "spec"); manifest.Get(spec, "sealed") != nil {
		manifest.Set(spec, "sealed", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"})
	}
	return Version{Clear: clear, Content: content, Around: around}
}

// Object returns Around with an envelope in it, in a copy.
func (v Version) Object(envelope *yaml.Node) *yaml.Node {
	object := clone(v.Around)
	if spec := manifest.Get(manifest.Root(object), "spec"); spec != nil {
		manifest.Set(spec, "sealed", envelope)
	}
	return object
}

// SameSealed reports whether two versions are alike under seal.
func (v Version) SameSealed(o Version) bool {
	x, y := v.Clear, o.Clear
	return v.Content.Equal(o.Content) && maps.Equal(x.Labels, y.Labels) && maps.Equal(x.Annotations, y.Annotations) &&
		x.Type == y.Type && x.Immutable == y.Immutable && x.Merge == y.Merge && x.Scope == y.Scope
}

// Value is the value of one key of a Secret.
type Value struct {
	Text   string // as in Content: base64 if it is binary
	Binary bool   // stands in data
}

// Value returns the value of a key, and whether there is one.
func (v Version) Value(key string) (Value, bool) {
	if text, ok := v.Content.StringData[key]; ok {
		return Value{Text: text}, true
	}
	text, ok := v.Content.Data[key]
	return Value{Text: text, Binary: true}, ok
}

// Take settles the conflict in v, which Secrets has made, the way from has it,
// one of the versions that were merged. It changes v.
func (c Conflict) Take(v *Version, from Version) {
	if !c.Sealed {
		v.Around = c.TakeNode(v.Around, from.Around)
		return
	}
	switch c.At[0] {
	case "data", "stringData":
		takeValue(&v.Content, from, c.Key)
	case "labels":
		takeString(&v.Clear.Labels, from.Clear.Labels, c.At[1])
		follow(v.Around, from.Around, "metadata", "labels", c.At[1])
	case "annotations":
		takeString(&v.Clear.Annotations, from.Clear.Annotations, c.At[1])
	case "type":
		v.Clear.Type = from.Clear.Type
	case "immutable":
		v.Clear.Immutable = from.Clear.Immutable
	case "merge":
		v.Clear.Merge = from.Clear.Merge
		follow(v.Around, from.Around, "spec", "creationPolicy")
	case "scope":
		v.Clear.Scope = from.Clear.Scope
	}
}

func takeValue(c *sopsdoc.Content, from Version, key string) {
	delete(c.Data, key)
	delete(c.StringData, key)
	if value, ok := from.Value(key); ok {
		setValue(c, key, value)
	}
}

func setValue(c *sopsdoc.Content, key string, value Value) {
	m := &c.StringData
	if value.Binary {
		m = &c.Data
	}
	if *m == nil {
		*m = map[string]string{}
	}
	(*m)[key] = value.Text
}

func takeString(m *map[string]string, from map[string]string, key string) {
	value, ok := from[key]
	switch {
	case !ok:
		delete(*m, key)
		return
	case *m == nil:
		*m = map[string]string{}
	}
	(*m)[key] = value
}

// follow brings what stands at the given keys of one object into another.
func follow(n, from *yaml.Node, at ...string) {
	put(rootOf(n), rootOf(from), at)
}
