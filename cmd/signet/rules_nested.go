// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/helmtext"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
)

// nested finds Secrets below other objects: in the values of a chart, in
// templates, in lists in lists, and in texts that are manifests themselves.
type nested struct {
	in   input
	of   found // the object that it is in
	all  []finding
	left int // nodes that may still be looked at
	// parameters are the values that the Template around gives to names.
	parameters *strings.Replacer
}

// maxNested bounds how deep texts in texts are looked at.
const maxNested = 5

// nestedSecrets returns findings about the Secrets in clear below an object.
func nestedSecrets(in input, f found) []finding {
	n := &nested{in: in, of: f, left: maxLenient}
	if isSecretNode(f.Node) {
		n.children(f.Node, "", 0, true)
	} else {
		n.other(f.Node, "", 0)
	}
	return n.all
}

// isSecretNode reports whether a mapping is a Secret, as an item of a SecretList
// or a text without apiVersion may be, too.
func isSecretNode(n *yaml.Node) bool {
	if n.Kind != yaml.MappingNode || manifest.GetString(n, "kind") != "Secret" {
		return false
	}
	switch manifest.GetString(n, "apiVersion") {
	case "v1", "/v1":
		return true
	case "":
		return isMapping(manifest.Get(n, "data")) || isMapping(manifest.Get(n, "stringData"))
	}
	return false
}

func isMapping(n *yaml.Node) bool { return n != nil && n.Kind == yaml.MappingNode }

// children looks at what is below a node. Of a Secret only its metadata is: its
// values are another rule's.
func (n *nested) children(node *yaml.Node, path string, depth int, secret bool) {
	switch node.Kind {
	case yaml.MappingNode:
		if around := n.parameters; around == nil {
			n.parameters = parametersOf(node)
			defer func() { n.parameters = around }()
		}
		list := manifest.GetString(node, "kind") == "SecretList"
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i].Value, node.Content[i+1]
			if secret && key != "metadata" {
				continue
			}
			if list && key == "items" {
				n.secretItems(value, manifest.ChildPath(path, key))
				continue
			}
			n.node(value, manifest.ChildPath(path, key), depth)
		}
	case yaml.SequenceNode:
		for i, item := range node.Content {
			n.node(item, path+"["+strconv.Itoa(i)+"]", depth)
		}
	}
}

func (n *nested) node(node *yaml.Node, path string, depth int) {
	if n.left--; n.left < 0 {
		return
	}
	switch {
	case node.Kind == yaml.ScalarNode:
		n.text(node, path, depth)
	case isSecretNode(node):
		n.secret(written(node), path)
		n.children(node, path, depth, true)
	default:
		n.other(node, path, depth)
	}
}

// other looks at what is no Secret itself.
func (n *nested) other(node *yaml.Node, path string, depth int) {
	if node.Kind == yaml.MappingNode {
		n.patch(node)
		if resource := pulumiSecret(node); resource != nil {
			n.secret(resource, path)
			return
		}
	}
	n.children(node, path, depth, false)
}

// secretItems looks at the items of a SecretList, which need no kind.
func (n *nested) secretItems(items *yaml.Node, path string) {
	for i, item := range items.Content {
		if item.Kind == yaml.MappingNode {
			n.secret(item, path+"["+strconv.Itoa(i)+"]")
		}
	}
}

// position is where a text stands in a file.
type position struct {
	line  int  // 1-based, of its first line
	exact bool // each of its lines is one of the file
}

// below is the position of what begins on a line of the text, 1-based.
func (p position) below(line int) position {
	if p.exact {
		p.line += line - 1
	}
	return p
}

// positionOf is that of the text of a scalar.
func positionOf(n *yaml.Node) position {
	if n.Style&yaml.LiteralStyle != 0 {
		return position{n.Line + 1, true}
	}
	return position{n.Line, false}
}

// text looks at a string that may be a manifest itself, or a script that has one.
func (n *nested) text(node *yaml.Node, path string, depth int) {
	text := node.Value
	if depth >= maxNested || len(text) < 20 {
		return
	}
	if decoded := decodedManifest(text); decoded != "" {
		n.manifest(decoded, position{node.Line, false}, path, depth)
		return
	}
	if !strings.Contains(text, "Secret") && !manifest.Mentions([]byte(text), disguises...) || !strings.ContainsAny(text, ":{") {
		return
	}
	if at := positionOf(node); !n.script(text, at, path, depth) {
		n.manifest(text, at, path, depth)
	}
}

// manifest looks at a text that may be a manifest, or a template of one.
func (n *nested) manifest(text string, at position, path string, depth int) {
	if helmtext.IsTemplate(text) {
		n.template(text, at, path)
		return
	}
	stream, err := manifest.Split([]byte(text))
	if err != nil {
		return
	}
	for _, doc := range stream.Documents {
		inner, err := lenient(doc.Raw(), doc.Line)
		if err != nil || inner == nil || inner.Kind == yaml.ScalarNode {
			continue
		}
		at.place(inner)
		n.node(inner, path, depth+1)
	}
}

// template looks at a string that is a template.
func (n *nested) template(text string, at position, path string) {
	secrets, err := templateSecrets(text)
	if err != nil {
		return
	}
	for _, s := range secrets {
		keys := writtenKeys(s)
		is := n.of.find(n.in.name, ruleClearSecret, nestedMessage(path)+some(keys), nestedHint)
		if s.Name != "" {
			is.Object = report.Visible(s.Name)
		}
		is.Line, is.Keys = at.below(s.Line).line, keys
		n.all = append(n.all, is)
	}
}

// place gives a tree that was parsed from the text the lines of the file.
func (p position) place(n *yaml.Node) {
	n.Line = p.below(n.Line).line
	if !p.exact {
		n.Style &^= yaml.LiteralStyle // the lines of a text within are not known either
	}
	for _, child := range n.Content {
		p.place(child)
	}
}

func nestedMessage(path string) string {
	if path == "" {
		return "a Secret with values in clear: "
	}
	return "a Secret with values in clear in " + report.Visible(path) + ": "
}

// secret tells of the values in clear of one Secret.
func (n *nested) secret(node *yaml.Node, path string) {
	f := found{&manifest.Object{Node: n.filledIn(node)}, n.of.doc, n.of.root}
	v := valuesOf(f)
	leaked := append(append(v.clear, v.misnamed...), append(v.fake, v.orphaned...)...)
	if len(leaked) == 0 {
		return
	}
	name := report.ObjectName(f.Object)
	is := n.of.find(n.in.name, ruleClearSecret, nestedMessage(path)+some(leaked), nestedHint)
	if name != "" {
		is.Object = name
	}
	is.Line, is.Keys = node.Line, leaked
	n.all = append(n.all, is)
}

const nestedHint = "what holds the Secret cannot be sealed: put the Secret into a file of its own, seal it, and refer to it by name"
