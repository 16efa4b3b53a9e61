// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"errors"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// target is an object, with the place where it was found.
type target struct {
	*manifest.Object
	file   string             // "-" is the input
	doc    *manifest.Document // nil for the configuration
	root   *yaml.Node         // the document node
	sealed bool
}

// at places an error at the object.
func (t *target) at(operation string, err error) error {
	if t.file == "-" { // the number would mean nothing to anybody
		return &report.PlacedError{File: "resources", Object: report.ObjectName(t.Object), Operation: operation, Err: err}
	}
	return report.At(t.file, t.doc, t.Object, operation, err)
}

// tree returns the node that holds all of the object, comments included: the
// document node, or the item of a List.
func (t *target) tree() *yaml.Node {
	if t.Item == 0 {
		return t.root
	}
	return t.Node
}

// isSealed reports whether an object has to be opened. Objects of Signet's API
// that this version does not know are errors: passing them on would let them
// reach a cluster unopened.
func isSealed(o *manifest.Object) (bool, error) {
	if o.Group() == sopsdoc.Group || o.APIVersion() == sopsdoc.Group {
		switch {
		case o.APIVersion() != sopsdoc.APIVersion:
		case o.Kind() == sopsdoc.Kind:
			return true, nil
		case o.Kind() == sopsdoc.KeyKind:
			return false, nil
		}
		return false, &unknownObjectError{o.APIVersion(), o.Kind()}
	}
	return manifest.Get(o.Node, sopsdoc.MetadataKey) != nil, nil
}

// maxParsedNodes bounds what is parsed of one stream: a node takes some 3 us
// and 200 bytes. It is room for 4,000 SealedSecrets.
const maxParsedNodes = 500_000

// targets returns the objects of the documents for which want returns true,
// sealed or not.
func targets(file string, stream *manifest.Stream, want func(*manifest.Document) bool) ([]*target, error) {
	var docs []*manifest.Document
	nodes := 0
	for _, doc := range stream.Documents {
		if doc.Index > 0 && want(doc) {
			docs = append(docs, doc)
			nodes += doc.Nodes()
		}
	}
	if len(docs) > 1 && nodes > maxParsedNodes {
		return nil, &report.PlacedError{File: file, Operation: "read", Err: &tooMuchError{len(docs), nodes}}
	}
	var all []*target
	var errs []error
	for _, doc := range docs {
		found, err := documentTargets(file, doc)
		errs = append(errs, report.Split(err)...)
		all = append(all, found...)
	}
	return all, errors.Join(errs...)
}

func documentTargets(file string, doc *manifest.Document) ([]*target, error) {
	node, err := doc.Node()
	var objects []*manifest.Object
	if err == nil {
		objects, err = manifest.Objects(node)
	}
	if err != nil {
		return nil, &report.PlacedError{File: file, Document: doc.Index, Operation: "read", Err: err}
	}
	var all []*target
	var errs []error
	for _, o := range objects {
		t := &target{Object: o, file: file, doc: doc, root: node}
		if t.sealed, err = isSealed(o); err != nil {
			errs = append(errs, t.at("read", err))
		}
		all = append(all, t)
	}
	return all, errors.Join(errs...)
}

// sealedOf returns those that are sealed.
func sealedOf(all []*target) []*target {
	var sealed []*target
	for _, t := range all {
		if t.sealed {
			sealed = append(sealed, t)
		}
	}
	return sealed
}
