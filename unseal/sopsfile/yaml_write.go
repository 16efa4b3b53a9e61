// SPDX-License-Identifier: Apache-2.0

package sopsfile

import (
	"bytes"
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// yamlIndent is what SOPS indents by unless it is configured (sops:
// stores/yaml/store.go, IndentDefault).
const yamlIndent = 4

// writeYAML writes a stream of documents with their comments.
func writeYAML(branches []sopsdoc.Branch) (out []byte, err error) {
	refused := func() error { return invalid("", "cannot be written as YAML") }
	defer func() {
		if recover() != nil {
			out, err = nil, refused()
		}
	}()
	w := &limitedBuffer{left: maxResultBytes}
	e := yaml.NewEncoder(w)
	e.SetIndent(yamlIndent)
	for _, b := range branches {
		root, err := yamlMapping(b)
		if err != nil {
			return nil, refused()
		}
		if err := e.Encode(&yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{root}}); err != nil {
			return nil, refused() // its text may quote a value
		}
	}
	if err := e.Close(); err != nil {
		return nil, refused()
	}
	return w.Bytes(), nil
}

// limitedBuffer is a buffer that takes only so much: what is indented deeply
// can be far larger than what was read.
type limitedBuffer struct {
	bytes.Buffer
	left int
}

// Write implements io.Writer.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errors.New("the result is too large")
	}
	return b.Buffer.Write(p)
}

func yamlNode(v any) (*yaml.Node, error) {
	switch v := v.(type) {
	case sopsdoc.Branch:
		return yamlMapping(v)
	case []any:
		return yamlSequence(v)
	case string:
		if v == mergeKey { // what the version of the library in SOPS makes of it
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!merge", Style: yaml.TaggedStyle, Value: v}, nil
		}
	}
	n := &yaml.Node{}
	err := n.Encode(v)
	return n, err
}

// pendingComments collects comments until the node comes that they stand at
// (sops: stores/yaml/store.go, appendTreeBranch and appendSequence).
type pendingComments struct {
	head, inline []string
	begun        bool // there was a node
}

func (p *pendingComments) add(c sopsdoc.Comment) {
	if c.Inline {
		p.inline = append(p.inline, c.Text)
	} else {
		p.head = append(p.head, c.Text)
	}
}

func (p *pendingComments) takeHead() string {
	text := commentText(p.head)
	p.head = nil
	return text
}

func (p *pendingComments) takeInline() string {
	text := commentText(p.inline)
	p.inline = nil
	return text
}

// begin gives the comments before the first item to the container.
func (p *pendingComments) begin(container *yaml.Node) {
	if !p.begun {
		container.HeadComment = p.takeHead()
	}
	p.begun = true
}

// end gives the rest to the last item, or to a container without items.
func (p *pendingComments) end(container, last *yaml.Node) {
	p.head = append(p.head, p.inline...)
	switch text := p.takeHead(); {
	case text == "":
	case last == nil:
		container.HeadComment = text
	default:
		last.FootComment = text
	}
}

func commentText(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return "#" + strings.Join(lines, "\n#")
}

func yamlMapping(b sopsdoc.Branch) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.MappingNode}
	var pending pendingComments
	var last *yaml.Node
	for _, item := range b {
		if item.Comment != nil {
			pending.add(*item.Comment)
			continue
		}
		pending.begin(n)
		key, err := yamlNode(item.Key)
		if err != nil {
			return nil, err
		}
		value, err := yamlNode(item.Value)
		if err != nil {
			return nil, err
		}
		key.HeadComment = pending.takeHead()
		setLine(value, pending.takeInline())
		n.Content = append(n.Content, key, value)
		last = key
	}
	pending.end(n, last)
	return n, nil
}

func yamlSequence(items []any) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	var pending pendingComments
	var last *yaml.Node
	for _, item := range items {
		if c, ok := item.(sopsdoc.Comment); ok {
			pending.add(c)
			continue
		}
		pending.begin(n)
		v, err := yamlNode(item)
		if err != nil {
			return nil, err
		}
		v.HeadComment = joinLines(pending.takeHead(), v.HeadComment)
		setLine(v, pending.takeInline())
		n.Content = append(n.Content, v)
		last = v
	}
	pending.end(n, last)
	return n, nil
}

func setLine(n *yaml.Node, text string) {
	if text != "" {
		n.LineComment = text
	}
}

// joinLines puts the comments before an item before those of its own first.
func joinLines(first, second string) string {
	if first == "" || second == "" {
		return first + second
	}
	return first + "\n" + second
}
