// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// Trees merges two versions of a tree over the one that both began with, nil if
// each was made on its own. The trees are ones that manifest.Check accepts, or
// nil for one that is absent. Mappings are merged key by key, lists and scalars
// as a whole, by the rule of Secrets. The order of keys is no change, and
// neither are style and comments.
//
// In a Secret a key is one item, whether it stands in data or in stringData.
//
// Of order, style and comments the result has those of the side that changed
// them, and those of ours where both did. Conflicts are sorted by path, and are
// the same with the sides swapped.
func Trees(base, ours, theirs *yaml.Node) (*yaml.Node, []Conflict) {
	return new(trees).merge(base, ours, theirs)
}

// trees merges trees.
type trees struct {
	secret bool // the root is a Secret
	// decided says which side an entry comes from, whatever base has: those of
	// a Secret that are in conflict, and copies of what is decided elsewhere.
	decided   map[string]side
	conflicts []Conflict
}

// side is one of the versions that are merged.
type side bool

const (
	fromOurs   side = true
	fromTheirs side = false
)

// decide makes the entry at the given keys, three at most, come from one side.
func (m *trees) decide(from side, at ...string) {
	if m.decided == nil {
		m.decided = map[string]side{}
	}
	m.decided[strings.Join(at, "\x00")] = from
}

func (m *trees) merge(base, ours, theirs *yaml.Node) (*yaml.Node, []Conflict) {
	b, o, t := rootOf(base), rootOf(ours), rootOf(theirs)
	if manifest.GetString(o, "kind") == "Secret" || manifest.GetString(t, "kind") == "Secret" {
		m.secret = true
		m.keys(b, o, t)
	}
	root := m.node(nil, b, o, t)
	sortConflicts(m.conflicts)
	if root == nil || !isDocument(ours) && !isDocument(theirs) {
		return root, m.conflicts
	}
	document := dress(&yaml.Node{Kind: yaml.DocumentNode}, documentOf(base), documentOf(ours), documentOf(theirs))
	document.Content = []*yaml.Node{root}
	return document, m.conflicts
}

func isDocument(n *yaml.Node) bool { return n != nil && n.Kind == yaml.DocumentNode }

// documentOf returns n if it is a document node, else nil.
func documentOf(n *yaml.Node) *yaml.Node {
	if isDocument(n) {
		return n
	}
	return nil
}

// rootOf is manifest.Root, with nil for a document without content.
func rootOf(n *yaml.Node) *yaml.Node {
	if isDocument(n) && len(n.Content) == 0 {
		return nil
	}
	return manifest.Root(n)
}

// clone is manifest.Clone, also for nil.
func clone(n *yaml.Node) *yaml.Node {
	if n == nil {
		return nil
	}
	return manifest.Clone(n)
}

func isMapping(n *yaml.Node) bool { return n != nil && n.Kind == yaml.MappingNode }

// node merges what stands at a path. It returns nil for what is to be absent.
func (m *trees) node(path []string, b, o, t *yaml.Node) *yaml.Node {
	if m.byKey(path, b, o, t) {
		return m.mapping(path, b, o, t)
	}
	switch {
	case same(o, t):
		return clone(newer(b, o, t))
	case same(b, o):
		return clone(t)
	case !same(b, t):
		m.conflicts = append(m.conflicts, newConflict(path, kindOf(b != nil, o != nil, t != nil), ""))
	}
	return clone(o)
}

// byKey reports whether what stands at a path is merged key by key. Where one
// side took out a mapping as a whole it is not, but for those that mean the
// same if they are empty.
func (m *trees) byKey(path []string, b, o, t *yaml.Node) bool {
	mapping := func(n *yaml.Node) bool { return isMapping(n) || n == nil }
	if m.mayBeEmpty(path) {
		return mapping(b) && mapping(o) && mapping(t) && (o != nil || t != nil)
	}
	return mapping(b) && isMapping(o) && isMapping(t)
}

func (m *trees) mayBeEmpty(path []string) bool {
	switch len(path) {
	case 1:
		return m.secret && isData(path[0])
	case 2:
		return path[0] == "metadata" && (path[1] == "labels" || path[1] == "annotations")
	}
	return false
}

func isData(field string) bool { return field == "data" || field == "stringData" }

func (m *trees) mapping(path []string, b, o, t *yaml.Node) *yaml.Node {
	base, ours, theirs := entriesOf(b), entriesOf(o), entriesOf(t)
	merged := dress(&yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}, b, o, t)
	for _, key := range mergeOrder(manifest.Keys(b), manifest.Keys(o), manifest.Keys(t)) {
		b, o, t := base[key], ours[key], theirs[key]
		if value := m.entry(append(path, key), b.value, o.value, t.value); value != nil {
			merged.Content = append(merged.Content, clone(newerShell(b.key, o.key, t.key)), value)
		}
	}
	if len(merged.Content) == 0 && !stays(b, o, t) {
		return nil
	}
	return merged
}

// entry merges what stands under a key.
func (m *trees) entry(at []string, b, o, t *yaml.Node) *yaml.Node {
	if len(m.decided) > 0 && len(at) <= 3 {
		switch from, ok := m.decided[strings.Join(at, "\x00")]; {
		case ok && from == fromOurs:
			return clone(o)
		case ok:
			return clone(t)
		}
	}
	return m.node(at, b, o, t)
}

// stays reports whether a mapping of which nothing is left stays as an empty
// one: not if that is only because one side took it out.
func stays(b, o, t *yaml.Node) bool {
	if o != nil && t != nil {
		return true
	}
	there, _ := pick(b != nil, o != nil, t != nil)
	return there && len(manifest.Keys(o)) == 0 && len(manifest.Keys(t)) == 0
}

// entry is one of a mapping.
type entry struct{ key, value *yaml.Node }

func entriesOf(n *yaml.Node) map[string]entry {
	if n == nil {
		return nil
	}
	entries := make(map[string]entry, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		entries[n.Content[i].Value] = entry{n.Content[i], n.Content[i+1]}
	}
	return entries
}

// keys finds the conflicts over keys of a Secret.
func (m *trees) keys(b, o, t *yaml.Node) {
	base, ours, theirs := secretKeys(b), secretKeys(o), secretKeys(t)
	union := map[string]struct{}{}
	for _, side := range []map[string][2]*yaml.Node{base, ours, theirs} {
		for key := range side {
			union[key] = struct{}{}
		}
	}
	equal := func(a, b [2]*yaml.Node) bool { return same(a[0], b[0]) && same(a[1], b[1]) }
	for _, key := range slices.Sorted(maps.Keys(union)) {
		b, o, t := base[key], ours[key], theirs[key]
		if equal(o, t) || equal(b, o) || equal(b, t) {
			continue
		}
		where := "data"
		if o[1] != nil || t[1] != nil {
			where = "stringData"
		}
		absent := [2]*yaml.Node{}
		m.decide(fromOurs, "data", key)
		m.decide(fromOurs, "stringData", key)
		m.conflicts = append(m.conflicts, newConflict([]string{where, key}, kindOf(b != absent, o != absent, t != absent), key))
	}
}

// secretKeys returns what stands under each key of a Secret in data and in
// stringData.
func secretKeys(n *yaml.Node) map[string][2]*yaml.Node {
	keys := map[string][2]*yaml.Node{}
	for i, field := range []string{"data", "stringData"} {
		m := manifest.Get(n, field)
		if !isMapping(m) {
			continue
		}
		for key, entry := range entriesOf(m) {
			both := keys[key]
			both[i] = entry.value
			keys[key] = both
		}
	}
	return keys
}
