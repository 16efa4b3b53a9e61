// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"context"
	"errors"
	"slices"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/tree"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// openSelf opens the SealedSecret that is the configuration.
func (r *run) openSelf(ctx context.Context) error {
	t := &target{Object: &manifest.Object{Node: r.config}, file: "configuration " + sopsdoc.Kind, doc: &manifest.Document{}, root: r.config, sealed: true}
	opened, err := r.open(ctx, []*target{t})
	if err != nil {
		return err
	}
	r.generated = append(r.generated, opened[t])
	return nil
}

// openInput opens what is sealed in the resources that were sent.
func (r *run) openInput(ctx context.Context) error {
	concerned, err := r.input.Concerning(sopsdoc.Group, sopsdoc.MetadataKey)
	if err != nil {
		return &report.PlacedError{File: "-", Operation: "read", Err: err}
	}
	docs := make([]source, len(concerned))
	for i, doc := range concerned {
		docs[i] = source{"-", doc}
	}
	found, errs := targets(docs)
	if err := joined(errs); err != nil {
		return err
	}
	all := slices.Concat(found...)
	sealed := slices.DeleteFunc(sealedOf(all), isLocal)
	if len(sealed) == 0 {
		r.notes.Note("resources", "nothing in them is sealed")
	}
	opened, err := r.open(ctx, sealed)
	if err != nil {
		return err
	}
	for _, t := range sealed {
		t.Replace(opened[t])
		r.replaced[t.doc] = t.root
	}
	return nil
}

// openFiles emits all objects of the files, opened where they are sealed. What
// is not sealed must stand beside what is.
func (r *run) openFiles(ctx context.Context, patterns []string) error {
	names, content, err := r.readFiles(ctx, patterns)
	if err != nil {
		return err
	}
	all, err := r.fileTargets(names, content)
	if err != nil {
		return err
	}
	opened, err := r.open(ctx, sealedOf(all))
	if err != nil {
		return err
	}
	for _, t := range all {
		n := t.Node
		if t.sealed {
			n = opened[t]
		} else {
			r.withoutOptions(t.file, n)
		}
		r.generated = append(r.generated, n)
	}
	return nil
}

// fileTargets returns the objects of all files, in the order of these, or all
// errors in that order.
func (r *run) fileTargets(names []string, content [][]byte) ([]*target, error) {
	var docs []source
	var all []*manifest.Document
	ends := make([]int, len(names)) // of the files' documents in docs
	errs := make([]error, len(names))
	for i, name := range names {
		stream, err := manifest.Split(content[i])
		if err != nil {
			errs[i] = &report.PlacedError{File: name, Operation: "read", Err: err}
			stream = &manifest.Stream{}
		}
		for _, doc := range stream.Documents {
			if doc.Index > 0 {
				docs, all = append(docs, source{name, doc}), append(all, doc)
			}
		}
		ends[i] = len(docs)
	}
	if err := manifest.CheckNodes(all); err != nil {
		return nil, r.atConfig("read", err)
	}
	found, wrong := targets(docs)
	start := 0
	for i, end := range ends {
		if errs[i] == nil {
			errs[i] = joined(wrong[start:end])
		}
		if errs[i] == nil {
			errs[i] = checkFile(names[i], slices.Concat(found[start:end]...))
		}
		start = end
	}
	return slices.Concat(found...), joined(errs)
}

// checkFile refuses a file of what are no objects, or in which nothing is
// sealed.
func checkFile(name string, found []*target) error {
	var errs []error
	for _, t := range found {
		if t.Kind() == "" || t.APIVersion() == "" {
			errs = append(errs, t.at("read", errNotObject))
		}
	}
	if len(errs) == 0 && len(sealedOf(found)) == 0 {
		return &report.PlacedError{File: name, Operation: "read", Err: errNothingSealed}
	}
	return errors.Join(errs...)
}

// readFiles reads the files that the patterns name, each once and sorted.
func (r *run) readFiles(ctx context.Context, patterns []string) (names []string, content [][]byte, err error) {
	f, err := openFolder(r.root)
	if err != nil {
		return nil, nil, &report.PlacedError{File: r.root, Operation: "read", Err: tree.Cause(err)}
	}
	defer f.close()
	if names, err = f.match(ctx, patterns); err != nil {
		return nil, nil, err
	}
	content, err = f.readAll(ctx, names)
	return names, content, err
}
