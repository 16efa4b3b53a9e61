// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// Kind says how two sides disagree, in words for people. It does not depend on
// which side is ours.
type Kind string

// The kinds of conflict.
const (
	BothChanged    Kind = "changed on both sides"
	BothAdded      Kind = "added on both sides"
	ChangedRemoved Kind = "changed on one side, removed on the other"
	ReachChange    Kind = "not the same on both sides"
	ForeignChange  Kind = "one side was sealed anew, perhaps by somebody who can open nothing"
)

// Conflict is an item that both sides changed in different ways, or that is
// not to be taken over from one side alone. What was
// merged has it as it is in ours.
type Conflict struct {
	// Path names the item in errors, as manifest.JoinPath does:
	// "stringData.password", "labels.app", "scope", "spec.suspend".
	Path string
	Kind Kind
	// Key is the key of the Secret that it is about, which may stand in data on
	// one side and in stringData on the other. It is "" for anything else.
	Key string
	// Sealed says that it is an item under seal, and not one of a tree.
	Sealed bool
	// At are the keys that lead to it: in the tree, none for all of it, or else
	// in the envelope, but for "data" and "stringData", which stand for those
	// below "signet".
	At []string
}

func newConflict(at []string, kind Kind, key string) Conflict {
	return Conflict{Path: manifest.JoinPath(at), Kind: kind, Key: key, At: slices.Clone(at)}
}

// WholeForeign is the conflict of documents of which one side is sealed anew: where
// nothing tells what of it may be taken over, all of it is one item.
func WholeForeign() Conflict { return newConflict(nil, ForeignChange, "") }

// kindOf tells the kind of a conflict by which versions have the item.
func kindOf(base, ours, theirs bool) Kind {
	switch {
	case !ours || !theirs:
		return ChangedRemoved
	case !base:
		return BothAdded
	}
	return BothChanged
}

func sortConflicts(all []Conflict) {
	slices.SortFunc(all, func(a, b Conflict) int {
		switch {
		case a.Sealed && !b.Sealed:
			return -1
		case !a.Sealed && b.Sealed:
			return 1
		}
		return cmp.Or(strings.Compare(a.Path, b.Path), slices.Compare(a.At, b.At))
	})
}

// maxNamed is how many items of a kind Describe names.
const maxNamed = 10

// Describe names conflicts for people, kind by kind: keys of a Secret by their
// key, anything else by its path. It is "" for none.
func Describe(all []Conflict) string {
	var parts []string
	for _, kind := range []Kind{BothChanged, BothAdded, ChangedRemoved, ReachChange, ForeignChange} {
		var names []string
		for _, c := range all {
			if c.Kind == kind {
				names = append(names, c.name())
			}
		}
		if len(names) == 0 {
			continue
		}
		text := strings.Join(names[:min(len(names), maxNamed)], ", ")
		if more := len(names) - maxNamed; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		parts = append(parts, text+" ("+string(kind)+")")
	}
	return strings.Join(parts, "; ")
}

func (c Conflict) name() string {
	switch {
	case sopsdoc.ValidDataKey(c.Key):
		return c.Key
	case c.Key != "":
		return manifest.JoinPath([]string{c.Key})
	case c.Path == "":
		return "the whole document"
	}
	return c.Path
}

// TakeNode settles the conflict in tree, which Trees has made, the way from has
// it, one of the versions that were merged. It changes tree and returns what
// takes its place: nil if that version was nil.
func (c Conflict) TakeNode(tree, from *yaml.Node) *yaml.Node {
	source := rootOf(from)
	switch {
	case len(c.At) == 0 || rootOf(tree) == nil || source == nil:
		return clone(from)
	case c.Key != "":
		for _, field := range []string{"data", "stringData"} {
			put(rootOf(tree), source, []string{field, c.Key})
		}
	default:
		put(rootOf(tree), source, c.At)
	}
	return tree
}

// put brings what stands at the given keys below from, if anything, to the same
// place below n, in a copy, and reports whether that changed anything. Mappings
// on the way are made if there is something to put, and taken out if nothing is
// left of them and from has none.
func put(n, from *yaml.Node, at []string) (changed bool) {
	key := at[0]
	value := manifest.Get(from, key)
	switch {
	case !isMapping(n):
		return false
	case len(at) == 1 && value == nil:
		return manifest.Delete(n, key)
	case len(at) == 1:
		if len(n.Content) == 0 {
			n.Style = 0 // of {}
		}
		manifest.Set(n, key, clone(value))
		return true
	}
	child := manifest.Get(n, key)
	if child == nil {
		if manifest.Get(value, at[1:]...) == nil {
			return false
		}
		child = manifest.Mapping()
		manifest.Set(n, key, child)
	}
	changed = put(child, value, at[1:])
	if changed && len(child.Content) == 0 && value == nil {
		manifest.Delete(n, key)
	}
	return changed
}
