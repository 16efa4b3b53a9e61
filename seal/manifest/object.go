// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Object is one Kubernetes object in a document: the document itself, or an
// item of a List.
type Object struct {
	// Node is the mapping of the object.
	Node *yaml.Node
	// Item is its 1-based place in the List, 0 if it is the document itself.
	Item int

	slot *yaml.Node // the node whose content holds Node
	at   int
}

// Replace puts n in the place of the object in its tree.
func (o *Object) Replace(n *yaml.Node) {
	if len(n.Content) > 0 && n.Kind == yaml.DocumentNode {
		n = n.Content[0]
	}
	if o.slot == o.Node { // Objects was given a mapping, not a document
		*o.Node = *n
		return
	}
	o.Node = n
	o.slot.Content[o.at] = n
}

// Tree returns the node that holds all of the object, comments included: the
// document node, or the item of a List.
func (o *Object) Tree() *yaml.Node {
	if o.Item == 0 && o.slot != nil {
		return o.slot
	}
	return o.Node
}

// APIVersion returns the apiVersion, or "".
func (o *Object) APIVersion() string { return GetString(o.Node, "apiVersion") }

// Group returns the API group, "" for the core group.
func (o *Object) Group() string {
	group, _, ok := strings.Cut(o.APIVersion(), "/")
	if !ok {
		return ""
	}
	return group
}

// Kind returns the kind, or "".
func (o *Object) Kind() string { return GetString(o.Node, "kind") }

// Name returns metadata.name, or "".
func (o *Object) Name() string { return GetString(o.Node, "metadata", "name") }

// Namespace returns metadata.namespace, or "".
func (o *Object) Namespace() string { return GetString(o.Node, "metadata", "namespace") }

// Objects returns the objects of a document node: its mapping, or the items if
// that is a List (v1 List, SecretList, SealedSecretList: any kind that ends in
// List and has items). A document that is no mapping has none, and items that
// are no mappings are left out. An item without kind and a List inside a List,
// which kubectl does not unpack either, are a *SyntaxError.
func Objects(doc *yaml.Node) ([]*Object, error) {
	root := Root(doc)
	if root == nil || root.Kind != yaml.MappingNode {
		return nil, nil
	}
	whole := &Object{Node: root, slot: doc, at: 0}
	items := Get(root, "items")
	if items == nil || items.Kind != yaml.SequenceNode {
		return []*Object{whole}, nil
	}
	if !strings.HasSuffix(whole.Kind(), "List") {
		// Some readers take any object with items for a List.
		if i := slices.IndexFunc(items.Content, isObject); i >= 0 {
			return nil, &SyntaxError{Line: items.Content[i].Line, Path: "items", Reason: "an object in the items of what is no List"}
		}
		return []*Object{whole}, nil
	}
	var objects []*Object
	for i, n := range items.Content {
		if n.Kind != yaml.MappingNode {
			continue
		}
		o := &Object{Node: n, Item: i + 1, slot: items, at: i}
		if o.Kind() == "" {
			return nil, &SyntaxError{Line: n.Line, Path: "items", Reason: "an item without kind"}
		}
		if inner := Get(n, "items"); strings.HasSuffix(o.Kind(), "List") && inner != nil && inner.Kind == yaml.SequenceNode {
			return nil, &SyntaxError{Line: n.Line, Path: "items", Reason: "a List inside a List"}
		}
		objects = append(objects, o)
	}
	return objects, nil
}

// Objects returns the document node and the objects in it, as the function
// Objects does. The errors are those of Node and of the function.
func (d *Document) Objects() (*yaml.Node, []*Object, error) {
	node, err := d.Node()
	if err != nil {
		return nil, nil, err
	}
	objects, err := Objects(node)
	return node, objects, err
}

func isObject(n *yaml.Node) bool {
	return GetString(n, "kind") != "" && GetString(n, "apiVersion") != ""
}

// MightConcern reports, without parsing, whether the raw document could hold
// an object that names one of the words anywhere, seen through everything that
// YAML and JSON offer to hide a name: escapes, tags, anchors, aliases. False
// is certain, true is not.
func MightConcern(raw []byte, words ...string) bool {
	return Mentions(raw, words...) || mightHide(raw)
}

// mightHide reports whether raw could have something that stands for other
// text: "\x73" and the like, or a line break that is escaped, in double quotes;
// a tag, an anchor or an alias where a node can begin. Prose, regular
// expressions and globs, of which CRDs are full, mostly pass.
func mightHide(raw []byte) bool {
	for i := bytes.IndexAny(raw, "\\&*!"); i >= 0; {
		if raw[i] == '\\' && escapes(raw[i+1:]) || raw[i] != '\\' && beginsNode(raw[:i]) {
			return true
		}
		next := bytes.IndexAny(raw[i+1:], "\\&*!")
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}

// escapes reports whether a backslash before rest can give a printable ASCII
// character other than the quote and the backslash, or take away a line break
// (YAML 1.2.2 section 5.7; \u0085 and the like are breaks, too).
func escapes(rest []byte) bool {
	return len(rest) == 0 || bytes.IndexByte([]byte("xuU/\r\n"), rest[0]) >= 0 || rest[0] >= utf8.RuneSelf
}

// beginsNode reports whether a node can begin after before: on a new line, or
// after an indicator or a line break. In prose a word stands before the blank.
func beginsNode(before []byte) bool {
	trimmed := bytes.TrimRight(before, " \t")
	if len(trimmed) == 0 {
		return true
	}
	last := trimmed[len(trimmed)-1]
	return bytes.IndexByte([]byte("\r\n,[{:?-"), last) >= 0 || last >= utf8.RuneSelf
}

// Mentions reports whether the raw document spells out one of the words. It
// can be deceived, so nothing but convenience may rest on it.
func Mentions(raw []byte, words ...string) bool {
	for _, w := range words {
		if bytes.Contains(raw, []byte(w)) {
			return true
		}
	}
	return false
}
