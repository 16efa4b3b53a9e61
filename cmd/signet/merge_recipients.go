// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/internal/merge3"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// Errors about the recipients of a merged document.
var (
	errNobodyLeft  = errors.New("conflict: the rules name nobody for whom both sides open, and a merge lets nobody in")
	errOtherGroups = errors.New("conflict: the key groups of both sides and of the rules are not the same")
)

// recipientLists are those of the versions of a document. Those of a side that is
// foreign were perhaps written by somebody who could open nothing.
type recipientLists struct {
	base, ours, theirs         keys.Recipients
	oursForeign, theirsForeign bool
}

// target returns for whom a merged document is sealed: for those whom the rules on
// disk name and both sides list, or one that could open base has added. A merge lets
// nobody else in: whoever can write to a branch could name himself in a document
// there, could bring rules with it, which are on disk once the merge has stopped, and
// could move the file to where other rules hold.
func (f *fileMerge) target(l recipientLists) (keys.Recipients, error) {
	removed := keys.Recipients{Groups: []keys.Group{slices.Concat(l.base.Minus(l.ours), l.base.Minus(l.theirs))}}
	target := keys.Recipients{Threshold: f.rule.Recipients.Threshold}
	grouped := len(f.rule.Recipients.Groups) > 1 || len(l.ours.Groups) > 1 || len(l.theirs.Groups) > 1
	for _, group := range f.rule.Recipients.Groups {
		kept := keys.Recipients{Groups: []keys.Group{group}}.Minus(removed)
		kept = slices.DeleteFunc(kept, func(e keys.Entry) bool { return !l.mayOpen(e) })
		if len(kept) == 0 {
			return keys.Recipients{}, errNobodyLeft
		}
		target.Groups = append(target.Groups, kept)
	}
	// What groups are worth together is for people to decide.
	if grouped && (f.side != sideTheirs && !target.Same(l.ours) || f.side != sideOurs && !target.Same(l.theirs)) {
		return keys.Recipients{}, errOtherGroups
	}
	return target, nil
}

func (l recipientLists) mayOpen(e keys.Entry) bool {
	ours, theirs := opensFor(l.ours, e), opensFor(l.theirs, e)
	return ours && theirs || ours && !l.oursForeign || theirs && !l.theirsForeign
}

// opensFor reports whether r lists the key of an entry, whatever role it is used in.
func opensFor(r keys.Recipients, e keys.Entry) bool {
	return slices.ContainsFunc(r.Entries(), func(o keys.Entry) bool { return o.Type() == e.Type() && o.ID() == e.ID() })
}

// bare takes the encryption context of the scope out of AWS KMS entries, so that
// recipients can be compared with those of rules and across scopes.
func bare(r keys.Recipients) keys.Recipients {
	out := keys.Recipients{Threshold: r.Threshold}
	for _, group := range r.Groups {
		var entries keys.Group
		for _, e := range group {
			if k, ok := e.(keys.KMSEntry); ok {
				k.Context = maps.Clone(k.Context)
				maps.DeleteFunc(k.Context, func(name, _ string) bool { return strings.HasPrefix(name, "kubernetes-") })
				e = k
			}
			entries = append(entries, e)
		}
		out.Groups = append(out.Groups, entries)
	}
	return out
}

// envelopeRecipients are those of a version that need not open: they count only
// for who was taken out.
func envelopeRecipients(p *merge3.Part) keys.Recipients {
	if p == nil {
		return keys.Recipients{}
	}
	doc, err := sopsdoc.ParseSealedSecret(manifest.Root(p.Node))
	if err != nil {
		return keys.Recipients{}
	}
	return bare(doc.Envelope.Metadata.Recipients)
}

// label names a document in notes.
func (f *fileMerge) label(d *merge3.Document) string {
	if name := objectOf(d); name != "" {
		return f.path + ", " + name
	}
	return f.path
}

// tell notes for whom a document opens now that did not open it on both sides, and
// whom it leaves out.
func (f *fileMerge) tell(d *merge3.Document, target, ours, theirs keys.Recipients) {
	for _, id := range missing(target, ours) {
		note(f.err, f.label(d), "now also opens for "+id)
	}
	for _, id := range missing(ours, target) {
		note(f.err, f.label(d), "no longer opens for "+id+", who can still open what is in Git history")
	}
	file := report.Quoted(f.path)
	for _, id := range missing(theirs, target) {
		if !slices.Contains(missing(ours, target), id) {
			note(f.err, f.label(d), "theirs also opens for "+id+", and a merge lets nobody in; if the rules name it: signet rewrap "+file)
		}
	}
}
