// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// sealing seals the inputs of one run.
type sealing struct {
	*sealCommand
	rules    *ruleFinder
	previous *previous
	now      time.Time
	wrapper  keys.Wrapper
	limits   keyLimits
	warned   map[string]bool // classic recipients that were warned of
}

// Errors about input in which there is nothing to seal.
var (
	errNoSecret = errors.New("holds no Secret")
	errSealed   = errors.New("is sealed already")
	errSOPS     = errors.New("is encrypted by SOPS already")
)

// wanted reports whether an object has to be sealed. In a directory, what is
// encrypted already is left alone.
func (in input) wanted(f found) (bool, error) {
	switch {
	case !f.IsSecret():
		return false, nil
	case in.walked && sopsdoc.FileMAC(f.Node) != "" && seal.Encrypted(f.Node):
		return false, nil
	case manifest.Get(f.Node, sopsdoc.MetadataKey) != nil:
		return false, errSOPS
	}
	return true, nil
}

// all seals every input. Output i is nil if nothing in input i is to be sealed.
func (s *sealing) all(ctx context.Context, inputs []input) (outputs [][]byte, errs []error) {
	s.now, s.warned = time.Now(), map[string]bool{}
	progress := newProgress(s.err, "sealing", len(inputs))
	outputs = make([][]byte, len(inputs))
	jobs, failed := s.prepare(inputs)
	if errors.Join(failed...) == nil {
		if err := s.match(jobs); err != nil {
			return nil, report.Split(err)
		}
	}
	if !slices.ContainsFunc(failed, aboutRules) { // about which all other files would say the same
		failed = parallel.Try(ctx, len(jobs), func(i int) (err error) {
			defer progress.step()
			if failed[i] == nil {
				outputs[i], err = s.run(ctx, jobs[i])
				return err
			}
			return failed[i]
		})
	}
	progress.done()
	s.err.Write(s.previous.notes.Bytes())
	for i := range jobs {
		s.err.Write(jobs[i].notes.Bytes())
		errs = append(errs, report.Split(failed[i])...)
	}
	if ctx.Err() != nil && len(errs) == 0 { // ended after the last one
		return nil, []error{parallel.ErrNotTried}
	}
	return outputs, errs
}

// sealJob is an input with what is to be sealed in it.
type sealJob struct {
	input
	objects []found
	sealed  []found    // already, and passed on as it is
	rule    *keys.Rule // nil if there is nothing to seal
	output  []byte     // the result then
}

// prepare finds what is to be sealed, and for whom, one input after the other:
// it looks at no key yet. It stops at a mistake in the rules.
func (s *sealing) prepare(inputs []input) (jobs []sealJob, failed []error) {
	for _, in := range inputs {
		in.notes = new(bytes.Buffer)
		job, err := s.prepareOne(in)
		job.input = in
		jobs, failed = append(jobs, job), append(failed, err)
		if aboutRules(err) {
			break
		}
	}
	return jobs, failed
}

// aboutRules reports whether an error is a mistake in the rules themselves.
func aboutRules(err error) bool {
	_, malformed := report.As[*keys.RulesError](err)
	_, recipient := report.As[*recipientError](err)
	_, classic := report.As[*classicError](err)
	return malformed || recipient || classic
}

func (s *sealing) prepareOne(in input) (sealJob, error) {
	if in.walked && !in.mentions("Secret") {
		return sealJob{output: s.passOn(in)}, nil
	}
	var sealed, encrypted []found
	objects, err := in.objects(func(f found) (bool, error) {
		wanted, err := in.wanted(f)
		switch {
		case f.Group() == sopsdoc.Group && f.Kind() == sopsdoc.Kind:
			sealed = append(sealed, f)
		case !wanted && sopsdoc.FileMAC(f.Node) != "":
			encrypted = append(encrypted, f)
		}
		return wanted, err
	}, "Secret") // which SealedSecret contains
	if err != nil {
		return sealJob{}, err
	}
	if err := s.outdated(in, sealed); err != nil {
		return sealJob{}, err
	}
	if len(objects) == 0 {
		out, err := s.nothing(in, sealed)
		return sealJob{output: out, sealed: slices.Concat(sealed, encrypted)}, err
	}
	rule, err := s.rules.rule(s.document(in))
	if err != nil {
		return sealJob{}, &report.PlacedError{File: in.name, Operation: "seal", Err: s.withoutFile(in, err)}
	}
	s.warn(in, rule)
	return sealJob{objects: objects, sealed: slices.Concat(sealed, encrypted), rule: rule}, nil
}

// run seals what was found in one input.
func (s *sealing) run(ctx context.Context, job sealJob) ([]byte, error) {
	switch {
	case job.rule == nil:
		return job.output, nil
	case s.as == "sops":
		return s.sealSOPS(ctx, job.input, job.objects, job.rule)
	}
	in, objects, o := job.input, job.objects, s.options(job.rule)
	notes := make([][]string, len(objects))
	bodies := make([][]byte, len(objects))
	errs := parallel.Try(ctx, len(objects), func(i int) (err error) {
		bodies[i], notes[i], err = s.object(ctx, objects[i], o)
		if err != nil {
			return objects[i].at(in.name, "seal", err)
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for i, f := range objects {
		for _, text := range notes[i] {
			note(in.notes, in.label(f), text)
		}
	}
	return s.assemble(in, objects, bodies)
}

// warn tells once for each rule that a recipient weakens all documents.
func (s *sealing) warn(in input, rule *keys.Rule) {
	weak := weakens(rule.Recipients, false)
	if weak == "" || s.warned[weak] {
		return
	}
	s.warned[weak] = true
	note(in.notes, report.Source(in.name), "a quantum computer could open the document in spite of its post-quantum recipients, "+weak)
}

// outdated tells which documents that are sealed already, and so left as they
// are, have other recipients than the rules now say. One that is not well
// formed is an error: somebody may have written a value into it.
func (s *sealing) outdated(in input, sealed []found) error {
	for _, f := range sealed {
		doc, err := sopsdoc.ParseSealedSecret(f.Node)
		if err != nil {
			return f.at(in.name, "read", err)
		}
		rule, err := s.rules.rule(s.document(in))
		if err != nil || sealedFor(doc.Envelope, rule.Recipients) {
			continue
		}
		file := report.Quoted(in.name)
		note(in.notes, in.label(f), "is sealed already and left as it is, but not for the recipients that the rules now name; "+
			"to change that: signet unseal "+file+" | signet seal - -o "+file)
	}
	return nil
}

// sealedFor reports whether recipients are those of an envelope, with the
// encryption context that it has by its scope.
func sealedFor(e *sopsdoc.Envelope, recipients keys.Recipients) bool {
	bound, err := sopsdoc.BindContext(recipients, e.Scope)
	return err == nil && e.Metadata.Recipients.Same(bound)
}

// nothing decides about input without Secrets, but perhaps with something
// sealed: an error if the user named it, nothing to do if it was found in a
// directory.
func (s *sealing) nothing(in input, sealed []found) ([]byte, error) {
	if in.walked || s.allowEmpty && in.stream.Empty() {
		return s.passOn(in), nil
	}
	if len(sealed) > 0 {
		return nil, sealed[0].at(in.name, "seal", errSealed)
	}
	return nil, &report.PlacedError{File: in.name, Operation: "seal", Err: errNoSecret}
}

// passOn returns input without Secrets as it is, or nil if it need not be
// written.
func (s *sealing) passOn(in input) []byte {
	if s.inPlace {
		return nil
	}
	return in.stream.Bytes()
}

func (s *sealing) options(rule *keys.Rule) seal.Options {
	return seal.Options{
		Recipients:       rule.Recipients,
		Wrapper:          s.wrapper,
		Reach:            reaches[s.scope],
		Namespace:        s.namespace,
		Merge:            s.merge,
		ObjectName:       s.objectName,
		KeepMetadata:     s.keepMetadata,
		AllowClear:       s.allowClear,
		FreshKey:         s.freshKey,
		FreshKeyOnChange: rule.FreshKey,
		Now:              s.now,
	}
}

// object seals one Secret in its tree. body is the text of the previous
// document if that can stay as it is.
func (s *sealing) object(ctx context.Context, f found, o seal.Options) (body []byte, notes []string, err error) {
	old, notes := s.previous.secret(ctx, f)
	notes = slices.Concat(notes, old.moving(s.output), old.differences(f.Node, o.Recipients))
	o, kept := old.options(s.sealCommand, o)
	notes = append(notes, kept...)
	result, err := seal.Seal(ctx, f.Tree(), old.sealed(), o)
	if err != nil {
		return nil, nil, err
	}
	node, changed := s.asGenerator(f, result.Node)
	f.Replace(node)
	if f.Item == 0 {
		f.root.HeadComment, f.root.FootComment = node.HeadComment, node.FootComment
		if result.Unchanged && !changed {
			body = old.body(f.doc)
		}
	}
	return body, slices.Concat(notes, result.Notes, s.limits.notes(f, o)), nil
}

func (s *sealing) assemble(in input, objects []found, bodies [][]byte) ([]byte, error) {
	out, err := in.replaced(objects)
	if err != nil {
		return nil, err
	}
	kept := false
	for i, f := range objects {
		if bodies[i] != nil {
			f.doc.ReplaceBody(bodies[i])
			kept = true
		}
	}
	if kept {
		return in.stream.Bytes(), nil
	}
	return out, nil
}

// sealSOPS encrypts all Secrets of a file together. Stock sops can only open a
// file as a whole, so there must be nothing else in it.
func (s *sealing) sealSOPS(ctx context.Context, in input, objects []found, rule *keys.Rule) ([]byte, error) {
	documents := 0
	for _, doc := range in.stream.Documents {
		if doc.Index > 0 {
			documents++
		}
	}
	nodes := make([]*yaml.Node, len(objects))
	for i, f := range objects {
		nodes[i] = f.root
		if f.Item > 0 {
			return nil, f.at(in.name, "seal", errNotAlone)
		}
	}
	if documents != len(objects) {
		return nil, &report.PlacedError{File: in.name, Operation: "seal", Err: errNotAlone}
	}
	o := seal.SOPSOptions{Options: s.options(rule), Selector: rule.Selector, MACOnlyEncrypted: rule.MACOnlyEncrypted}
	result, err := seal.SealSOPS(ctx, nodes, s.previous.file(ctx), o)
	if err != nil {
		return nil, objects[0].at(in.name, "seal", err)
	}
	for _, text := range result.Notes {
		note(in.notes, report.Source(in.name), text)
	}
	if result.Unchanged && s.previous.alone() {
		return s.previous.raw, nil
	}
	for i, f := range objects {
		*f.root = *result.Nodes[i]
	}
	return in.replaced(objects)
}

// errSeveralSOPS says that SOPS files were to be written one after the other.
var errSeveralSOPS = errors.New("seal: --as sops cannot write several files into one: sops opens a file only as a whole")

var errNotAlone = errors.New("with --as sops a file must hold nothing but Secrets, as documents of their own: sops opens a file only as a whole")

// progress shows on a terminal how far a long run is.
type progress struct {
	mu        sync.Mutex
	w         io.Writer
	what      string
	n, total  int
	displayed time.Time
}

func newProgress(w io.Writer, what string, total int) *progress {
	f, ok := w.(*os.File)
	if !ok || total < 20 || !isTerminal(f) {
		w = nil
	}
	return &progress{w: w, what: what, total: total}
}

func (p *progress) step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	if p.w == nil || time.Since(p.displayed) < 100*time.Millisecond {
		return
	}
	p.displayed = time.Now()
	fmt.Fprintf(p.w, "\rsignet: %s %d of %d", p.what, p.n, p.total)
}

func (p *progress) done() {
	if p.w != nil && !p.displayed.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
