// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"errors"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/unseal"
)

// target is an object, with the place where it was found.
type target struct {
	*manifest.Object
	file   string             // "-" is the input
	doc    *manifest.Document // an empty one for the configuration
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

// source is a document that has to be parsed, and the file that it is from.
type source struct {
	file string
	doc  *manifest.Document
}

// targets parses documents, several at a time, and returns for each its
// objects, sealed or not, or what is wrong with it.
func targets(docs []source) (found [][]*target, errs []error) {
	found = make([][]*target, len(docs))
	errs = parallel.Do(len(docs), func(i int) (err error) {
		found[i], err = docs[i].targets()
		return err
	})
	for i, err := range errs {
		if panicked, ok := err.(*parallel.PanicError); ok {
			errs[i] = docs[i].at(panicked)
		}
	}
	return found, errs
}

func (s source) at(err error) error {
	return &report.PlacedError{File: s.file, Document: s.doc.Index, Operation: "read", Err: err}
}

func (s source) targets() ([]*target, error) {
	node, objects, err := s.doc.Objects()
	if err == nil {
		err = unseal.CheckUnopened(node, objects)
	}
	if err != nil {
		return nil, s.at(err)
	}
	var all []*target
	var errs []error
	for _, o := range objects {
		t := &target{Object: o, file: s.file, doc: s.doc, root: node}
		if t.sealed, err = unseal.IsSealed(o); err != nil {
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
