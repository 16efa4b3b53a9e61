// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"regexp"
	"sync"
	"unicode/utf16"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// Files that are checked need not be what signet would seal or open: other
// tools read them more leniently, and what those find in them counts.

// fromUTF16 returns a text that is in UTF-16, as its byte order mark says, in
// UTF-8, and any other as it is.
func fromUTF16(text []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(text, []byte{0xFF, 0xFE}):
		order = binary.LittleEndian
	case bytes.HasPrefix(text, []byte{0xFE, 0xFF}):
		order = binary.BigEndian
	default:
		return text
	}
	units := make([]uint16, 0, len(text)/2)
	for i := 2; i+1 < len(text); i += 2 {
		units = append(units, order.Uint16(text[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}

// namesSealed finds the kinds that rules are about, and what sealed documents
// hold, in a text that cannot be parsed.
var namesSealed = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)kind["']?[ \t]*:[ \t]*["']?(Secret|SecretList|SealedSecret|SealingKey)["']?[ \t]*(#.*|[,}].*)?\r?$|signet\.dev/v[0-9]|ENC\[AES256_GCM,`)
})

// maxLenient bounds the nodes of a tree with all of its aliases replaced.
const maxLenient = 200_000

var errManyAliases = errors.New("its aliases stand for too much")

// lenient parses a document as most tools do: with anchors, aliases and merge
// keys, which it replaces by what they stand for, and with keys that stand there
// twice. firstLine is that on which the text begins.
func lenient(text []byte, firstLine int) (*yaml.Node, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, errors.New("is not YAML") // the text of the library's error can hold pieces of the file
	}
	if root.Kind != yaml.DocumentNode {
		return nil, nil
	}
	r := resolver{left: maxLenient, offset: firstLine - 1}
	n := r.copy(root.Content[0], 0)
	if r.left < 0 {
		return nil, errManyAliases
	}
	return n, nil
}

// resolver copies trees without aliases.
type resolver struct {
	left   int // nodes that may still be made
	offset int // that is added to lines
}

func (r *resolver) copy(n *yaml.Node, depth int) *yaml.Node {
	if r.left--; r.left < 0 || depth > manifest.MaxDepth {
		r.left = min(r.left, -1)
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	}
	if n.Kind == yaml.AliasNode {
		c := r.copy(n.Alias, depth+1)
		c.Line = n.Line + r.offset
		return c
	}
	c := *n
	c.Content, c.Anchor, c.Line = nil, "", n.Line+r.offset
	if c.Kind == yaml.ScalarNode && (c.Tag == "!!binary" || len(c.Tag) > 0 && c.Tag[0] == '!' && c.Tag[:min(2, len(c.Tag))] != "!!") {
		c.Tag = "!!str"
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Tag == "!!merge" {
			continue
		}
		if n.Kind == yaml.MappingNode && i%2 == 0 && child.Tag == "!!merge" {
			c.Content = append(c.Content, r.merged(n.Content[i+1], depth+1)...)
			continue
		}
		c.Content = append(c.Content, r.copy(child, depth+1))
	}
	joinDuplicates(&c)
	return &c
}

// joinDuplicates puts together what stands below the same key twice: readers
// differ in which one they take, and Git shows both.
func joinDuplicates(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		return
	}
	first := map[string]int{}
	var content []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at, twice := first[key.Value]
		switch {
		case !twice || key.Kind != yaml.ScalarNode:
			first[key.Value] = len(content) + 1
			content = append(content, key, value)
		case content[at].Kind == yaml.MappingNode && value.Kind == yaml.MappingNode:
			content[at].Content = append(content[at].Content, value.Content...)
			joinDuplicates(content[at])
		case manifest.IsNull(content[at]) || content[at].Kind == yaml.ScalarNode && content[at].Value == "":
			content[at] = value
		}
	}
	n.Content = content
}

// merged returns the keys and values that a merge key brings.
func (r *resolver) merged(n *yaml.Node, depth int) []*yaml.Node {
	c := r.copy(n, depth)
	if c.Kind != yaml.SequenceNode {
		if c.Kind == yaml.MappingNode {
			return c.Content
		}
		return nil
	}
	var all []*yaml.Node
	for _, m := range c.Content {
		if m.Kind == yaml.MappingNode {
			all = append(all, m.Content...)
		}
	}
	return all
}
