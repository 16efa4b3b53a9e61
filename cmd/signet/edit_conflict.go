// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/editor"
	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/merge3"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

// toDecide stands where the user has to decide.
const toDecide = "SIGNET-CONFLICT"

// conflictedFile is a file that the merge driver could not merge. What both sides
// have changed is for the user to decide.
type conflictedFile struct {
	*sealFlags
	console
	cmd     *cobra.Command
	file    string
	side    string // that is taken for what both have changed: "ours", "theirs" or ""
	raw     []byte
	merge   *fileMerge
	merged  *merge3.Merged
	secrets []*mergedSecret
	files   []*mergedSOPS
}

// unfinishedError says that a conflict cannot be settled: in an editor, or by
// taking a side.
type unfinishedError struct {
	file string
	side string
	err  error
}

func (e *unfinishedError) Error() string { return e.err.Error() }
func (e *unfinishedError) Unwrap() error { return e.err }

// errNoConflict says that there is nothing to settle.
var errNoConflict = errors.New("is no file in conflict")

// readConflict reads a file that may be in conflict. Without one, c is nil.
func readConflict(file string) (raw []byte, c *merge3.ConflictFile, err error) {
	in, err := readTarget(file, nil)
	if err != nil {
		return nil, nil, err
	}
	raw = slices.Clone(in.stream.Bytes())
	c, _ = merge3.ParseConflict(raw)
	return raw, c, nil
}

// finishConflict settles the conflict of a file: by the side that was chosen, or in
// the editor if there is anything to decide.
func (e *editCommand) finishConflict(cmd *cobra.Command, file string, raw []byte, c *merge3.ConflictFile) error {
	f, err := openConflict(cmd, e.console, &e.sealFlags, file, e.side(), raw, c)
	if err != nil {
		return err
	}
	if len(f.undecided()) == 0 {
		return f.seal(cmd.Context())
	}
	if err := f.editable(); err != nil {
		return f.unfinished(err)
	}
	chosen, err := editor.Choose(os.Getenv, e.anyEditor)
	if err != nil {
		return err
	}
	return e.edit(cmd, chosen, f)
}

// side is the one that is taken for what both have changed, "" for none.
func (e *editCommand) side() string {
	switch {
	case e.ours:
		return sideOurs
	case e.theirs:
		return sideTheirs
	}
	return ""
}

// openConflict merges a file in conflict as far as that goes.
func openConflict(cmd *cobra.Command, c console, flags *sealFlags, file, side string, raw []byte, versions *merge3.ConflictFile) (*conflictedFile, error) {
	f := &conflictedFile{sealFlags: flags, console: c, cmd: cmd, file: file, side: side, raw: raw}
	err := f.within(cmd.Context(), cmd, c, func(ctx context.Context, sources userkeys.Sources) error {
		return f.open(ctx, versions, sources.Watch)
	})
	if err != nil {
		err = f.unfinished(err)
		f.tellSides(err, versions)
		return nil, err
	}
	return f, nil
}

// tellSides says which sides can be taken if one does not open.
func (f *conflictedFile) tellSides(err error, versions *merge3.ConflictFile) {
	if f.side != "" || closedSide(err) == "" {
		return
	}
	file := report.Quoted(f.file)
	if closedSide(err) == sideOurs && f.closedToo(versions) {
		note(f.err, f.file, "neither side opens; to take one as a whole, as it is sealed: git checkout --ours "+file+", or --theirs")
		return
	}
	note(f.err, f.file, "to leave out the side that does not open: signet edit --ours "+file+", or --theirs")
}

// closedToo reports whether theirs does not open, which nobody has tried where ours
// does not.
func (f *conflictedFile) closedToo(versions *merge3.ConflictFile) bool {
	other := *f
	other.side, other.err = sideTheirs, io.Discard
	err := other.within(f.cmd.Context(), f.cmd, other.console, func(ctx context.Context, sources userkeys.Sources) error {
		return other.open(ctx, versions, sources.Watch)
	})
	return closedSide(err) == sideTheirs
}

// closedSide is the first side that does not open, "" if that is not the reason.
func closedSide(err error) string {
	for _, part := range report.Split(err) {
		if e, ok := report.As[*closedError](part); ok {
			return e.side
		}
	}
	return ""
}

// unfinished marks the parts of an error from merging the file.
func (f *conflictedFile) unfinished(err error) error {
	errs := slices.Clone(report.Split(exitcode.Opening(err)))
	for i, part := range errs {
		if isA[*closedError](part) {
			part = &exitcode.CodeError{Code: exitcode.NotOpened, Err: part}
		}
		errs[i] = &unfinishedError{f.file, f.side, part}
	}
	return errors.Join(errs...)
}

func (f *conflictedFile) open(ctx context.Context, c *merge3.ConflictFile, watch *userkeys.Watch) error {
	m := &mergeDriver{console: f.console, keyFlags: f.keyFlags, markerSize: minMarkerSize, path: f.file, mergeChoices: mergeChoices{
		side: f.side, allowClear: f.allowClear, freshKey: f.freshKey,
		findRule: func() (*keys.Rule, error) {
			return (&ruleFinder{flags: f.recipientFlags}).rule(f.document(f.file))
		},
	}}
	streams, err := merge3.NewStreams(c.Base, c.Ours, c.Theirs)
	if err != nil {
		return m.place(err)
	}
	text, err := m.text(ctx, streams)
	if err != nil {
		return err
	}
	if f.merged, err = streams.Merge(text); err != nil {
		return m.place(&layoutError{err})
	}
	if f.merge, err = m.prepare(watch); err != nil {
		return err
	}
	var errs []error
	for _, job := range f.merged.Jobs {
		switch {
		case job.Settled:
		case job.SOPS:
			s, err := f.merge.mergeFiles(ctx, job.Documents)
			if err != nil {
				errs = append(errs, f.merge.at(job.Documents[0], err))
				continue
			}
			f.files = append(f.files, s)
		default:
			s, err := f.merge.mergeSecret(ctx, job.Documents[0])
			if err != nil {
				errs = append(errs, f.merge.at(job.Documents[0], err))
				continue
			}
			f.secrets = append(f.secrets, s)
		}
	}
	return errors.Join(errs...)
}

// editable returns an error if a conflict cannot be shown in an editor.
func (f *conflictedFile) editable() error {
	var errs []error
	for _, s := range f.secrets {
		for _, c := range s.conflicts {
			if !editableItem(c) {
				errs = append(errs, f.merge.at(s.doc, &itemsError{items: []merge3.Conflict{c}}))
			}
		}
	}
	for _, s := range f.files {
		errs = append(errs, s.inConflict(f.merge))
	}
	return errors.Join(errs...)
}

// editableItem reports whether an item can be decided in the text of a Secret.
func editableItem(c merge3.Conflict) bool {
	if c.Key != "" {
		return true
	}
	return c.Sealed && len(c.At) > 0 && slices.Contains([]string{"labels", "annotations", "type"}, c.At[0])
}

// undecided are the documents in which there is something for the user to decide,
// with what it is.
func (f *conflictedFile) undecided() []undecidedDocument {
	var all []undecidedDocument
	add := func(d *merge3.Document, conflicts []merge3.Conflict) {
		if len(conflicts) > 0 {
			all = append(all, undecidedDocument{d, conflicts})
		}
	}
	for _, s := range f.secrets {
		add(s.doc, s.conflicts)
	}
	for _, s := range f.files {
		for i, d := range s.all {
			add(d, s.conflicts[i])
		}
	}
	return all
}

// undecidedDocument is a document with what both sides have changed in it.
type undecidedDocument struct {
	doc       *merge3.Document
	conflicts []merge3.Conflict
}

func (f *conflictedFile) text() ([]byte, error) {
	var b bytes.Buffer
	remarks(&b, "Put what is right in the place of "+toDecide+"; remove the line of a key to remove the key.",
		"Lines that begin with "+remarkMark+" are left out.")
	for i, s := range f.secrets {
		if i > 0 {
			b.WriteString("---\n")
		}
		remarks(&b, s.doc.ID.String()+" in "+f.file)
		for _, c := range s.conflicts {
			remarks(&b, c.Path+", "+string(c.Kind)+":")
			s.candidate(&b, "ours", c, s.ours.version)
			s.candidate(&b, "theirs", c, s.theirs.version)
		}
		secret, err := s.secret()
		if err != nil {
			return nil, f.merge.at(s.doc, err)
		}
		text, err := manifest.EncodeYAML(secret.Node())
		if err != nil {
			return nil, f.merge.at(s.doc, err)
		}
		b.Write(text)
	}
	return b.Bytes(), nil
}

// candidate shows what an item is on one side.
func (s *mergedSecret) candidate(b *bytes.Buffer, side string, c merge3.Conflict, v merge3.Version) {
	text, ok := itemOf(c, v)
	if !ok {
		remarks(b, "  "+side+": (not there)")
		return
	}
	shown, err := manifest.EncodeYAML(manifest.Mapping(manifest.String(side), manifest.String(text)))
	if err != nil {
		shown = []byte(side + ": (cannot be shown)\n")
	}
	for line := range strings.Lines(string(shown)) {
		b.WriteString(remarkMark + "   " + line)
	}
}

// itemOf returns an item as text: a binary value in base64.
func itemOf(c merge3.Conflict, v merge3.Version) (string, bool) {
	if c.Key != "" {
		value, ok := v.Value(c.Key)
		return value.Text, ok
	}
	switch c.At[0] {
	case "labels":
		text, ok := v.Clear.Labels[c.At[len(c.At)-1]]
		return text, ok
	case "annotations":
		text, ok := v.Clear.Annotations[c.At[len(c.At)-1]]
		return text, ok
	}
	return v.Clear.Type, true
}
