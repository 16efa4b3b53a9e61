// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"strings"

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
// List and has items). A document that is no mapping has none. A List inside a
// List is an error: kubectl does not unpack it either.
func Objects(doc *yaml.Node) ([]*Object, error) {
	root := Root(doc)
	if root == nil || root.Kind != yaml.MappingNode {
		return nil, nil
	}
	whole := &Object{Node: root, slot: doc, at: 0}
	items := Get(root, "items")
	if !strings.HasSuffix(whole.Kind(), "List") || items == nil || items.Kind != yaml.SequenceNode {
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

// MightConcern reports, without parsing, whether the raw document could hold
// an object that names one of the words anywhere, seen through everything that
// YAML and JSON offer to hide a name: escapes, tags, anchors, aliases. False
// is certain, true is not.
func MightConcern(raw []byte, words ...string) bool {
	if bytes.ContainsAny(raw, "\\&*!") {
		return true
	}
	return Mentions(raw, words...)
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
