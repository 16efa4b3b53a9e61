// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// diffDocument is a document in one version of a file.
type diffDocument struct {
	maskedDocument
	file string
	// job are the documents that are opened together with it.
	job []*diffDocument
}

// documentPair is a document in both versions. One may be nil.
type documentPair struct{ old, new *diffDocument }

// documentsIn finds the documents of a version of a file.
func documentsIn(name string, data []byte) ([]*diffDocument, error) {
	stream, err := manifest.Split(data)
	if err != nil {
		return nil, err
	}
	in := input{name: name, stream: stream}
	objects, err := in.objects(func(f found) (bool, error) {
		sealed, err := toInspect(f)
		return err == nil && sealed || f.IsSecret(), nil
	}, "Secret", sopsdoc.Group, sopsdoc.MetadataKey)
	var all []*diffDocument
	for _, f := range objects {
		all = append(all, &diffDocument{maskedDocument: maskedDocument{found: f}, file: name})
	}
	for _, job := range unseal.Jobs(all, func(d *diffDocument) (string, *manifest.Object) { return name, d.Object }) {
		for _, d := range job {
			d.job = job
		}
	}
	return all, err
}

// documentName says which document is which in two versions.
type documentName struct {
	kind  string
	place secretPlace
}

func (d *diffDocument) name() documentName {
	n := documentName{d.Kind(), placeOf(d.found, "")}
	if d.Group() == sopsdoc.Group && d.Kind() == sopsdoc.Kind {
		n.kind = "Secret" // which it was, or will be
	}
	return n
}

// matchDocuments finds the documents of two versions that belong together: by name
// in the same file, by name in another, and then those that are alone in a file.
// Pairs that are the same to the byte are left out.
func matchDocuments(old, now []*diffDocument) []documentPair {
	left := slices.Clone(old)
	take := func(match func(*diffDocument) bool) *diffDocument {
		i := slices.IndexFunc(left, match)
		if i < 0 {
			return nil
		}
		d := left[i]
		left = slices.Delete(left, i, i+1)
		return d
	}
	pairs := make([]documentPair, len(now))
	for i, d := range now {
		pairs[i] = documentPair{take(func(o *diffDocument) bool { return o.file == d.file && o.name() == d.name() }), d}
	}
	for i, p := range pairs {
		if p.old == nil {
			pairs[i].old = take(func(o *diffDocument) bool { return o.name() == p.new.name() })
		}
	}
	alone := func(all []*diffDocument, file string) bool {
		n := 0
		for _, d := range all {
			if d.file == file {
				n++
			}
		}
		return n == 1
	}
	for i, p := range pairs {
		if file := p.new.file; p.old == nil && alone(old, file) && alone(now, file) {
			pairs[i].old = take(func(o *diffDocument) bool { return o.file == file && o.name().kind == p.new.name().kind })
		}
	}
	for _, d := range left {
		pairs = append(pairs, documentPair{old: d})
	}
	return slices.DeleteFunc(pairs, documentPair.same)
}

// same reports whether nothing at all has changed.
func (p documentPair) same() bool {
	return p.old != nil && p.new != nil && p.old.file == p.new.file && p.old.Item == 0 && p.new.Item == 0 && bytes.Equal(p.old.doc.Body(), p.new.doc.Body()) ||
		p.old != nil && p.new != nil && p.old.file == p.new.file && manifest.Equal(p.old.Node, p.new.Node)
}

// maskPairs opens the documents of all pairs, and masks them alike: both by value,
// or both by ciphertext where one of them does not open. The error is about those
// that do not.
func (m *masker) maskPairs(ctx context.Context, pairs []documentPair) error {
	var jobs [][]*diffDocument
	seen := map[*diffDocument]bool{} // the first of each job
	for _, p := range pairs {
		for _, d := range []*diffDocument{p.old, p.new} {
			if d != nil && !seen[d.job[0]] {
				seen[d.job[0]] = true
				jobs = append(jobs, d.job)
			}
		}
	}
	errs := parallel.Try(ctx, len(jobs), func(i int) error {
		first := jobs[i][0]
		m.job(ctx, maskedOf(jobs[i]))
		if first.cause != nil {
			return first.at(first.file, "open", first.cause)
		}
		return nil
	})
	closed := &masker{marks: m.marks}
	for i, job := range jobs {
		if job[0].values == nil { // not tried
			closed.job(ctx, maskedOf(job))
			job[0].cause = errs[i]
		}
	}
	for _, p := range pairs {
		if p.old == nil || p.new == nil || p.old.opened == p.new.opened {
			continue
		}
		for _, d := range []*diffDocument{p.old, p.new} {
			if d.opened && d.recipients() != nil {
				closed.job(ctx, []*maskedDocument{&d.maskedDocument})
				d.opened = false
			}
		}
	}
	return errors.Join(errs...)
}

func maskedOf(job []*diffDocument) []*maskedDocument {
	all := make([]*maskedDocument, len(job))
	for i, d := range job {
		all[i] = &d.maskedDocument
	}
	return all
}

// recipients names who can open the document, nil for a Secret in clear.
func (d *diffDocument) recipients() []string {
	if d == nil {
		return nil
	}
	return recipientNames(recipientsOf(d.found))
}

// label names the document.
func (d *diffDocument) label() string {
	if name := labels([]*target{{job: []found{d.found}}})[0]; name != "" {
		return name
	}
	return report.ObjectName(d.Object)
}
