// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// plainTags are the tags that every reader of Kubernetes manifests takes the
// same way. !!binary is not among them: some decode it, some don't.
var plainTags = []string{"!!str", "!!int", "!!bool", "!!float", "!!null", "!!map", "!!seq", "!!timestamp"}

// Check walks n and refuses what readers could take differently or what could
// exhaust them: aliases and anchors, merge keys, duplicate keys, keys that are
// not strings, unusual tags, more than MaxDepth levels. The error is a
// *SyntaxError that names line and path.
func Check(n *yaml.Node) error {
	return check(n, nil, 0)
}

func check(n *yaml.Node, path []string, depth int) error {
	fail := func(format string, args ...any) error {
		return &SyntaxError{Line: n.Line, Path: JoinPath(path), Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case depth > MaxDepth:
		return fail("nested deeper than %d levels", MaxDepth)
	case n.Kind == yaml.AliasNode:
		return fail("aliases are not supported, write the value out")
	case n.Anchor != "":
		return fail("anchors are not supported")
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return checkChildren(n.Content, path, depth)
	case yaml.SequenceNode:
		if n.ShortTag() != "!!seq" {
			return fail("unsupported tag")
		}
		return checkChildren(n.Content, path, depth+1)
	case yaml.MappingNode:
		if n.ShortTag() != "!!map" {
			return fail("unsupported tag")
		}
		return checkMapping(n, path, depth+1)
	case yaml.ScalarNode:
		if !slices.Contains(plainTags, n.ShortTag()) {
			return fail("unsupported tag")
		}
		if !fitsTag(n) {
			return fail("tag %s does not fit the value", n.ShortTag())
		}
		return nil
	default:
		return fail("unexpected node")
	}
}

// fitsTag reports whether a scalar is what its written tag says: readers differ
// in what they make of !!bool yes, and !!int {} is no number.
func fitsTag(n *yaml.Node) bool {
	tag := n.ShortTag()
	if n.Style&yaml.TaggedStyle == 0 || tag == "!!str" {
		return true
	}
	plain := (&yaml.Node{Kind: yaml.ScalarNode, Value: n.Value}).ShortTag()
	return plain == tag || tag == "!!float" && plain == "!!int"
}

func checkChildren(nodes []*yaml.Node, path []string, depth int) error {
	for _, n := range nodes {
		if err := check(n, path, depth); err != nil {
			return err
		}
	}
	return nil
}

func checkMapping(n *yaml.Node, path []string, depth int) error {
	seen := make(map[string]struct{}, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if err := checkKey(key, path, seen); err != nil {
			return err
		}
		seen[key.Value] = struct{}{}
		if err := check(value, append(path, key.Value), depth); err != nil {
			return err
		}
	}
	return nil
}

func checkKey(key *yaml.Node, path []string, seen map[string]struct{}) error {
	fail := func(format string, args ...any) error {
		return &SyntaxError{Line: key.Line, Path: JoinPath(path), Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case key.Kind == yaml.AliasNode:
		return fail("aliases are not supported, write the key out")
	case key.Anchor != "":
		return fail("anchors are not supported")
	case key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge":
		return fail("merge keys (<<) are not supported")
	case key.Kind == yaml.ScalarNode && key.ShortTag() == "!!str" && !IsString(key):
		return fail("key %s is true or false to some readers, put it in quotes", quoteKey(key.Value))
	case !IsString(key):
		return fail("a key that is not a string")
	}
	if _, dup := seen[key.Value]; dup {
		return fail("duplicate key %s", quoteKey(key.Value))
	}
	return nil
}
