// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Root returns the content of a document node, or n itself for any other.
func Root(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
		return n.Content[0]
	}
	return n
}

// Get returns the node at the given keys below the mapping n, or nil.
func Get(n *yaml.Node, keys ...string) *yaml.Node {
	for _, key := range keys {
		i := indexOf(n, key)
		if i < 0 {
			return nil
		}
		n = n.Content[i+1]
	}
	return n
}

func indexOf(n *yaml.Node, key string) int {
	if n == nil || n.Kind != yaml.MappingNode {
		return -1
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// GetString returns the text of the string at the given keys, or "" if there
// is none or it is no string.
func GetString(n *yaml.Node, keys ...string) string {
	v := Get(n, keys...)
	if !IsString(v) {
		return ""
	}
	return v.Value
}

// Set puts value under key in the mapping n: in the place of the old value, or
// at the end.
func Set(n *yaml.Node, key string, value *yaml.Node) {
	if i := indexOf(n, key); i >= 0 {
		n.Content[i+1] = value
		return
	}
	n.Content = append(n.Content, String(key), value)
}

// Delete removes key from the mapping n and reports whether it was there.
func Delete(n *yaml.Node, key string) bool {
	i := indexOf(n, key)
	if i < 0 {
		return false
	}
	n.Content = slices.Delete(n.Content, i, i+2)
	return true
}

// Keys returns the keys of the mapping n in order.
func Keys(n *yaml.Node) []string {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	keys := make([]string, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		keys = append(keys, n.Content[i].Value)
	}
	return keys
}

// Clone returns a copy of n that shares nothing with it.
func Clone(n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		c.Content[i] = Clone(child)
	}
	return &c
}

// Mapping returns a mapping node of the given keys and values in turn.
func Mapping(content ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: content}
}

// Bool returns a boolean node.
func Bool(v bool) *yaml.Node {
	value := "false"
	if v {
		value = "true"
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: value}
}

// String returns a string node in the plainest style that YAML 1.1 and 1.2
// readers both take back as exactly this string: plain, a literal block for
// simple lines, or double quotes. The text must be valid UTF-8.
func String(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	switch {
	case strings.Contains(s, "\n") && literalSafe(s):
		n.Style = yaml.LiteralStyle
	case !plainSafe(s):
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// StringMap returns a mapping of strings in bytewise key order. An empty map
// is written {}.
func StringMap(m map[string]string) *yaml.Node {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	n := Mapping()
	for _, k := range keys {
		n.Content = append(n.Content, String(k), String(m[k]))
	}
	if len(keys) == 0 {
		n.Style = yaml.FlowStyle
	}
	return n
}

// IsString reports whether n is a string for every reader. Plain words that
// YAML 1.1 takes for booleans (yes, on, n, ...) are not: kubectl reads them so.
func IsString(n *yaml.Node) bool {
	if n == nil || n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		return false
	}
	const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle | yaml.TaggedStyle
	return n.Style&quoted != 0 || !oldBool(n.Value)
}

// IsNull reports whether n is absent or null.
func IsNull(n *yaml.Node) bool {
	return n == nil || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}
