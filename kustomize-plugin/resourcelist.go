// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/seal/manifest"
)

// resourceList is what kustomize sends to a function:
//
//	apiVersion: config.kubernetes.io/v1
//	kind: ResourceList
//	items:
//	- apiVersion: v1
//	  kind: ConfigMap
//	functionConfig:
//	  apiVersion: signet.dev/v1alpha1
//	  kind: Unseal
//
// (KRM functions specification v1; kyaml: kio/byteio_writer.go).
type resourceList struct {
	apiVersion string
	config     *yaml.Node
	// items are the items as they stand in the list, each beginning with
	// "- ", and stream holds a document for each.
	items  [][]byte
	stream *manifest.Stream
	self   bool // the only item is the configuration
}

const listKind = "ResourceList"

func listVersions() []string {
	return []string{"config.kubernetes.io/v1", "config.kubernetes.io/v1beta1", "config.kubernetes.io/v1alpha1"}
}

var errNoList = errors.New("it is no " + listKind + " of config.kubernetes.io/v1")

// readResourceList reads a whole list.
func readResourceList(in io.Reader) (*resourceList, error) {
	data, err := io.ReadAll(io.LimitReader(in, manifest.MaxStreamBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > manifest.MaxStreamBytes:
		return nil, manifest.ErrTooLarge
	}
	head, items, ok := cutList(data)
	if !ok {
		head = data
	}
	root, err := parseList(head)
	if err != nil {
		return nil, err
	}
	switch whole := manifest.Get(root, "items"); {
	case ok && whole != nil:
		return nil, &manifest.SyntaxError{Line: whole.Line, Path: "items", Reason: "stands there twice"}
	case !ok:
		if items, err = encodeItems(whole); err != nil {
			return nil, err
		}
	}
	l := &resourceList{apiVersion: manifest.GetString(root, "apiVersion"), config: manifest.Get(root, "functionConfig"), items: items}
	if l.stream, err = streamOf(items); err != nil {
		return nil, err
	}
	return l, l.findSelf()
}

// parseList reads a list, or what is left of it without its items.
func parseList(data []byte) (*yaml.Node, error) {
	doc, err := manifest.Parse(data)
	if err != nil {
		return nil, err
	}
	root := manifest.Root(doc)
	o := &manifest.Object{Node: root}
	if root == nil || root.Kind != yaml.MappingNode || o.Kind() != listKind || !slices.Contains(listVersions(), o.APIVersion()) {
		return nil, errNoList
	}
	for _, key := range manifest.Keys(root) {
		switch key {
		case "apiVersion", "kind", "items", "functionConfig", "results", "metadata":
		default:
			return nil, &manifest.SyntaxError{Path: manifest.ChildPath("", key), Reason: "a " + listKind + " has no such field"}
		}
	}
	config := manifest.Get(root, "functionConfig")
	switch {
	case manifest.IsNull(config):
		return nil, &manifest.SyntaxError{Path: "functionConfig", Reason: "is missing"}
	case config.Kind != yaml.MappingNode:
		return nil, &manifest.SyntaxError{Line: config.Line, Path: "functionConfig", Reason: "must be a mapping"}
	}
	return root, nil
}

// cutList cuts a list that is written as kustomize does into its items and the
// rest, without parsing it: what an item holds stands deeper than its dash, in
// every valid document, whatever it is (YAML 1.2.2 sections 6.1, 7.4 and 8.2.1;
// parsers also read quotes and brackets that do not, but nothing writes them).
// It is false for a list that is written in another way.
func cutList(data []byte) (head []byte, items [][]byte, ok bool) {
	if bytes.ContainsAny(data, "\r\u0085\u2028\u2029") { // they break lines, too
		return nil, nil, false
	}
	start, inItems := -1, false
	end := func(pos int) {
		if start >= 0 {
			items = append(items, data[start:pos])
		}
		start = -1
	}
	pos := 0
	for line := range bytes.Lines(data) {
		switch {
		case inItems && bytes.HasPrefix(line, []byte("- ")):
			end(pos)
			start = pos
		case inItems && start >= 0 && (bytes.HasPrefix(line, []byte("  ")) || len(bytes.TrimSpace(line)) == 0):
		case inItems && line[0] == '#':
			return nil, nil, false // whose comment is it?
		default:
			end(pos)
			inItems = false
			if string(bytes.TrimRight(line, " \n")) == "items:" {
				if ok {
					return nil, nil, false
				}
				inItems, ok = true, true
				break
			}
			head = append(head, line...)
		}
		pos += len(line)
	}
	end(pos)
	return head, items, ok
}

// encodeItems writes the items of a list that was parsed.
func encodeItems(n *yaml.Node) ([][]byte, error) {
	if manifest.IsNull(n) {
		return nil, nil
	}
	if n.Kind != yaml.SequenceNode {
		return nil, &manifest.SyntaxError{Line: n.Line, Path: "items", Reason: "must be a list"}
	}
	var items [][]byte
	for _, item := range n.Content {
		text, err := manifest.EncodeYAML(item)
		if err != nil {
			return nil, err
		}
		items = append(items, asItem(text))
	}
	return items, nil
}

// streamOf makes a stream of one document for each item.
func streamOf(items [][]byte) (*manifest.Stream, error) {
	var b bytes.Buffer
	for i, item := range items {
		if i > 0 {
			b.WriteString("---\n")
		}
		for line := range bytes.Lines(item) {
			if bytes.HasPrefix(line, []byte("  ")) || bytes.HasPrefix(line, []byte("- ")) {
				line = line[2:]
			}
			b.Write(line)
		}
	}
	stream, err := manifest.Split(b.Bytes())
	if err != nil {
		return nil, err
	}
	for i, doc := range stream.Documents {
		if doc.Index != i+1 {
			return nil, &manifest.SyntaxError{Path: "items", Reason: "an item is no object"}
		}
	}
	if len(stream.Documents) != len(items) {
		return nil, &manifest.SyntaxError{Path: "items", Reason: "an item is no object"}
	}
	return stream, nil
}

// asItem indents a document and puts a dash before it.
func asItem(text []byte) []byte {
	var b bytes.Buffer
	first := true
	for line := range bytes.Lines(text) {
		switch {
		case first:
			b.WriteString("- ")
			first = false
		case len(bytes.TrimSpace(line)) > 0:
			b.WriteString("  ")
		}
		b.Write(line)
	}
	if !bytes.HasSuffix(text, []byte("\n")) {
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// findSelf finds out whether the only item is a copy of the configuration:
// kustomize sends one to a generator, because some functions look nowhere else
// (kustomize api: internal/plugins/fnplugin, invokePlugin).
func (l *resourceList) findSelf() error {
	if len(l.items) != 1 {
		return nil
	}
	node, err := l.stream.Documents[0].Node()
	if err != nil {
		return err
	}
	item, config := &manifest.Object{Node: manifest.Root(node)}, &manifest.Object{Node: l.config}
	l.self = manifest.GetString(item.Node, "metadata", "annotations", localConfig) == "true" &&
		item.APIVersion() == config.APIVersion() && item.Kind() == config.Kind() &&
		item.Name() == config.Name() && item.Namespace() == config.Namespace()
	return nil
}

// generating reports whether the list was sent to a generator: one without any
// resources.
func (l *resourceList) generating() bool { return l.self || len(l.items) == 0 }

// encodeAll writes documents, several at a time.
func encodeAll(nodes []*yaml.Node) ([][]byte, error) {
	written := make([][]byte, len(nodes))
	errs := parallel.Do(len(nodes), func(i int) (err error) {
		written[i], err = manifest.EncodeYAML(nodes[i])
		return err
	})
	return written, joined(errs)
}

// with writes the list with the result of a run.
func (l *resourceList) with(r *run) ([]byte, error) {
	var nodes []*yaml.Node
	for _, doc := range l.stream.Documents {
		if node := r.replaced[doc]; node != nil && !l.self {
			nodes = append(nodes, node)
		}
	}
	written, err := encodeAll(append(nodes, r.generated...))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "apiVersion: %s\nkind: %s\nitems:", l.apiVersion, listKind)
	empty := b.Len()
	b.WriteByte('\n')
	full := b.Len()
	for i, doc := range l.stream.Documents {
		switch node := r.replaced[doc]; {
		case l.self: // its own configuration is no resource
		case node == nil:
			b.Write(bytes.TrimSuffix(l.items[i], []byte("\n")))
			b.WriteByte('\n')
		default:
			b.Write(asItem(written[0]))
			written = written[1:]
		}
	}
	for _, text := range written {
		b.Write(asItem(text))
	}
	if b.Len() == full {
		b.Truncate(empty)
		b.WriteString(" []\n")
	}
	return b.Bytes(), nil
}

// plainStream writes the input with the result, as legacy plugins do.
func (r *run) plainStream() ([]byte, error) {
	for doc, node := range r.replaced {
		if err := doc.Replace(node); err != nil {
			return nil, err
		}
	}
	written, err := encodeAll(r.generated)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(r.input.Bytes())
	for _, text := range written {
		if len(out) > 0 {
			if out[len(out)-1] != '\n' {
				out = append(out, '\n')
			}
			out = append(out, "---\n"...)
		}
		out = append(out, text...)
	}
	return out, nil
}
