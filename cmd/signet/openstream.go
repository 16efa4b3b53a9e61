// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// found is an object in a stream that has to be opened or sealed.
type found struct {
	*manifest.Object
	doc  *manifest.Document
	root *yaml.Node // the document node
}

// label names an object of the input in notes.
func (in input) label(f found) string {
	return report.Source(in.name) + ", " + report.ObjectName(f.Object)
}

// at places an error at the object.
func (f found) at(file, operation string, err error) error {
	return report.At(file, f.doc, f.Object, operation, err)
}

// objects returns the objects of all documents that might contain one of
// words, and forgets the trees of documents for which want returns none.
func (in input) objects(want func(found) (bool, error), words ...string) ([]found, error) {
	docs, err := in.stream.Concerning(words...)
	if err != nil {
		return nil, &report.PlacedError{File: in.name, Operation: "read", Err: err}
	}
	var all []found
	var errs []error
	for _, doc := range docs {
		objects, err := in.documentObjects(doc, want)
		if err != nil {
			errs = append(errs, report.Split(err)...)
		}
		if len(objects) == 0 {
			doc.Forget()
		}
		all = append(all, objects...)
	}
	return all, errors.Join(errs...)
}

func (in input) documentObjects(doc *manifest.Document, want func(found) (bool, error)) ([]found, error) {
	node, objects, err := doc.Objects()
	if err != nil {
		return nil, &report.PlacedError{File: in.name, Document: doc.Index, Operation: "read", Err: err}
	}
	var wanted []found
	var errs []error
	for _, o := range objects {
		f := found{o, doc, node}
		ok, err := want(f)
		if err != nil {
			errs = append(errs, f.at(in.name, "read", err))
		}
		if ok {
			wanted = append(wanted, f)
		}
	}
	return wanted, errors.Join(errs...)
}

// toOpen reports whether an object has to be opened. What has no kind is no
// object.
func toOpen(f found) (bool, error) {
	sealed, err := unseal.IsSealed(f.Object)
	return sealed && f.Kind() != "", err
}

// toOpen is toOpen for the objects of this input. In input that the user named
// a SOPS document that is no manifest counts too, and then is an error: passing
// on its ciphertext would look like success. A folder may hold such files for
// other tools.
func (in input) toOpen(f found) (bool, error) {
	if !in.walked && f.Kind() == "" && sopsdoc.FileMAC(f.Node) != "" {
		return true, nil
	}
	return toOpen(f)
}

// remark is something that could surprise whoever opens a stream.
type remark struct{ place, text string }

// remarks returns them for what is to be opened: they are true if it opens.
func (in input) remarks(objects []found) []remark {
	var all []remark
	switch {
	case len(objects) == 0 && in.rendered():
		all = append(all, remark{report.Source(in.name), "nothing in it is sealed; if kustomize has built it, what functions make may be missing: " + skippedNote})
	case len(objects) == 0 && !in.walked:
		all = append(all, remark{report.Source(in.name), "nothing in it is sealed"})
	case in.skips:
		all = append(all, remark{report.Source(in.name), "what functions make may be missing: " + skippedNote})
	}
	for _, f := range objects {
		name := manifest.GetString(f.Node, "spec", "secretName")
		switch {
		case f.Group() != sopsdoc.Group:
		case manifest.Get(f.Node, "spec", "sealed", "merge") != nil:
			all = append(all, remark{in.label(f), "holds keys to be added to Secret " + report.Visible(cmp.Or(name, f.Name())) + ", which somebody else makes"})
		case name != "" && name != f.Name():
			all = append(all, remark{in.label(f), "the Secret keeps the name that it was sealed under: " + report.Visible(name)})
		}
	}
	return all
}

const skippedNote = skippedHint + "; signet check --kustomization DIR finds that"

// rendered reports whether an input is most likely what a build has made.
func (in input) rendered() bool { return in.fromCommand || in.name == "-" }

// builtError is an error about a document from a build, which may have changed
// or moved it.
type builtError struct{ err error }

func (e *builtError) Error() string { return e.err.Error() }
func (e *builtError) Unwrap() error { return e.err }

// built marks what a build may be to blame for: a SOPS document that does not
// authenticate, and one of Signet's in another place.
func (in input) built(f found, err error) error {
	sops := f.Group() != sopsdoc.Group && errors.As(err, new(*sopsdoc.TamperedError))
	if in.rendered() && (sops || errors.As(err, new(*unseal.ScopeError))) {
		return &builtError{err}
	}
	return err
}

// openStream opens what is sealed in a stream and returns the whole stream, or
// an error for each document that could not be opened.
func openStream(ctx context.Context, in input, o unseal.Options) ([]byte, error) {
	unopened := in.unopened()
	objects, err := in.objects(in.toOpen, sopsdoc.Group, sopsdoc.MetadataKey)
	if err := errors.Join(append(report.Split(unopened), report.Split(err)...)...); err != nil {
		return nil, err
	}
	remarks := in.remarks(objects)
	jobs := unseal.Jobs(objects, func(f found) (string, *manifest.Object) { return in.name, f.Object })
	errs := parallel.Try(ctx, len(jobs), func(i int) error { return in.openJob(ctx, jobs[i], o) })
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	text, err := in.replaced(objects)
	if err != nil {
		return nil, err
	}
	for _, r := range remarks {
		note(in.notes, r.place, r.text)
	}
	return text, nil
}

// replaced writes the documents of the objects back into the stream.
func (in input) replaced(objects []found) ([]byte, error) {
	var firsts []found // the first object of each document
	for _, f := range objects {
		if len(firsts) == 0 || firsts[len(firsts)-1].doc != f.doc {
			firsts = append(firsts, f)
		}
	}
	errs := parallel.Do(len(firsts), func(i int) error {
		if err := firsts[i].doc.Replace(firsts[i].root); err != nil {
			return firsts[i].at(in.name, "write", err)
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return in.stream.Bytes(), nil
}

// openJob opens one SealedSecret, or the documents of one SOPS file.
func (in input) openJob(ctx context.Context, job []found, o unseal.Options) error {
	if job[0].Group() == sopsdoc.Group {
		opened, err := unseal.Open(ctx, job[0].Node, o)
		if err != nil {
			return job[0].at(in.name, "open", in.built(job[0], err))
		}
		job[0].Replace(opened.Secret.Node())
		return nil
	}
	nodes := make([]*yaml.Node, len(job))
	for i, f := range job {
		nodes[i] = f.Tree() // comments of the document count for selectors
	}
	opened, err := unseal.OpenFile(ctx, nodes, o)
	if err != nil {
		return job[0].at(in.name, "open", in.built(job[0], err))
	}
	for i, n := range opened.Documents {
		job[i].Replace(n)
		if job[i].Item == 0 {
			job[i].root.HeadComment, job[i].root.FootComment = n.HeadComment, n.FootComment
		}
	}
	return nil
}
