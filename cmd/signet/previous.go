// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
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
// not be sealed anew, and what stands around the rest stays.
type previous struct {
	raw       []byte
	documents int // that are not blank
	objects   []found
	anew      bool // all is sealed anew: what does not open is no obstacle
	closed    bool // none of them can be opened
	options   unseal.Options
	// replaced is what each Secret takes the place of, by the Secret's object.
	replaced map[*manifest.Object]replacement
	notes    bytes.Buffer
}

// previous reads the file that is to be replaced. A file that is missing, or
// in which nothing can be opened, has no values to keep.
func (s *sealCommand) previous(ctx context.Context) (*previous, error) {
	p := &previous{anew: s.freshKey}
	if s.output == "" {
		return p, ctx.Err()
	}
	var err error
	p.options, err = s.options(s.err, []input{{name: s.output}}, false)
	if err != nil && !p.anew {
		return nil, err
	}
	p.closed = err != nil
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
	case err != nil && p.anew:
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

// oldSecret is a previous SealedSecret that a Secret takes the place of. A nil
// one has nothing to keep.
type oldSecret struct {
	replacement
	opened *unseal.Opened // nil if it does not open
}

// secret opens the previous SealedSecret that a Secret takes the place of, if
// there is one. notes tell that it may open another time: whoever cannot open
// at all seals anew every time and knows it.
func (p *previous) secret(ctx context.Context, f found) (old *oldSecret, notes []string) {
	r, ok := p.replaced[f.Object]
	if !ok || r.Group() != sopsdoc.Group {
		return nil, nil
	}
	if p.closed {
		return &oldSecret{replacement: r}, notVerified(r.found)
	}
	o := p.options
	if r.Namespace() != "" {
		o.Namespace = "" // which is that of the new place
	}
	opened, err := unseal.Open(ctx, r.Node, o)
	if err != nil {
		return &oldSecret{replacement: r}, append(mayOpenLater(err), notVerified(r.found)...)
	}
	return &oldSecret{r, opened}, nil
}

func mayOpenLater(err error) []string {
	if call, ok := report.As[*keys.CallError](err); ok && !call.Permanent {
		return []string{"the previous document could not be opened just now, so that every value gets new ciphertext: " + call.Error()}
	}
	return nil
}

// notVerified tells that marks that nobody could verify have no effect.
func notVerified(old found) []string {
	var notes []string
	if manifest.Get(old.Node, "spec", "sealed", "merge") != nil {
		notes = append(notes, "the previous document, which could not be opened, claims to be sealed for merging; what is sealed now is so only with --merge")
	}
	if scope := manifest.GetString(old.Node, "spec", "sealed", "scope"); reachOf(scope) != seal.Strict {
		notes = append(notes, "the previous document, which could not be opened, claims the scope "+scope+"; what is sealed now has it only with --scope")
	}
	return notes
}

// reachOf returns how far a scope reaches.
func reachOf(scope string) seal.Reach {
	switch parsed, err := sopsdoc.ParseScope(scope); {
	case err != nil || parsed.Name != sopsdoc.Any:
		return seal.Strict
	case parsed.Namespace == sopsdoc.Any:
		return seal.Cluster
	}
	return seal.Namespace
}

// sealed returns what may stay of the old document under seal, or nil.
func (o *oldSecret) sealed() *seal.Previous {
	if o == nil || o.opened == nil || o.moved {
		return nil
	}
	return &seal.Previous{
		Object:  o.Tree(),
		Sealed:  sopsdoc.Previous{Envelope: o.opened.Document.Envelope, Content: o.opened.Content},
		DataKey: o.opened.DataKey,
	}
}

// options are those for sealing over the old document. What it is sealed for
// stays as it was, unless a flag says otherwise; notes tell so.
func (o *oldSecret) options(s *sealCommand, given seal.Options) (_ seal.Options, notes []string) {
	if o == nil {
		return given, nil
	}
	if _, err := sopsdoc.ParseSealedSecret(o.Node); err == nil {
		given.Replaces = o.Tree()
	}
	if o.opened == nil {
		return given, nil
	}
	e := o.opened.Document.Envelope
	if !s.mergeGiven && e.Merge {
		given.Merge = true
		notes = append(notes, "stays sealed for merging, as the document that it replaces; --merge=false seals it for a Secret of its own")
	}
	if reach := reachOf(e.Scope.String()); !s.scopeGiven && reach != seal.Strict {
		given.Reach = reach
		notes = append(notes, "keeps the scope of the document that it replaces, "+map[seal.Reach]string{
			seal.Namespace: "namespace", seal.Cluster: "cluster"}[reach]+"; --scope strict binds it to its name and namespace")
	}
	return given, notes
}

// differences tells what sealing n for other recipients takes away from the old
// document, and whom it lets in or out.
func (o *oldSecret) differences(n *yaml.Node, recipients keys.Recipients) []string {
	if o == nil || o.opened == nil {
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
