// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// ID says which document of a file is which in all versions of it.
type ID struct {
	Group, Kind string
	Namespace   string // "" if nothing says which
	// Name is that of the Secret that a SealedSecret becomes, else that of the
	// object.
	Name string
	// Object is the name of a SealedSecret where several in the file become one
	// Secret, else "".
	Object string
	JSON   bool // written in JSON
}

// String returns the namespace, if there is one, and the name. It is not made
// safe for terminals.
func (id ID) String() string {
	name := cmp.Or(id.Object, id.Name)
	if id.Namespace == "" {
		return name
	}
	return id.Namespace + "/" + name
}

// Part is a sealed document in one version of a file.
type Part struct {
	// Node is the document node. The caller must not change it.
	Node *yaml.Node
	// Body is the document as it was read, without its separator.
	Body []byte
	// File are the documents of this version that were encrypted together, in
	// order, this one included. A SealedSecret is alone.
	File []*Part

	id     ID   // zero for a document that is not merged
	object ID   // id with Object
	sops   bool // SOPS encrypted it
	json   bool
	mac    string // of a SOPS document
	token  string // in its placeholder
	at     int    // Index in its stream
}

// maxNodes bounds what is parsed of a version with several documents: a node
// takes some 3 us and some 200 bytes.
const maxNodes = 400_000

// errTooMuch says that a version has too much to be parsed.
var errTooMuch = errors.New("too much of it has to be parsed")

// partsOf finds what is sealed in a stream. Documents that cannot be parsed are
// text.
func partsOf(s *manifest.Stream) ([]*Part, error) {
	var docs []*manifest.Document
	nodes := 0
	for _, doc := range s.Documents {
		if doc.Index > 0 && manifest.MightConcern(doc.Raw(), sopsdoc.Group, sopsdoc.MetadataKey) {
			docs = append(docs, doc)
			nodes += doc.Nodes()
		}
	}
	if len(docs) > 1 && nodes > maxNodes {
		return nil, errTooMuch
	}
	var parts []*Part
	for _, doc := range docs {
		node, err := doc.Node()
		if err != nil || !sealed(node) {
			doc.Forget()
			continue
		}
		p := &Part{Node: node, Body: doc.Body(), at: doc.Index, json: doc.JSON()}
		p.identify(doc)
		parts = append(parts, p)
	}
	together(parts)
	return parts, nil
}

// sealed reports whether a document is one that must not be merged as text, or
// holds one in a List.
func sealed(doc *yaml.Node) bool {
	root := rootOf(doc)
	if isSealed(root) {
		return true
	}
	items := manifest.Get(root, "items")
	if items == nil || items.Kind != yaml.SequenceNode {
		return false
	}
	for _, n := range items.Content {
		if isSealed(n) {
			return true
		}
	}
	return false
}

func isSealed(n *yaml.Node) bool {
	if !isMapping(n) {
		return false
	}
	group, _, _ := strings.Cut(manifest.GetString(n, "apiVersion"), "/")
	return group == sopsdoc.Group && manifest.Get(n, "spec", "sealed") != nil || sopsdoc.FileMAC(n) != ""
}

// identify finds out which document p is. Those that are no object, Lists and
// SealingKeys stay without an ID: nothing in them is merged.
func (p *Part) identify(doc *manifest.Document) {
	root := rootOf(p.Node)
	p.mac = sopsdoc.FileMAC(root)
	p.sops = p.mac != ""
	objects, err := manifest.Objects(p.Node)
	if err != nil || len(objects) != 1 || objects[0].Item > 0 || objects[0].Kind() == "" {
		return
	}
	o := objects[0]
	id := ID{Group: o.Group(), Kind: o.Kind(), Namespace: o.Namespace(), Name: o.Name(), JSON: doc.JSON()}
	switch {
	case o.Group() == sopsdoc.Group && (o.APIVersion() != sopsdoc.APIVersion || o.Kind() != sopsdoc.Kind || p.sops):
		return
	case o.Group() == sopsdoc.Group:
		scope, _, _ := strings.Cut(manifest.GetString(root, "spec", "sealed", "scope"), "/")
		if id.Namespace == "" && scope != sopsdoc.Any {
			id.Namespace = scope
		}
		id.Name = cmp.Or(manifest.GetString(root, "spec", "secretName"), id.Name)
	}
	if id.Name == "" {
		return
	}
	p.id, p.object = id, id
	p.object.Object = o.Name()
}

// together finds the documents of each SOPS file: those that follow each other
// with the same mac.
func together(parts []*Part) {
	for i, p := range parts {
		p.File = []*Part{p}
		if i > 0 && p.sops && parts[i-1].sops && p.mac == parts[i-1].mac {
			p.File = append(parts[i-1].File, p)
		}
	}
	for i := len(parts) - 2; i >= 0; i-- {
		if next := parts[i+1]; parts[i].sops && next.sops && parts[i].mac == next.mac {
			parts[i].File = next.File
		}
	}
}

// digest is what a document is known by that has no ID, or that one side does
// not have: its text. That of a SOPS document is taken without the metadata,
// which changes with any document of the file.
func (p *Part) digest() [sha256.Size]byte {
	if p.sops && p.id != (ID{}) {
		n := clone(p.Node)
		manifest.Delete(rootOf(n), sopsdoc.MetadataKey)
		if text, err := manifest.EncodeYAML(n); err == nil {
			return sha256.Sum256(text)
		}
	}
	return sha256.Sum256(withoutBreak(p.Body))
}
