// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
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

// tree returns the node that holds all of the object, comments included: the
// document node, or the item of a List.
func (f found) tree() *yaml.Node {
	if f.Item == 0 {
		return f.root
	}
	return f.Node
}

// label names an object of the input in notes.
func (in input) label(f found) string {
	return report.Source(in.name) + ", " + report.ObjectName(f.Object)
}

// at places an error at the object.
func (f found) at(file, operation string, err error) error {
	return report.At(file, f.doc, f.Object, operation, err)
}

// concern returns the documents that might contain one of words.
func (in input) concern(words ...string) ([]*manifest.Document, error) {
	var docs []*manifest.Document
	nodes := 0
	for _, doc := range in.stream.Documents {
		if doc.Index > 0 && manifest.MightConcern(doc.Raw(), words...) {
			docs = append(docs, doc)
			nodes += doc.Nodes()
		}
	}
	if len(docs) > 1 && nodes > userkeys.MaxParsedNodes {
		return nil, &report.PlacedError{File: in.name, Operation: "read", Err: &userkeys.TooMuchError{Documents: len(docs), Nodes: nodes}}
	}
	return docs, nil
}

// objects returns the objects of all documents that might contain one of
// words, and forgets the trees of documents for which want returns none.
func (in input) objects(want func(found) (bool, error), words ...string) ([]found, error) {
	docs, err := in.concern(words...)
	if err != nil {
		return nil, err
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
	node, err := doc.Node()
	var objects []*manifest.Object
	if err == nil {
		objects, err = manifest.Objects(node)
	}
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

// unknownObjectError says that an object of Signet's API cannot be handled.
type unknownObjectError struct {
	apiVersion, kind string
}

func (e *unknownObjectError) Error() string {
	return "unknown object " + report.Visible(e.apiVersion) + " " + report.Visible(e.kind)
}

// toOpen reports whether an object has to be opened. Objects of Signet's API
// that this version does not know are errors: passing them on would let them
// reach a cluster unopened.
func toOpen(f found) (bool, error) {
	if f.Group() == sopsdoc.Group || f.APIVersion() == sopsdoc.Group {
		switch {
		case f.APIVersion() != sopsdoc.APIVersion:
		case f.Kind() == sopsdoc.Kind:
			return true, nil
		case f.Kind() == sopsdoc.KeyKind:
			return false, nil
		}
		return false, &unknownObjectError{f.APIVersion(), f.Kind()}
	}
	return manifest.Get(f.Node, sopsdoc.MetadataKey) != nil && f.Kind() != "", nil
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

// remark tells what could surprise whoever opens a stream.
func (in input) remark(objects []found) {
	if len(objects) == 0 && !in.walked {
		note(in.notes, report.Source(in.name), "nothing in it is sealed")
	}
	for _, f := range objects {
		name := manifest.GetString(f.Node, "spec", "secretName")
		switch {
		case f.Group() != sopsdoc.Group:
		case manifest.Get(f.Node, "spec", "sealed", "merge") != nil:
			note(in.notes, in.label(f), "holds keys to be added to Secret "+report.Visible(cmp.Or(name, f.Name()))+", which somebody else makes")
		case name != "" && name != f.Name():
			note(in.notes, in.label(f), "the Secret keeps the name that it was sealed under: "+report.Visible(name))
		}
	}
}

// openStream opens what is sealed in a stream and returns the whole stream, or
// an error for each document that could not be opened.
func openStream(ctx context.Context, in input, o unseal.Options) ([]byte, error) {
	unopened := in.unopened()
	objects, err := in.objects(in.toOpen, sopsdoc.Group, sopsdoc.MetadataKey)
	if err := errors.Join(append(report.Split(unopened), report.Split(err)...)...); err != nil {
		return nil, asOpenErrors(err)
	}
	in.remark(objects)
	jobs := openJobs(objects)
	errs := tryInParallel(ctx, len(jobs), func(i int) error { return jobs[i].run(ctx, in.name, o) })
	if err := errors.Join(errs...); err != nil {
		return nil, asOpenErrors(err)
	}
	return in.replaced(objects)
}

func asOpenErrors(err error) error {
	var errs []error
	for _, e := range report.Split(err) {
		if !errors.Is(e, errNotTried) { // which says nothing about the document
			e = &openError{e}
		}
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

// replaced writes the documents of the objects back into the stream.
func (in input) replaced(objects []found) ([]byte, error) {
	var firsts []found // the first object of each document
	for _, f := range objects {
		if len(firsts) == 0 || firsts[len(firsts)-1].doc != f.doc {
			firsts = append(firsts, f)
		}
	}
	errs := make([]error, len(firsts))
	inParallel(len(firsts), func(i int) {
		if err := firsts[i].doc.Replace(firsts[i].root); err != nil {
			errs[i] = firsts[i].at(in.name, "write", err)
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return in.stream.Bytes(), nil
}

// openJob is one SealedSecret, or the documents of one SOPS file.
type openJob []found

// openJobs puts SOPS documents that follow each other with the same mac into
// one job: they were encrypted together.
func openJobs(objects []found) []openJob {
	var jobs []openJob
	for i, f := range objects {
		if i > 0 && f.Group() != sopsdoc.Group && f.Item == 0 && sameFile(objects[i-1], f) {
			jobs[len(jobs)-1] = append(jobs[len(jobs)-1], f)
			continue
		}
		jobs = append(jobs, openJob{f})
	}
	return jobs
}

func sameFile(a, b found) bool {
	mac := sopsdoc.FileMAC(a.Node)
	return mac != "" && a.Group() != sopsdoc.Group && mac == sopsdoc.FileMAC(b.Node)
}

func (j openJob) run(ctx context.Context, file string, o unseal.Options) error {
	if j[0].Group() == sopsdoc.Group {
		opened, err := unseal.Open(ctx, j[0].Node, o)
		if err != nil {
			return j[0].at(file, "open", err)
		}
		j[0].Replace(opened.Secret.Node())
		return nil
	}
	nodes := make([]*yaml.Node, len(j))
	for i, f := range j {
		nodes[i] = f.tree() // comments of the document count for selectors
	}
	opened, err := unseal.OpenFile(ctx, nodes, o)
	if err != nil {
		return j[0].at(file, "open", err)
	}
	for i, n := range opened.Documents {
		j[i].Replace(n)
		if j[i].Item == 0 {
			j[i].root.HeadComment, j[i].root.FootComment = n.HeadComment, n.FootComment
		}
	}
	return nil
}

// atOnce is how many documents are worked on at the same time. It is more than
// there are cores because most of the time may go into waiting for a key
// service.
const atOnce = 32

// inParallel calls f with 0 to n-1 on up to atOnce goroutines.
func inParallel(n int, f func(i int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(n, atOnce) {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}
