// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// change edits a document given as its mapping.
type change func(root *yaml.Node)

// step follows a path of keys and list indices that are joined by slashes.
func step(root *yaml.Node, path string) *yaml.Node {
	for key := range strings.SplitSeq(path, "/") {
		if i, err := strconv.Atoi(key); err == nil && root.Kind == yaml.SequenceNode {
			root = root.Content[i]
			continue
		}
		if root = manifest.Get(root, key); root == nil {
			panic("no " + key + " in " + path)
		}
	}
	return root
}

func cutPath(path string) (parent, key string) {
	i := strings.LastIndex(path, "/")
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}

func parentOf(root *yaml.Node, path string) (n *yaml.Node, key string) {
	parent, key := cutPath(path)
	if parent == "" {
		return root, key
	}
	return step(root, parent), key
}

// put sets or adds a value.
func put(path string, value *yaml.Node) change {
	return func(root *yaml.Node) {
		parent, key := parentOf(root, path)
		manifest.Set(parent, key, cloneNode(value))
	}
}

// putYAML is put for a value written in YAML.
func putYAML(path, text string) change {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		panic(err)
	}
	return put(path, doc.Content[0])
}

func putText(path, text string) change { return put(path, doubleQuoted(text)) }

func doubleQuoted(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Style: yaml.DoubleQuotedStyle}
}

func remove(path string) change {
	return func(root *yaml.Node) {
		parent, key := parentOf(root, path)
		if parent.Kind == yaml.SequenceNode {
			i, _ := strconv.Atoi(key)
			parent.Content = slices.Delete(parent.Content, i, i+1)
			return
		}
		if !manifest.Delete(parent, key) {
			panic("no " + path)
		}
	}
}

// swap exchanges two values.
func swap(a, b string) change {
	return func(root *yaml.Node) {
		x, y := step(root, a), step(root, b)
		*x, *y = *y, *x
	}
}

// rename gives a value another key in the same place.
func rename(path, key string) change {
	return func(root *yaml.Node) {
		parent, old := parentOf(root, path)
		for i := 0; i < len(parent.Content); i += 2 {
			if parent.Content[i].Value == old {
				parent.Content[i] = doubleQuoted(key)
				return
			}
		}
		panic("no " + path)
	}
}

// move takes a value to another place.
func move(from, to string) change {
	return func(root *yaml.Node) {
		value := step(root, from)
		remove(from)(root)
		put(to, value)(root)
	}
}

// text changes the text of a scalar.
func text(path string, f func(string) string) change {
	return func(root *yaml.Node) {
		n := step(root, path)
		old := n.Value
		if n.Value = f(old); n.Value == old {
			panic("nothing changed in " + path)
		}
	}
}

func replaced(path, old, to string) change {
	return text(path, func(s string) string { return strings.Replace(s, old, to, 1) })
}

func all(changes ...change) change {
	return func(root *yaml.Node) {
		for _, c := range changes {
			c(root)
		}
	}
}

func cloneNode(n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		c.Content[i] = cloneNode(child)
	}
	return &c
}

// flipBit changes one bit in a part of an encrypted value: data, iv or tag.
func flipBit(path, part string) change {
	return text(path, func(s string) string {
		start := strings.Index(s, part+":") + len(part) + 1
		end := start + strings.IndexByte(s[start:], ',')
		raw, err := base64.StdEncoding.DecodeString(s[start:end])
		if err != nil {
			panic(err)
		}
		raw[0] ^= 1
		return s[:start] + base64.StdEncoding.EncodeToString(raw) + s[end:]
	})
}

// armorLine changes one character in a line of an armored age file, so that it
// stays base64.
func armorLine(path string, line int) change {
	return text(path, func(s string) string {
		lines := strings.Split(s, "\n")
		b := []byte(lines[line])
		if b[4] == 'A' {
			b[4] = 'B'
		} else {
			b[4] = 'A'
		}
		lines[line] = string(b)
		return strings.Join(lines, "\n")
	})
}
