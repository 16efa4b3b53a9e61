// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/signet-secrets/signet/internal/merge3"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// on returns the version of a side.
func (v *secretVersions) on(side string) *openedVersion {
	if side == sideTheirs {
		return v.theirs
	}
	return v.ours
}

// openSides opens both sides of a SealedSecret. If one was chosen, the other need not
// open: then nothing of it is merged.
func (f *fileMerge) openSides(ctx context.Context, s *mergedSecret) error {
	ours, oursErr := f.openVersion(ctx, sideOurs, s.doc.Ours)
	if oursErr != nil && f.side != sideTheirs {
		return oursErr
	}
	theirs, theirsErr := f.openVersion(ctx, sideTheirs, s.doc.Theirs)
	if theirsErr != nil && (oursErr != nil || f.side != sideOurs) {
		return theirsErr
	}
	switch {
	case oursErr != nil:
		ours = f.standIn(s.doc, s.doc.Ours, theirs, oursErr)
	case theirsErr != nil:
		theirs = f.standIn(s.doc, s.doc.Theirs, ours, theirsErr)
	}
	s.ours, s.theirs = ours, theirs
	return nil
}

// standIn takes the place of a side that does not open. Of what that lists only who
// was taken out counts, as with a base that does not open.
func (f *fileMerge) standIn(d *merge3.Document, closed *merge3.Part, chosen *openedVersion, err error) *openedVersion {
	f.leftOut(d, err)
	v := &openedVersion{part: closed, version: chosen.version, sealed: chosen.sealed, standIn: true, listed: chosen.recipients()}
	if doc, err := sopsdoc.ParseSealedSecret(manifest.Root(closed.Node)); err == nil {
		v.listed = doc.Envelope.Metadata.Recipients
	}
	return v
}

// leftOut notes that a side is not merged.
func (f *fileMerge) leftOut(d *merge3.Document, err error) {
	note(f.err, f.label(d), "nothing is taken over from the other side: "+report.WithoutKeys(err.Error()))
}

// openSOPSSides is openSides for a SOPS file. A side may be nil if it has none of the
// documents.
func (f *fileMerge) openSOPSSides(ctx context.Context, v *sopsVersions, all []*merge3.Document, parts [3][]*merge3.Part) error {
	var oursErr, theirsErr error
	if v.ours, oursErr = f.openFile(ctx, parts[1]); oursErr != nil && f.side != sideTheirs {
		return &closedError{sideOurs, oursErr}
	}
	if v.theirs, theirsErr = f.openFile(ctx, parts[2]); theirsErr != nil && (oursErr != nil || f.side != sideOurs) {
		return &closedError{sideTheirs, theirsErr}
	}
	for _, side := range []struct {
		name   string
		err    error
		closed **openedFile
		chosen *openedFile
		parts  []*merge3.Part
	}{{sideOurs, oursErr, &v.ours, v.theirs, parts[1]}, {sideTheirs, theirsErr, &v.theirs, v.ours, parts[2]}} {
		if side.err == nil {
			continue
		}
		err := &closedError{side.name, side.err}
		for _, d := range all {
			if sideOf(d, side.name == sideTheirs) == nil { // only the closed side has it
				return err
			}
		}
		f.leftOut(all[0], err)
		*side.closed = standInFile(side.chosen, all, side.name == sideOurs, fileRecipients(side.parts))
	}
	return nil
}

// standInFile is standIn for a SOPS file: its documents are those of the chosen side.
func standInFile(chosen *openedFile, all []*merge3.Document, ours bool, listed keys.Recipients) *openedFile {
	o := &openedFile{docs: chosen.docs, prev: chosen.prev, standIn: true, listed: listed}
	if len(listed.Entries()) == 0 {
		o.listed = chosen.recipients()
	}
	o.instead = map[*merge3.Part]*merge3.Part{}
	for _, d := range all {
		if p := sideOf(d, ours); p != nil {
			o.instead[p] = sideOf(d, !ours)
		}
	}
	return o
}
