// SPDX-License-Identifier: Apache-2.0

package sopsfile

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// maxTags bounds %TAG directives, of which the YAML parser compares each with
// each.
const maxTags = 100

// readYAML reads a stream of mappings, each with its comments in the order in
// which SOPS sees them (sops: stores/yaml/store.go, LoadPlainFile).
func readYAML(content []byte) ([]sopsdoc.Branch, error) {
	stream, err := checkYAML(content)
	if err != nil {
		return nil, err
	}
	docs, ok := decodeYAML(content)
	if !ok {
		return nil, yamlError(stream)
	}
	if len(docs) == 0 {
		return nil, invalid("", "there is no document")
	}
	branches := make([]sopsdoc.Branch, len(docs))
	for i, doc := range docs {
		if branches[i], err = yamlDocument(doc); err != nil {
			return nil, err
		}
	}
	return branches, nil
}

// checkYAML bounds what parsing makes.
func checkYAML(content []byte) (*manifest.Stream, error) {
	stream, err := manifest.Split(content)
	if err != nil {
		return nil, invalid("", "%v", err)
	}
	nodes := 0
	for _, d := range stream.Documents {
		nodes += d.Nodes()
	}
	switch {
	case nodes > maxNodes:
		return nil, invalid("", "the file has up to %d nodes, the limit is %d", nodes, maxNodes)
	case bytes.Count(content, []byte("%TAG")) > maxTags:
		return nil, invalid("", "too many %%TAG directives")
	}
	return stream, nil
}

// decodeYAML parses the stream as a whole: between documents the parser gives
// comments to one or the other. Its panics become errors.
func decodeYAML(content []byte) (docs []*yaml.Node, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(content))
	for {
		doc := &yaml.Node{}
		switch err := d.Decode(doc); {
		case err == io.EOF:
			return docs, true
		case err != nil:
			return nil, false
		}
		docs = append(docs, doc)
	}
}

// yamlError says what is wrong with a stream that does not parse.
func yamlError(stream *manifest.Stream) error {
	for _, d := range stream.Documents {
		if _, err := d.Node(); err != nil {
			return invalid("", "%v", err)
		}
	}
	return invalid("", "not valid YAML")
}

// yamlPlace is a place in a document, for errors and limits. The root has no
// parent, and items of lists share the path of the list.
type yamlPlace struct {
	parent *yamlPlace
	name   string
	depth  int
}

func (p *yamlPlace) invalid(n *yaml.Node, reason string) error {
	var path []string
	for at := p; at.parent != nil; at = at.parent {
		path = append(path, at.name)
	}
	slices.Reverse(path)
	return invalid(manifest.JoinPath(path), "line %d: %s", n.Line, reason)
}

func (p *yamlPlace) below(n *yaml.Node, key string) (*yamlPlace, error) {
	if p.depth == manifest.MaxDepth {
		return nil, p.invalid(n, "nested too deeply")
	}
	return &yamlPlace{parent: p, name: key, depth: p.depth + 1}, nil
}

func (p *yamlPlace) item(n *yaml.Node) (*yamlPlace, error) {
	if p.depth == manifest.MaxDepth {
		return nil, p.invalid(n, "nested too deeply")
	}
	return &yamlPlace{parent: p.parent, name: p.name, depth: p.depth + 1}, nil
}

func yamlDocument(doc *yaml.Node) (sopsdoc.Branch, error) {
	p := &yamlPlace{}
	b := comments(sopsdoc.Branch{}, false, doc.HeadComment, doc.LineComment)
	for _, root := range doc.Content {
		b = comments(b, false, root.HeadComment, root.LineComment)
		switch {
		case root.Anchor != "":
			return nil, p.invalid(root, "anchors are not supported")
		case root.Kind == yaml.MappingNode:
			var err error
			if b, err = p.mapping(root, b); err != nil {
				return nil, err
			}
		case root.Kind != yaml.ScalarNode || root.ShortTag() != "!!null":
			return nil, p.invalid(root, "a document must be a mapping")
		default:
			continue // an empty document; SOPS drops what follows it
		}
		b = comments(b, false, root.FootComment)
	}
	return comments(b, false, doc.FootComment), nil
}

// comments appends the lines of comments.
func comments(b sopsdoc.Branch, inline bool, texts ...string) sopsdoc.Branch {
	for _, text := range texts {
		for line := range strings.SplitSeq(text, "\n") {
			if line != "" {
				b = append(b, sopsdoc.Item{Comment: &sopsdoc.Comment{Text: line[1:], Inline: inline}})
			}
		}
	}
	return b
}

func (p *yamlPlace) mapping(n *yaml.Node, b sopsdoc.Branch) (sopsdoc.Branch, error) {
	seen := make(map[string]struct{}, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		key, err := p.key(k, v)
		if err != nil {
			return nil, err
		}
		if _, dup := seen[key]; dup {
			return nil, p.invalid(k, "a key that stands there twice")
		}
		seen[key] = struct{}{}
		b = comments(b, false, k.HeadComment, k.LineComment)
		scalar := v.Kind == yaml.ScalarNode
		if scalar {
			b = comments(b, false, v.HeadComment)
			b = comments(b, true, v.LineComment)
		}
		below, err := p.below(k, key)
		if err != nil {
			return nil, err
		}
		value, err := below.value(v, scalar)
		if err != nil {
			return nil, err
		}
		b = append(b, sopsdoc.Item{Key: key, Value: value})
		if scalar {
			b = comments(b, false, v.FootComment)
		}
		b = comments(b, false, k.FootComment)
	}
	return b, nil
}

// mergeKey is what SOPS leaves of merging: the mapping, or a list of them, under
// this key.
const mergeKey = "<<"

func (p *yamlPlace) key(k, v *yaml.Node) (string, error) {
	if k.Kind != yaml.ScalarNode || k.Anchor != "" {
		return "", p.invalid(k, "a key that is not a string")
	}
	if k.ShortTag() == "!!merge" && k.Value == mergeKey {
		notMapping := func(n *yaml.Node) bool { return n.Kind != yaml.MappingNode }
		if notMapping(v) && (v.Kind != yaml.SequenceNode || slices.ContainsFunc(v.Content, notMapping)) {
			return "", p.invalid(k, "a merge key (<<) without a mapping")
		}
		return mergeKey, nil
	}
	text, err := p.scalar(k)
	if err != nil {
		return "", err
	}
	key, ok := text.(string)
	if !ok {
		return "", p.invalid(k, "a key that is not a string")
	}
	return key, nil
}

// value reads a value; where seen is true its own comments were read before.
func (p *yamlPlace) value(n *yaml.Node, seen bool) (any, error) {
	switch {
	case n.Kind == yaml.AliasNode:
		return nil, p.invalid(n, "aliases are not supported, write the value out")
	case n.Anchor != "":
		return nil, p.invalid(n, "anchors are not supported")
	case n.Kind == yaml.SequenceNode:
		return p.list(n, seen)
	case n.Kind == yaml.ScalarNode:
		return p.scalar(n)
	}
	b := sopsdoc.Branch{}
	if !seen {
		b = comments(b, false, n.HeadComment, n.LineComment)
	}
	b, err := p.mapping(n, b)
	if err != nil || seen {
		return b, err
	}
	return comments(b, false, n.FootComment), nil
}

func (p *yamlPlace) list(n *yaml.Node, seen bool) ([]any, error) {
	items := []any{}
	add := func(inline bool, texts ...string) {
		for _, c := range comments(nil, inline, texts...) {
			items = append(items, *c.Comment)
		}
	}
	if !seen {
		add(false, n.HeadComment, n.LineComment)
	}
	for _, item := range n.Content {
		add(false, item.HeadComment)
		add(true, item.LineComment)
		below, err := p.item(item)
		if err != nil {
			return nil, err
		}
		v, err := below.value(item, true)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
		add(false, item.FootComment)
	}
	if !seen {
		add(false, n.FootComment)
	}
	return items, nil
}

// scalar reads a scalar as the YAML parser does, which decides over its type.
func (p *yamlPlace) scalar(n *yaml.Node) (v any, err error) {
	if n.Tag == "!!str" {
		return n.Value, nil
	}
	defer func() {
		if recover() != nil {
			v, err = nil, p.invalid(n, "a value that YAML cannot hold")
		}
	}()
	if err := n.Decode(&v); err != nil {
		return nil, p.invalid(n, "a value that does not fit its tag")
	}
	switch v.(type) {
	case nil, string, int, float64, bool, time.Time:
		return v, nil
	}
	return nil, p.invalid(n, "a value that SOPS cannot hold")
}
