// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// same reports whether two nodes hold the same data for every reader, with the
// keys of mappings in any order. Absent ones are the same.
func same(a, b *yaml.Node) bool {
	switch {
	case a == nil || b == nil:
		return a == b
	case a.Kind != b.Kind || len(a.Content) != len(b.Content) || a.ShortTag() != b.ShortTag():
		return false
	case a.Kind == yaml.MappingNode:
		return sameEntries(a, b)
	case a.Kind == yaml.ScalarNode:
		// A plain yes is a string to some readers only, null has several spellings.
		return manifest.IsNull(a) || a.Value == b.Value && manifest.IsString(a) == manifest.IsString(b)
	}
	for i := range a.Content {
		if !same(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

func sameEntries(a, b *yaml.Node) bool {
	others := entriesOf(b)
	for key, entry := range entriesOf(a) {
		other, ok := others[key]
		if !ok || !same(entry.value, other.value) {
			return false
		}
	}
	return true
}

// newer returns which of two nodes with the same data is to stay: theirs if
// only they changed how it is written, else ours.
func newer(base, ours, theirs *yaml.Node) *yaml.Node {
	if base != nil && identical(base, ours) {
		return theirs
	}
	return ours
}

// identical reports whether two nodes are written alike, comments included.
func identical(a, b *yaml.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if !sameShell(a, b) || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !identical(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

// sameShell is identical without values and children.
func sameShell(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Style == b.Style && a.Tag == b.Tag &&
		a.HeadComment == b.HeadComment && a.LineComment == b.LineComment && a.FootComment == b.FootComment
}

// newerShell is newer for nodes that may be absent, looking at the nodes alone.
func newerShell(base, ours, theirs *yaml.Node) *yaml.Node {
	switch {
	case ours == nil:
		return theirs
	case theirs != nil && base != nil && sameShell(base, ours):
		return theirs
	}
	return ours
}

// dress gives n style, place and comments of one of the three versions.
func dress(n, base, ours, theirs *yaml.Node) *yaml.Node {
	from := newerShell(base, ours, theirs)
	n.Style, n.Line, n.Column = from.Style, from.Line, from.Column
	n.HeadComment, n.LineComment, n.FootComment = from.HeadComment, from.LineComment, from.FootComment
	return n
}
