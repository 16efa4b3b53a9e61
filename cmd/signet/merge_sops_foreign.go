// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// takesForeign reports whether both sides have changed a document, and one of them
// is under another data key than base: whoever encrypted that may have known public
// keys only, and SOPS documents hold no evidence of the contrary.
func (s *mergedSOPS) takesForeign(base, ours, theirs *yaml.Node) bool {
	if ours == nil || theirs == nil || s.ours.standIn || s.theirs.standIn || sameText(ours, theirs) {
		return false
	}
	if s.base == nil {
		return !s.ours.dataKey().Equal(s.theirs.dataKey())
	}
	foreign := func(side *openedFile, n *yaml.Node) bool {
		return !side.dataKey().Equal(s.base.dataKey()) && (base == nil || !sameText(n, base))
	}
	return foreign(s.ours, ours) || foreign(s.theirs, theirs)
}

// checkStillEncrypted refuses a merged file in which something is readable that was
// encrypted in one of the versions.
func (v *sopsVersions) checkStillEncrypted(merged []*yaml.Node) error {
	hidden := secretTexts{paths: map[string]bool{}, texts: map[string]bool{}, clear: map[string]bool{}}
	for _, o := range []*openedFile{v.ours, v.theirs, v.base} {
		if o == nil || o.standIn {
			continue
		}
		for _, p := range o.parts {
			hidden.add(manifest.Root(p.Node), manifest.Root(o.docs[p]), nil)
		}
	}
	for _, n := range merged {
		if hidden.showIn(manifest.Root(n), nil) {
			return errSelectors
		}
	}
	return nil
}

// secretTexts are where something was encrypted, and what, and what was readable.
type secretTexts struct{ paths, texts, clear map[string]bool }

// minHidden is the length from which a text counts wherever it stands.
const minHidden = 6

func (s secretTexts) add(sealed, plain *yaml.Node, path []string) {
	if sealed == nil || plain == nil || sealed.Kind != plain.Kind || len(sealed.Content) != len(plain.Content) {
		return // scalars of which one is a mapping: neither is written so
	}
	switch {
	case sealed.Kind == yaml.ScalarNode && sopsdoc.LooksEncrypted(sealed.Value):
		s.paths[manifest.JoinPath(path)] = true
		s.texts[plain.Value] = len(plain.Value) >= minHidden
	case sealed.Kind == yaml.ScalarNode:
		s.clear[sealed.Value] = true
	}
	for i, child := range children(sealed, path) {
		s.add(child.node, children(plain, path)[i].node, child.path)
	}
}

// showIn reports whether one of them is readable below n.
func (s secretTexts) showIn(n *yaml.Node, path []string) bool {
	if n == nil {
		return false
	}
	if n.Kind == yaml.ScalarNode {
		if n.Value == "" || sopsdoc.LooksEncrypted(n.Value) {
			return false
		}
		return s.paths[manifest.JoinPath(path)] || s.texts[n.Value] && !s.clear[n.Value]
	}
	for _, child := range children(n, path) {
		if s.showIn(child.node, child.path) {
			return true
		}
	}
	return false
}

type placedNode struct {
	node *yaml.Node
	path []string
}

// children returns what stands in a mapping or list, but not the block of SOPS.
// Items of a list have no name of their own: SOPS encrypts all or none.
func children(n *yaml.Node, path []string) []placedNode {
	var all []placedNode
	switch n.Kind {
	case yaml.SequenceNode:
		for _, item := range n.Content {
			all = append(all, placedNode{item, append(path[:len(path):len(path)], "[]")})
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if key := n.Content[i].Value; len(path) > 0 || key != sopsdoc.MetadataKey {
				all = append(all, placedNode{n.Content[i+1], append(path[:len(path):len(path)], key)})
			}
		}
	}
	return all
}
