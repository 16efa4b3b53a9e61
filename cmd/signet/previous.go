// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// previous is the file that -o names, as it was: what can be opened of it need
// not be sealed anew.
type previous struct {
	raw       []byte
	documents int // that are not blank
	objects   []found
	closed    bool // none of them is to be opened
	options   unseal.Options
}

// previous reads the file that is to be replaced. A file that is missing, or
// in which nothing can be opened, has no values to keep.
func (s *sealCommand) previous(ctx context.Context) (*previous, error) {
	p := &previous{closed: s.freshKey}
	if s.output == "" {
		return p, ctx.Err()
	}
	var err error
	if !p.closed {
		p.options, err = s.options(s.err, []input{{name: s.output}}, false)
	}
	if err != nil {
		return nil, err
	}
	p.options.Namespace = s.namespace
	return p, p.read(s.output)
}

func (p *previous) read(file string) error {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return &report.PlacedError{File: file, Operation: "read", Err: report.Cause(err)}
	case info.IsDir():
		return &report.PlacedError{File: file, Operation: "write", Err: errDirectory}
	case !info.Mode().IsRegular():
		return nil
	}
	in := input{name: file}
	switch err := in.read(nil); {
	case err != nil && p.closed:
		return nil // it is replaced whatever it holds
	case err != nil:
		return err
	}
	p.raw = in.stream.Bytes()
	for _, doc := range in.stream.Documents {
		p.documents = max(p.documents, doc.Index)
	}
	p.objects, err = in.objects(toOpen, sopsdoc.Group, sopsdoc.MetadataKey)
	if err != nil {
		p.objects = nil
	}
	return nil
}

// oldSecret is a previous SealedSecret that was opened, or nil.
type oldSecret struct {
	found
	opened *unseal.Opened
}

// secret opens the previous SealedSecret of the same namespace and name, if
// there is one and it opens. notes tell that it may open another time: whoever
// cannot open at all seals anew every time and knows it.
func (p *previous) secret(ctx context.Context, f found, namespace string) (old *oldSecret, notes []string) {
	was, ok := p.find(f, namespace)
	if !ok || p.closed {
		return nil, nil
	}
	opened, err := unseal.Open(ctx, was.Node, p.options)
	if err != nil {
		return nil, append(mayOpenLater(err), notMerged(was)...)
	}
	return &oldSecret{was, opened}, nil
}

func mayOpenLater(err error) []string {
	if call, ok := report.As[*keys.CallError](err); ok && !call.Permanent {
		return []string{"the previous document could not be opened just now, so that every value gets new ciphertext: " + call.Error()}
	}
	return nil
}

// notMerged tells that a mark that nobody could verify has no effect.
func notMerged(old found) []string {
	if manifest.Get(old.Node, "spec", "sealed", "merge") == nil {
		return nil
	}
	return []string{"the previous document, which could not be opened, claims to be sealed for merging; what is sealed now is so only with --merge"}
}

func (o *oldSecret) sealed() *seal.Previous {
	if o == nil {
		return nil
	}
	object := o.Node
	if o.Item == 0 {
		object = o.root
	}
	return &seal.Previous{
		Object:  object,
		Sealed:  sopsdoc.Previous{Envelope: o.opened.Document.Envelope, Content: o.opened.Content},
		DataKey: o.opened.DataKey,
	}
}

// differences tells what sealing n for other recipients takes away from the old
// document, and whom it lets in or out.
func (o *oldSecret) differences(n *yaml.Node, recipients keys.Recipients) []string {
	if o == nil {
		return nil
	}
	var notes []string
	e := o.opened.Document.Envelope
	now := slices.Concat(manifest.Keys(manifest.Get(n, "data")), manifest.Keys(manifest.Get(n, "stringData")))
	for _, key := range slices.Concat(e.DataKeys(), e.StringDataKeys()) {
		if !slices.Contains(now, key) {
			notes = append(notes, "the key "+key+" of the previous document is gone")
		}
	}
	for _, id := range missing(recipients, e.Metadata.Recipients) {
		notes = append(notes, "now also opens for "+id)
	}
	for _, id := range missing(e.Metadata.Recipients, recipients) {
		notes = append(notes, "no longer opens for "+id+", who can still open what is in Git history")
	}
	return notes
}

// missing returns the names of the recipients in r that are not in from.
func missing(r, from keys.Recipients) []string {
	var ids []string
	for _, e := range r.Entries() {
		if !slices.ContainsFunc(from.Entries(), func(o keys.Entry) bool { return o.Type() == e.Type() && o.ID() == e.ID() }) {
			ids = append(ids, recipient{Type: string(e.Type()), ID: e.ID()}.String())
		}
	}
	return ids
}

// alone reports whether the previous file holds nothing but what was opened.
func (p *previous) alone() bool {
	return p.documents == len(p.objects)
}

// body returns the text of the old document if it can stand in the new one.
func (o *oldSecret) body(doc *manifest.Document) []byte {
	if o == nil || o.Item != 0 || o.doc.JSON() != doc.JSON() {
		return nil
	}
	return o.doc.Body()
}

// file opens the previous file as one SOPS file, or returns nil.
func (p *previous) file(ctx context.Context) *sopsdoc.PreviousFile {
	var nodes []*yaml.Node
	for _, f := range p.objects {
		if f.Item != 0 || f.Group() == sopsdoc.Group {
			return nil
		}
		nodes = append(nodes, f.root)
	}
	if len(nodes) == 0 || p.closed {
		return nil
	}
	opened, err := unseal.OpenFile(ctx, nodes, p.options)
	if err != nil {
		return nil
	}
	return &sopsdoc.PreviousFile{File: opened.File, DataKey: opened.DataKey}
}
