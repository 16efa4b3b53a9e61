// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"cmp"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// Secrets merges two versions of a SealedSecret over the one that both began
// with, nil if each was made on its own. Items are each key of the Secret, in
// data or stringData, each label and annotation, type, immutable, merge and
// scope. Where the sides agree that is the item, where one is as in base it is
// as on the other side, else there is a conflict, with the item of ours. What
// stands around the envelope is merged by Trees.
//
// Two more things are conflicts because both sides cannot be had together:
// immutable with merge, and a change of the object's name with one of
// spec.secretName if they add up to a Secret of a third name. And some are conflicts
// wherever the sides differ: scope and merge, which say where the values may come out
// and which an old version could bring back, and, if one side is Foreign, all that
// is under seal. That is where both have changed something under seal; otherwise the
// result is one side as it is.
//
// Conflicts are sorted by path, those under seal first, and are the same with
// the sides swapped. Whether the result may be sealed is for the caller to check.
func Secrets(base *Version, ours, theirs Version) (Version, []Conflict) {
	m := &versions{base: base, ours: ours, theirs: theirs, added: base == nil}
	if m.added {
		m.base = &Version{}
	}
	m.mixed = !ours.SameSealed(theirs) && (m.added || !ours.SameSealed(*base) && !theirs.SameSealed(*base))
	var v Version
	v.Content = m.content()
	v.Clear.Labels = m.strings("labels", func(v *Version) map[string]string { return v.Clear.Labels })
	v.Clear.Annotations = m.strings("annotations", func(v *Version) map[string]string { return v.Clear.Annotations })
	v.Clear.Type = field(m, "type", func(v *Version) string { return v.Clear.Type })
	v.Clear.Immutable = field(m, "immutable", func(v *Version) bool { return v.Clear.Immutable })
	v.Clear.Merge = reach(m, "merge", func(v *Version) bool { return v.Clear.Merge })
	v.Clear.Scope = reach(m, "scope", func(v *Version) sopsdoc.Scope { return v.Clear.Scope })
	m.exclude(&v)
	m.around(&v)
	sortConflicts(m.conflicts)
	return v, m.conflicts
}

// versions are those that are merged.
type versions struct {
	base         *Version
	ours, theirs Version
	added        bool // there is no base
	mixed        bool // the result is that of neither side
	conflicts    []Conflict
}

func (m *versions) conflict(kind Kind, key string, at ...string) {
	c := newConflict(at, kind, key)
	c.Sealed = true
	m.conflicts = append(m.conflicts, c)
}

// item is a value that may be absent.
type item[T comparable] struct {
	value T
	ok    bool
}

// picked is an item of a merged version, and how the sides disagree about it.
type picked[T comparable] struct {
	item[T]
	kind Kind // "" if they don't
}

// pickSealed applies the rule for one item under seal.
func pickSealed[T comparable](m *versions, base, ours, theirs item[T]) picked[T] {
	merged, ok := pick(base, ours, theirs)
	switch {
	case !ok:
		return picked[T]{merged, kindOf(base.ok, ours.ok, theirs.ok)}
	case ours != theirs && m.mixed && (m.ours.Foreign || m.theirs.Foreign):
		return picked[T]{ours, ForeignChange}
	}
	return picked[T]{item: merged}
}

// pick applies the rule for one item.
func pick[T comparable](base, ours, theirs T) (result T, ok bool) {
	switch {
	case ours == theirs, theirs == base:
		return ours, true
	case ours == base:
		return theirs, true
	}
	return ours, false
}

func (m *versions) content() sopsdoc.Content {
	var c sopsdoc.Content
	get := func(v *Version, key string) item[Value] {
		value, ok := v.Value(key)
		if !ok {
			value = Value{}
		}
		return item[Value]{value, ok}
	}
	for _, key := range unionKeys(m.base.Content.Data, m.base.Content.StringData, m.ours.Content.Data, m.ours.Content.StringData,
		m.theirs.Content.Data, m.theirs.Content.StringData) {
		base, ours, theirs := get(m.base, key), get(&m.ours, key), get(&m.theirs, key)
		merged := pickSealed(m, base, ours, theirs)
		if merged.kind != "" {
			where := "data"
			if ours.ok && !ours.value.Binary || theirs.ok && !theirs.value.Binary {
				where = "stringData"
			}
			m.conflict(merged.kind, key, where, key)
		}
		if merged.ok {
			setValue(&c, key, merged.value)
		}
	}
	return c
}

func (m *versions) strings(name string, of func(*Version) map[string]string) map[string]string {
	var result map[string]string
	get := func(v *Version, key string) item[string] {
		value, ok := of(v)[key]
		return item[string]{value, ok}
	}
	for _, key := range unionKeys(of(m.base), of(&m.ours), of(&m.theirs)) {
		base, ours, theirs := get(m.base, key), get(&m.ours, key), get(&m.theirs, key)
		merged := pickSealed(m, base, ours, theirs)
		if merged.kind != "" {
			m.conflict(merged.kind, "", name, key)
		}
		if !merged.ok {
			continue
		}
		if result == nil {
			result = map[string]string{}
		}
		result[key] = merged.value
	}
	return result
}

func unionKeys(all ...map[string]string) []string {
	union := map[string]struct{}{}
	for _, m := range all {
		for key := range m {
			union[key] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(union))
}

// field merges one that every version has.
func field[T comparable](m *versions, name string, of func(*Version) T) T {
	merged := pickSealed(m, item[T]{of(m.base), !m.added}, item[T]{of(&m.ours), true}, item[T]{of(&m.theirs), true})
	if merged.kind != "" {
		m.conflict(merged.kind, "", name)
	}
	return merged.value
}

// reach merges a field that says where values may come out.
func reach[T comparable](m *versions, name string, of func(*Version) T) T {
	merged := field(m, name, of)
	if of(&m.ours) == of(&m.theirs) || !m.mixed {
		return merged
	}
	m.once(ReachChange, name)
	return of(&m.ours)
}

// once adds a conflict unless there is one about the field.
func (m *versions) once(kind Kind, name string) {
	if !slices.ContainsFunc(m.conflicts, func(c Conflict) bool { return c.Sealed && c.Path == name }) {
		m.conflict(kind, "", name)
	}
}

// exclude refuses to merge what excludes each other.
func (m *versions) exclude(v *Version) {
	o, t := m.ours.Clear, m.theirs.Clear
	if m.mixed && o.Merge != t.Merge && o.Immutable != t.Immutable {
		v.Clear.Immutable = o.Immutable
		m.once(ReachChange, "immutable")
	}
}

// around merges what stands around the envelope. Copies of sealed fields come
// from the side that the sealed field comes from.
func (m *versions) around(v *Version) {
	trees := &trees{}
	o, t := m.ours.Clear, m.theirs.Clear
	for _, key := range unionKeys(o.Labels, t.Labels) {
		is, inOurs := o.Labels[key]
		if other, inTheirs := t.Labels[key]; inOurs == inTheirs && is == other {
			continue
		}
		got, ok := v.Clear.Labels[key]
		trees.decide(ok == inOurs && got == is, "metadata", "labels", key)
	}
	if o.Merge != t.Merge {
		trees.decide(v.Clear.Merge == o.Merge, "spec", "creationPolicy")
	}
	merged, conflicts := trees.merge(m.base.Around, m.ours.Around, m.theirs.Around)
	v.Around = merged
	if rootOf(merged) != nil {
		conflicts = m.names(merged, conflicts)
	}
	m.conflicts = append(m.conflicts, conflicts...)
}

// names sees to it that what is merged is for a Secret that one side has.
func (m *versions) names(merged *yaml.Node, conflicts []Conflict) []Conflict {
	name, secretName := []string{"metadata", "name"}, []string{"spec", "secretName"}
	secret := secretOf(merged)
	if secret == secretOf(m.ours.Around) || secret == secretOf(m.theirs.Around) {
		return conflicts
	}
	for _, at := range [][]string{name, secretName} {
		follow(merged, m.ours.Around, at...)
		if !slices.ContainsFunc(conflicts, func(c Conflict) bool { return slices.Equal(c.At, at) }) {
			conflicts = append(conflicts, newConflict(at, BothChanged, ""))
		}
	}
	return conflicts
}

// secretOf returns the name of the Secret that an object becomes.
func secretOf(around *yaml.Node) string {
	root := rootOf(around)
	return cmp.Or(manifest.GetString(root, "spec", "secretName"), manifest.GetString(root, "metadata", "name"))
}
