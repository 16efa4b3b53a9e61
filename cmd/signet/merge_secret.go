// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/merge3"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// fileMerge merges the sealed documents of one file that both sides have
// changed.
type fileMerge struct {
	*mergeDriver
	rule    *keys.Rule
	keys    unseal.Options
	wrapper keys.Wrapper
	now     time.Time
}

// merge returns the merged file. Each part of the error is about a document, or
// about the file.
func (m *mergeDriver) merge(ctx context.Context, s *merge3.Streams, watch *userkeys.Watch) ([]byte, error) {
	text, err := m.text(ctx, s)
	if err != nil {
		return nil, err
	}
	merged, err := s.Merge(text)
	if err != nil {
		return nil, m.place(&layoutError{err})
	}
	var f *fileMerge
	var errs []error
	for _, job := range merged.Jobs {
		if job.Settled {
			continue
		}
		if f == nil {
			if f, err = m.prepare(watch); err != nil {
				return nil, err
			}
		}
		errs = append(errs, report.Split(f.job(ctx, job))...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return merged.Bytes()
}

// prepare finds rules and keys. The rules are those on disk: what another commit
// has there, somebody may have put there for this purpose.
func (m *mergeDriver) prepare(watch *userkeys.Watch) (*fileMerge, error) {
	find := m.findRule
	if find == nil {
		find = func() (*keys.Rule, error) { return m.ruleOf(m.path) }
	}
	rule, err := find()
	if err != nil {
		return nil, m.place(err)
	}
	f := &fileMerge{mergeDriver: m, rule: rule, now: time.Now()}
	sources := m.sources(m.err, true)
	sources.Watch = watch
	if f.keys, err = sources.Options(m.path); err != nil {
		return nil, err
	}
	f.wrapper, err = sources.Wrapper()
	return f, err
}

func (m *mergeDriver) ruleOf(document string) (*keys.Rule, error) {
	path, err := keys.FindRules(document)
	if err != nil {
		return nil, err
	}
	rules, err := keys.LoadRules(path)
	if err != nil {
		return nil, err
	}
	rule, err := rules.For(document)
	if err != nil {
		return nil, err
	}
	return rule, checkRule(path, rule)
}

// at places an error at a document of the file.
func (f *fileMerge) at(d *merge3.Document, err error) error {
	return &report.PlacedError{File: f.path, Object: objectOf(d), Operation: "merge", Err: err}
}

func objectOf(d *merge3.Document) string {
	if sopsdoc.LooksEncrypted(d.ID.Name) {
		return ""
	}
	return report.Visible(d.ID.String())
}

// layoutError says that the sealed documents have no place in the merged text.
type layoutError struct{ err error }

func (e *layoutError) Error() string { return e.err.Error() }
func (e *layoutError) Unwrap() error { return e.err }

// itemsError says which items of a document both sides have changed.
type itemsError struct {
	items []merge3.Conflict
	sops  bool // of a document that SOPS has encrypted
}

func (e *itemsError) Error() string { return "conflict: " + merge3.Describe(e.items) }

// closedError says that a version of a document does not open.
type closedError struct {
	side string
	err  error
}

func (e *closedError) Error() string { return "open " + e.side + ": " + e.err.Error() }
func (e *closedError) Unwrap() error { return e.err }

// job merges what has to be sealed together.
func (f *fileMerge) job(ctx context.Context, job *merge3.Job) error {
	var err error
	if job.SOPS {
		err = f.sopsFile(ctx, job.Documents)
	} else {
		err = f.secret(ctx, job.Documents[0])
	}
	if err == nil {
		return nil
	}
	if _, placed := report.Split(err)[0].(*report.PlacedError); placed {
		return err
	}
	return f.at(job.Documents[0], err)
}

// openedVersion is a version of a SealedSecret that was opened.
type openedVersion struct {
	part    *merge3.Part
	version merge3.Version
	sealed  sopsdoc.Previous
	dataKey keys.DataKey
	standIn bool            // does not open: the rest is of the other side
	listed  keys.Recipients // of one that does not open
}

func (v *openedVersion) recipients() keys.Recipients {
	if v.standIn {
		return v.listed
	}
	return v.sealed.Envelope.Metadata.Recipients
}

func (f *fileMerge) openVersion(ctx context.Context, side string, p *merge3.Part) (*openedVersion, error) {
	opened, err := unseal.Open(ctx, p.Node, f.keys)
	if err != nil {
		return nil, &closedError{side, err}
	}
	e := opened.Document.Envelope
	return &openedVersion{
		part:    p,
		version: merge3.NewVersion(p.Node, e.Clear, opened.Content),
		sealed:  sopsdoc.Previous{Envelope: e, Content: opened.Content},
		dataKey: opened.DataKey,
	}, nil
}

// secret merges a SealedSecret.
func (f *fileMerge) secret(ctx context.Context, d *merge3.Document) error {
	s, err := f.mergeSecret(ctx, d)
	if err != nil {
		return err
	}
	if len(s.conflicts) > 0 {
		return &itemsError{items: s.conflicts}
	}
	return f.placeSecret(ctx, s, s.version)
}

// mergedSecret is a SealedSecret that both sides have changed, merged as far as
// that goes.
type mergedSecret struct {
	doc *merge3.Document
	secretVersions
	version   merge3.Version
	conflicts []merge3.Conflict
	edited    *target // as the user wants it, nil as long as nobody has said
}

// mergeSecret opens and merges the versions of a SealedSecret.
func (f *fileMerge) mergeSecret(ctx context.Context, d *merge3.Document) (*mergedSecret, error) {
	s := &mergedSecret{doc: d}
	if err := f.openSides(ctx, s); err != nil {
		return nil, err
	}
	var base *merge3.Version
	if d.Base != nil {
		if opened, err := f.openVersion(ctx, "base", d.Base); err == nil {
			s.base, base = opened, &opened.version
		}
	}
	s.judge()
	s.version, s.conflicts = merge3.Secrets(base, s.ours.version, s.theirs.version)
	if f.side != "" {
		for _, c := range s.conflicts {
			c.Take(&s.version, s.on(f.side).version)
		}
		s.conflicts = nil
	}
	return s, nil
}

// placeSecret puts a version into the file: as one of the sides has it, if it is
// that, or else sealed now.
func (f *fileMerge) placeSecret(ctx context.Context, s *mergedSecret, version merge3.Version) error {
	target, err := f.target(recipientLists{
		base: envelopeRecipients(s.doc.Base), ours: bare(s.ours.recipients()), theirs: bare(s.theirs.recipients()),
		oursForeign: s.ours.version.Foreign, theirsForeign: s.theirs.version.Foreign,
	})
	if err != nil {
		return err
	}
	bound, err := sopsdoc.BindContext(target, version.Clear.Scope)
	if err != nil {
		return err
	}
	if kept := s.same(version, bound); kept != nil && !f.freshKey {
		s.doc.Keep(kept.part)
	} else if err := f.sealMerged(ctx, s.doc, version, target, &s.secretVersions); err != nil {
		return err
	}
	f.tell(s.doc, bound, s.ours.recipients(), s.theirs.recipients())
	return nil
}

// secretVersions are those of a SealedSecret. base is nil if there is none that
// opens.
type secretVersions struct{ base, ours, theirs *openedVersion }

// same returns the side that is what the merged version would become, or nil.
func (v *secretVersions) same(merged merge3.Version, target keys.Recipients) *openedVersion {
	base := keys.DataKey{}
	if v.base != nil {
		base = v.base.dataKey
	}
	for _, pair := range [][2]*openedVersion{{v.ours, v.theirs}, {v.theirs, v.ours}} {
		side, other := pair[0], pair[1]
		if !side.standIn && !side.version.Foreign && mayStay(side.dataKey, other.dataKey, base) && target.Same(side.recipients()) && sameVersion(merged, side.version) {
			return side
		}
	}
	return nil
}

// mayStay reports whether the data key of a side may stay: a new one on the other
// side only is not to be undone. base is the zero value if nobody knows it.
func mayStay(side, other, base keys.DataKey) bool {
	return side.Equal(other) || !base.IsZero() && !side.Equal(base)
}

// previous returns what may be kept of the versions if the data key stays, which is
// that of both sides, and else what is judged already.
func (v *secretVersions) previous(merged merge3.Version, stays bool) *seal.Previous {
	main, other := v.ours, v.theirs
	if v.ours.standIn || merged.Clear.Scope != v.ours.version.Clear.Scope {
		main, other = v.theirs, v.ours
	}
	prev := &seal.Previous{
		Object:  merged.Object(manifest.Get(manifest.Root(main.part.Node), "spec", "sealed")),
		Sealed:  main.sealed,
		DataKey: main.dataKey,
	}
	if !other.standIn {
		prev.Sealed.Also = []sopsdoc.Previous{other.sealed}
	}
	if v.base != nil && (!stays || v.base.dataKey.Equal(main.dataKey)) {
		prev.Sealed.Also = append(prev.Sealed.Also, v.base.sealed)
	}
	for _, version := range []*openedVersion{v.base, other} {
		if version != nil && !version.standIn {
			prev.Former = append(prev.Former, version.dataKey)
		}
	}
	return prev
}

// sealMerged seals the merged version and puts it into the file.
func (f *fileMerge) sealMerged(ctx context.Context, d *merge3.Document, merged merge3.Version, target keys.Recipients, v *secretVersions) error {
	bound, err := sopsdoc.BindContext(target, merged.Clear.Scope)
	if err != nil {
		return err
	}
	stays := v.ours.dataKey.Equal(v.theirs.dataKey) && bound.Same(v.ours.recipients()) && bound.Same(v.theirs.recipients())
	result, err := seal.Amend(ctx, v.previous(merged, stays), seal.Change{Clear: merged.Clear, Content: merged.Content}, seal.Options{
		Recipients: target, Wrapper: f.wrapper, FreshKey: !stays || f.freshKey, FreshKeyOnChange: f.rule.FreshKey,
		AllowClear: f.allowClear, Now: f.now,
	})
	if err != nil {
		return err
	}
	object := found{Object: &manifest.Object{Node: manifest.Root(result.Node)}}
	limits := limitsOf(f.keys.Keyring.SealingKeys()).amended(object, merged.Clear.Scope, target, f.keys.Namespace)
	for _, text := range append(result.Notes, limits...) {
		note(f.err, f.label(d), text)
	}
	for _, side := range []*openedVersion{v.ours, v.theirs} {
		if sameText(result.Node, side.part.Node) {
			d.Keep(side.part)
			return nil
		}
	}
	return d.Replace(result.Node)
}

// sameVersion reports whether two versions would be written alike.
func sameVersion(a, b merge3.Version) bool {
	return a.SameSealed(b) && sameText(a.Around, b.Around)
}

// sameText reports whether two trees are written alike.
func sameText(a, b *yaml.Node) bool {
	x, err := manifest.EncodeYAML(a)
	if err != nil {
		return false
	}
	y, err := manifest.EncodeYAML(b)
	return err == nil && bytes.Equal(x, y)
}
