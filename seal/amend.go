// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// Change is what a document that was opened shall hold from now on.
type Change struct {
	// Clear has the Scope of the document: to move one is to seal it anew.
	Clear   sopsdoc.Clear
	Content sopsdoc.Content
}

// Clone returns a copy of c that can be edited.
func (c Change) Clone() Change {
	c.Clear.Labels, c.Clear.Annotations = maps.Clone(c.Clear.Labels), maps.Clone(c.Clear.Annotations)
	c.Content = sopsdoc.Content{Data: maps.Clone(c.Content.Data), StringData: maps.Clone(c.Content.StringData)}
	return c
}

// ErrMoved says that a change would bind a document to another place.
var ErrMoved = errors.New("the scope of a document cannot be changed: seal its Secret anew")

// Amend seals a changed document over prev, which was opened and verified. What
// stands around the envelope stays as it is, comments too, but for labels and the
// creation policy, which follow the change. The data key is kept, with all
// ciphertext that can be, as in Seal; prev.Sealed.Also are further versions from
// which ciphertext may come.
//
// Unlike Seal it takes no manifest, and what was sealed before is not judged
// anew: metadata that differs from all versions is sorted and checked as Seal
// does, values and clear fields are compared where one of the two differs, and a
// document that was too large may stay so. Of the Options, Reach, Namespace, Merge,
// ObjectName, Replaces and WrapAll play no part. Errors are ErrMoved,
// ErrImmutableMerge, an *sopsdoc.InvalidError, *sopsdoc.DeniedError,
// *ClearValueError or *SizeError, or those of the Wrapper. No error holds a value.
// Amend changes neither prev nor c.
func Amend(ctx context.Context, prev *Previous, c Change, o Options) (*Result, error) {
	if c.Clear.Scope != prev.Sealed.Envelope.Scope {
		return nil, ErrMoved
	}
	if c.Clear.Merge && c.Clear.Immutable {
		return nil, ErrImmutableMerge
	}
	a := newAmendment(prev, c, o)
	if err := a.check(o); err != nil {
		return nil, err
	}
	var err error
	if o.Recipients, err = sopsdoc.BindContext(o.Recipients, c.Clear.Scope); err != nil {
		return nil, err
	}
	envelope, k, err := o.envelope(ctx, a.clear, c.Content, prev)
	if err != nil {
		return nil, err
	}
	return a.result(envelope, k)
}

// AddRecipients wraps the data key of prev, which was opened and verified, for
// those of o.Recipients for which it is not wrapped yet, or for all of them with
// o.WrapAll. Values, surroundings and the other wrapped keys stay as they are.
// Where somebody would lose access the error is a *keys.RemovedError: only a new
// data key can do that. With o.FreshKey or o.FreshKeyOnChange everything is
// sealed anew as soon as there is something to add, which a note tells. Other
// options and errors are as in Amend.
func AddRecipients(ctx context.Context, prev *Previous, o Options) (*Result, error) {
	e := prev.Sealed.Envelope
	want, err := sopsdoc.BindContext(o.Recipients, e.Scope)
	if err != nil {
		return nil, err
	}
	have := e.Metadata.Recipients
	if !o.WrapAll && have.Same(want) {
		return &Result{Node: prev.Object, Unchanged: true, DataKey: prev.DataKey}, nil
	}
	if err := keys.CheckKept(have, want); err != nil {
		return nil, err
	}
	c := Change{Clear: e.Clear, Content: prev.Sealed.Content}
	if o.FreshKey || o.FreshKeyOnChange {
		o.FreshKey = true
		result, err := Amend(ctx, prev, c, o)
		return result.with(freshNote), err
	}
	recipients, err := o.wrapMore(ctx, have, want, prev.DataKey)
	if err != nil {
		return nil, err
	}
	envelope, err := sopsdoc.SealEnvelope(c.Clear, c.Content, prev.DataKey, recipients, o.now(), &prev.Sealed)
	if err != nil {
		return nil, err
	}
	return newAmendment(prev, c, o).result(envelope, prev.DataKey)
}

// freshNote tells why more was changed than was asked for.
const freshNote = "there is a new data key: the rules want one whenever something changes"

// with returns r with one more note; a nil r stays that.
func (r *Result) with(note string) *Result {
	if r != nil {
		r.Notes = append(r.Notes, note)
	}
	return r
}

func (o Options) wrapMore(ctx context.Context, have, want keys.Recipients, k keys.DataKey) (keys.Recipients, error) {
	if o.WrapAll {
		return keys.WrapAnew(ctx, o.Wrapper, have, want, k)
	}
	return keys.WrapMore(ctx, o.Wrapper, have, want, k)
}

// amendment is a change that is being made.
type amendment struct {
	prev     *Previous
	versions []sopsdoc.Previous
	clear    sopsdoc.Clear // without what does not belong under seal
	content  sopsdoc.Content
	new      input // the metadata that no version has, sorted
}

func newAmendment(prev *Previous, c Change, o Options) *amendment {
	a := &amendment{prev: prev, clear: c.Clear, content: c.Content}
	a.versions = append([]sopsdoc.Previous{prev.Sealed}, prev.Sealed.Also...)
	labels := a.differing(c.Clear.Labels, func(c sopsdoc.Clear) map[string]string { return c.Labels })
	annotations := a.differing(c.Clear.Annotations, func(c sopsdoc.Clear) map[string]string { return c.Annotations })
	a.new.secret = &manifest.Secret{Labels: maps.Clone(labels), Annotations: maps.Clone(annotations)}
	a.new.sortMetadata(o.KeepMetadata)
	for i, text := range a.new.notes {
		a.new.notes[i] = strings.Replace(text, "(--keep-metadata", "(signet seal --keep-metadata", 1)
	}
	a.clear.Labels = without(c.Clear.Labels, labels, a.new.secret.Labels)
	a.clear.Annotations = without(c.Clear.Annotations, annotations, a.new.secret.Annotations)
	return a
}

// differing returns the entries of m that no version has.
func (a *amendment) differing(m map[string]string, of func(sopsdoc.Clear) map[string]string) map[string]string {
	out := map[string]string{}
	for key, value := range m {
		if !slices.ContainsFunc(a.versions, func(v sopsdoc.Previous) bool { return has(of(v.Envelope.Clear), key, value) }) {
			out[key] = value
		}
	}
	return out
}

func has(m map[string]string, key, value string) bool {
	v, ok := m[key]
	return ok && v == value
}

// without returns m without the entries of all that are not in left.
func without(m, all, left map[string]string) map[string]string {
	out := maps.Clone(m)
	for key := range all {
		if _, ok := left[key]; !ok {
			delete(out, key)
		}
	}
	return out
}

// result puts the envelope into the object and checks what came of it.
func (a *amendment) result(e *sopsdoc.Envelope, k keys.DataKey) (*Result, error) {
	node, changed := a.object(e)
	notes, err := a.checkSize(node)
	if err != nil {
		return nil, err
	}
	return &Result{Node: node, Unchanged: !changed, Notes: slices.Concat(a.new.notes, notes), DataKey: k}, nil
}

// object returns the previous object with the envelope e and with the copies
// outside of it that the change has changed.
func (a *amendment) object(e *sopsdoc.Envelope) (n *yaml.Node, changed bool) {
	n = manifest.Clone(a.prev.Object)
	root, old := manifest.Root(n), a.prev.Sealed.Envelope
	metadata, spec := manifest.Get(root, "metadata"), manifest.Get(root, "spec")
	if e != old {
		manifest.Set(spec, "sealed", e.Node())
		changed = true
	}
	if e.Merge != old.Merge && setCreationPolicy(spec, e.Merge) {
		changed = true
	}
	added, gone := map[string]string{}, map[string]string{}
	for key, value := range e.Labels {
		if !has(old.Labels, key, value) {
			added[key] = value
		}
	}
	for key, value := range old.Labels {
		if _, ok := e.Labels[key]; !ok {
			gone[key] = value
		}
	}
	if setStrings(metadata, "labels", added, gone) {
		changed = true
	}
	if setStrings(metadata, "annotations", a.new.outside, nil) {
		changed = true
	}
	if !changed {
		return a.prev.Object, false
	}
	return n, true
}
