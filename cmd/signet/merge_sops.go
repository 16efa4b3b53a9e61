// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/merge3"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// Errors about SOPS files.
var (
	errSeveralFiles = errors.New("conflict: documents that were encrypted apart have come together: sops opens a file only as a whole")
	errSelectors    = errors.New("conflict: the sides do not encrypt the same values")
)

// openedFile is a version of a SOPS file that was opened.
type openedFile struct {
	parts   []*merge3.Part
	docs    map[*merge3.Part]*yaml.Node
	prev    *sopsdoc.PreviousFile
	standIn bool                          // does not open: docs and prev are of the other side
	listed  keys.Recipients               // of one that does not open
	instead map[*merge3.Part]*merge3.Part // whose documents stand for its own
}

func (o *openedFile) recipients() keys.Recipients {
	if o.standIn {
		return o.listed
	}
	return o.prev.File.Metadata.Recipients
}

// doc returns a document in clear, nil where the version does not have it.
func (o *openedFile) doc(p *merge3.Part) *yaml.Node {
	switch {
	case o == nil || p == nil:
		return nil
	case o.standIn:
		return o.docs[o.instead[p]]
	}
	return o.docs[p]
}

// sopsVersions are those of a SOPS file. base is nil if there is none that opens,
// and one of the sides may be: then it is as the other.
type sopsVersions struct{ base, ours, theirs *openedFile }

// sopsFile merges documents that are encrypted together.
func (f *fileMerge) sopsFile(ctx context.Context, all []*merge3.Document) error {
	s, err := f.mergeFiles(ctx, all)
	if err != nil {
		return err
	}
	if err := s.inConflict(f); err != nil {
		return err
	}
	return f.placeFile(ctx, s)
}

// mergedSOPS are the documents of a SOPS file that both sides have changed, merged
// as far as that goes.
type mergedSOPS struct {
	sopsVersions
	all       []*merge3.Document
	listed    keys.Recipients // of base
	docs      []*yaml.Node    // in clear, its own
	conflicts [][]merge3.Conflict
}

// mergeFiles opens and merges the versions of a SOPS file.
func (f *fileMerge) mergeFiles(ctx context.Context, all []*merge3.Document) (*mergedSOPS, error) {
	s := &mergedSOPS{all: all}
	var err error
	if s.sopsVersions, s.listed, err = f.openFiles(ctx, all); err != nil {
		return nil, err
	}
	s.mergeDocuments(f.side)
	return s, nil
}

// inConflict returns an error for each document of which both sides have changed the
// same.
func (s *mergedSOPS) inConflict(f *fileMerge) error {
	var errs []error
	for i, d := range s.all {
		if len(s.conflicts[i]) > 0 {
			errs = append(errs, f.at(d, &itemsError{items: s.conflicts[i], sops: true}))
		}
	}
	return errors.Join(errs...)
}

// placeFile puts the merged documents into the file.
func (f *fileMerge) placeFile(ctx context.Context, s *mergedSOPS) error {
	ours, theirs := s.ours.recipients(), s.theirs.recipients()
	// Who is in the list of a SOPS file, anybody may have written there.
	target, err := f.target(recipientLists{base: s.listed, ours: ours, theirs: theirs, oursForeign: true, theirsForeign: true})
	if err != nil {
		return err
	}
	if kept, ours := s.same(s.all, s.docs, target); kept && !f.freshKey {
		keepAll(s.all, ours)
	} else if err := f.sealFile(ctx, s.sopsVersions, s.all, s.docs, target); err != nil {
		return err
	}
	f.tell(s.all[0], target, ours, theirs)
	return nil
}

// same reports whether the merged documents are those of one side, all of them and
// in order, and whether that is ours.
func (v *sopsVersions) same(all []*merge3.Document, docs []*yaml.Node, target keys.Recipients) (kept, ours bool) {
	base := keys.DataKey{}
	if v.base != nil {
		base = v.base.prev.DataKey
	}
	o, t := v.ours.dataKey(), v.theirs.dataKey()
	if mayStay(o, t, base) && target.Same(v.ours.recipients()) && v.ours.holds(all, docs, true) {
		return true, true
	}
	return mayStay(t, o, base) && target.Same(v.theirs.recipients()) && v.theirs.holds(all, docs, false), false
}

// sealFile encrypts the merged documents and puts them into the file.
func (f *fileMerge) sealFile(ctx context.Context, v sopsVersions, all []*merge3.Document, docs []*yaml.Node, target keys.Recipients) error {
	main, err := v.settings(f.side)
	if err != nil {
		return err
	}
	prev := *main.prev
	for _, o := range []*openedFile{v.ours, v.theirs, v.base} {
		if o != nil && o != main && !o.standIn {
			prev.Also = append(prev.Also, o.prev)
		}
	}
	stays := v.ours.dataKey().Equal(v.theirs.dataKey()) && target.Same(v.ours.recipients()) && target.Same(v.theirs.recipients())
	result, err := seal.AmendFile(ctx, &prev, docs, seal.SOPSOptions{Options: seal.Options{
		Recipients: target, Wrapper: f.wrapper, FreshKey: !stays || f.freshKey, FreshKeyOnChange: f.rule.FreshKey,
		AllowClear: f.allowClear, Now: f.now,
	}})
	if err != nil {
		return err
	}
	if err := v.checkStillEncrypted(result.Nodes); err != nil {
		return err
	}
	for _, text := range result.Notes {
		note(f.err, f.label(all[0]), text)
	}
	return placeAll(all, result, main == v.ours)
}

// placeAll puts what was encrypted into the file.
func placeAll(all []*merge3.Document, result *seal.SOPSResult, ours bool) error {
	if result.Unchanged {
		keepAll(all, ours)
		return nil
	}
	for i, d := range all {
		if err := d.Replace(result.Nodes[i]); err != nil {
			return err
		}
	}
	return nil
}

// keepAll puts the documents into the file as one side has them.
func keepAll(all []*merge3.Document, ours bool) {
	for _, d := range all {
		d.Keep(sideOf(d, ours))
	}
}

func sideOf(d *merge3.Document, ours bool) *merge3.Part {
	if ours {
		return d.Ours
	}
	return d.Theirs
}

// holds reports whether the documents are those of o, all of them and in order.
func (o *openedFile) holds(all []*merge3.Document, docs []*yaml.Node, ours bool) bool {
	if o.standIn || len(all) != len(o.parts) {
		return false
	}
	for i, d := range all {
		if p := sideOf(d, ours); p == nil || p != o.parts[i] || !sameText(docs[i], o.docs[p]) {
			return false
		}
	}
	return true
}

// openFiles opens the versions of the SOPS file. The recipients of base count
// also where it does not open.
func (f *fileMerge) openFiles(ctx context.Context, all []*merge3.Document) (v sopsVersions, base keys.Recipients, err error) {
	parts := [3][]*merge3.Part{}
	for _, d := range all {
		for i, p := range []*merge3.Part{d.Base, d.Ours, d.Theirs} {
			switch {
			case p == nil:
			case parts[i] == nil:
				parts[i] = p.File
			case i > 0 && &parts[i][0] != &p.File[0]:
				return v, base, errSeveralFiles
			}
		}
	}
	if v.base, err = f.openFile(ctx, parts[0]); err != nil {
		v.base = nil
	}
	if err := f.openSOPSSides(ctx, &v, all, parts); err != nil {
		return v, base, err
	}
	if v.ours == nil {
		v.ours = v.theirs
	}
	if v.theirs == nil {
		v.theirs = v.ours
	}
	return v, fileRecipients(parts[0]), nil
}

// openFile opens the documents of one SOPS file, or returns nil if there are
// none.
func (f *fileMerge) openFile(ctx context.Context, parts []*merge3.Part) (*openedFile, error) {
	if len(parts) == 0 {
		return nil, nil
	}
	opened, err := unseal.OpenFile(ctx, nodesOf(parts), f.keys)
	if err != nil {
		return nil, err
	}
	o := &openedFile{parts: parts, docs: map[*merge3.Part]*yaml.Node{}}
	o.prev = &sopsdoc.PreviousFile{File: opened.File, DataKey: opened.DataKey}
	for i, p := range parts {
		o.docs[p] = opened.Documents[i]
	}
	return o, nil
}

func nodesOf(parts []*merge3.Part) []*yaml.Node {
	nodes := make([]*yaml.Node, len(parts))
	for i, p := range parts {
		nodes[i] = p.Node
	}
	return nodes
}

// fileRecipients is envelopeRecipients for a SOPS file.
func fileRecipients(parts []*merge3.Part) keys.Recipients {
	if len(parts) == 0 {
		return keys.Recipients{}
	}
	file, err := sopsdoc.ParseFile(nodesOf(parts)...)
	if err != nil {
		return keys.Recipients{}
	}
	return file.Metadata.Recipients
}

// mergeDocuments merges the documents in clear, in the order that the file has by
// now. side is taken where both have changed the same.
func (s *mergedSOPS) mergeDocuments(side string) {
	for _, d := range s.all {
		base, ours, theirs := s.base.doc(d.Base), s.ours.doc(d.Ours), s.theirs.doc(d.Theirs)
		merged, conflicts := ours, []merge3.Conflict(nil)
		switch {
		case ours == nil:
			merged = theirs
		case theirs != nil:
			merged, conflicts = merge3.Trees(base, ours, theirs)
		}
		if len(conflicts) == 0 && s.takesForeign(base, ours, theirs) {
			merged, conflicts = ours, []merge3.Conflict{merge3.WholeForeign()}
		}
		from := ours
		if side == sideTheirs {
			from = theirs
		}
		if side != "" {
			for _, c := range conflicts {
				merged = c.TakeNode(merged, from)
			}
			conflicts = nil
		}
		s.docs, s.conflicts = append(s.docs, manifest.Clone(merged)), append(s.conflicts, conflicts)
	}
}

// dataKey is zero for a side that does not open.
func (o *openedFile) dataKey() keys.DataKey {
	if o.standIn {
		return keys.DataKey{}
	}
	return o.prev.DataKey
}

// settings returns the side that says how the file is encrypted. Nothing authenticates
// a selector, and one that leaves more in clear could come with a branch: where the
// sides differ, somebody has to choose.
func (v *sopsVersions) settings(chosen string) (*openedFile, error) {
	type settings struct {
		selector keys.Selector
		macOnly  bool
	}
	of := func(o *openedFile) settings {
		md := o.prev.File.Metadata
		return settings{md.Selector, md.MACOnlyEncrypted}
	}
	switch {
	case v.ours.standIn:
		return v.theirs, nil
	case v.theirs.standIn:
		return v.ours, nil
	case of(v.ours) == of(v.theirs), chosen == sideOurs:
		return v.ours, nil
	case chosen == sideTheirs:
		return v.theirs, nil
	}
	return nil, errSelectors
}
