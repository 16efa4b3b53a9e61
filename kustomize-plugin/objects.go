// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"errors"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
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

// maxParsedNodes bounds what is parsed in one run: a node takes some 3 us and
// 200 bytes. It is room for 4,000 SealedSecrets.
const maxParsedNodes = 500_000

// source is a document that has to be parsed, and the file that it is from.
type source struct {
	file string
	doc  *manifest.Document
}

// tooMuch refuses documents that would take too much time and memory.
func tooMuch(docs []source) error {
	nodes := 0
	for _, s := range docs {
		nodes += s.doc.Nodes()
	}
	if len(docs) > 1 && nodes > maxParsedNodes {
		return &tooMuchError{len(docs), nodes}
	}
	return nil
}

// targets parses documents, several at a time, and returns for each its
// objects, sealed or not, or what is wrong with it.
func targets(docs []source) (found [][]*target, errs []error) {
	found, errs = make([][]*target, len(docs)), make([]error, len(docs))
	inParallel(len(docs), func(i int) {
		err := protected(func(i int) (err error) {
			found[i], err = documentTargets(docs[i].file, docs[i].doc)
			return err
		}, i)
		if panicked, ok := err.(*panicError); ok {
			err = &report.PlacedError{File: docs[i].file, Document: docs[i].doc.Index, Operation: "read", Err: panicked}
		}
		errs[i] = err
	})
	return found, errs
}

func documentTargets(file string, doc *manifest.Document) ([]*target, error) {
	node, err := doc.Node()
	var objects []*manifest.Object
	if err == nil {
		objects, err = manifest.Objects(node)
	}
	if err == nil {
		err = unseal.CheckUnopened(node, objects)
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
