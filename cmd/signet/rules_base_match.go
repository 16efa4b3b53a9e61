// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// baseMatch says what became of sealed documents.
type baseMatch struct {
	old []*sealedDoc
	now map[*sealedDoc]*sealedDoc // by the old one; nil if it is gone
}

// baseKey is what makes a sealed document the same one in two versions, wherever
// it stands in its file.
type baseKey struct{ at, namespace, name string }

func keyOf(d *sealedDoc) baseKey { return baseKey{d.file.at, d.namespace, d.secretName} }

// matchBase finds the documents of a revision among those that are there now. One
// that is not in its place may have moved to another file, namespace or name.
func matchBase(ctx context.Context, base *gitSource, now source, all []scanned) (*baseMatch, error) {
	m := &baseMatch{now: map[*sealedDoc]*sealedDoc{}}
	added := map[baseKey][]*sealedDoc{}
	var order []*sealedDoc
	looked, clear := map[string]bool{}, false
	for _, r := range all {
		looked[r.file.at] = true
		clear = clear || slices.ContainsFunc(r.findings, func(f finding) bool { return f.Rule == ruleClearSecret })
		for _, d := range r.docs {
			added[keyOf(d)] = append(added[keyOf(d)], d)
			order = append(order, d)
		}
	}
	var gone []*sealedDoc
	for _, r := range all {
		gone = append(gone, m.stayed(sealedIn(base, r.file), added)...)
	}
	if len(added) == 0 && !clear {
		return m, nil
	}
	elsewhere, err := goneElsewhere(ctx, base, now, looked)
	if err != nil {
		return nil, err
	}
	m.old = append(m.old, elsewhere...)
	m.moved(append(gone, elsewhere...), slices.DeleteFunc(order, func(d *sealedDoc) bool { return !slices.Contains(added[keyOf(d)], d) }))
	return m, nil
}

// stayed finds the documents of a file among those of their names that are in it
// now, which it takes out of added, and returns those that are gone. Of several of
// one name those belong together that one key opens, and the rest in their order.
func (m *baseMatch) stayed(old []*sealedDoc, added map[baseKey][]*sealedDoc) (gone []*sealedDoc) {
	m.old = append(m.old, old...)
	pair := func(was *sealedDoc, belong func(was, is *sealedDoc) bool) {
		key := keyOf(was)
		i := slices.IndexFunc(added[key], func(is *sealedDoc) bool { return belong(was, is) })
		if m.now[was] != nil || i < 0 {
			return
		}
		m.now[was] = added[key][i]
		if added[key] = slices.Delete(added[key], i, i+1); len(added[key]) == 0 {
			delete(added, key)
		}
	}
	for _, was := range old {
		pair(was, sameKey)
	}
	for _, was := range old {
		pair(was, func(_, _ *sealedDoc) bool { return true })
		if m.now[was] == nil {
			gone = append(gone, was)
		}
	}
	return gone
}

// sameKey reports whether two documents hold a data key that was wrapped once.
func sameKey(was, is *sealedDoc) bool {
	return slices.ContainsFunc(is.metadata.Recipients.Entries(), func(e keys.Entry) bool {
		return slices.ContainsFunc(was.metadata.Recipients.Entries(), func(o keys.Entry) bool { return e.Wrapped() == o.Wrapped() })
	})
}

// goneElsewhere returns the documents of a revision that are no longer in their
// files, of files that were not looked at.
func goneElsewhere(ctx context.Context, base *gitSource, now source, looked map[string]bool) ([]*sealedDoc, error) {
	list, err := base.list(ctx, nil)
	if err != nil {
		return nil, err
	}
	var gone []*sealedDoc
	for _, f := range list.files {
		if looked[f.at] || ctx.Err() != nil {
			continue
		}
		docs := sealedIn(base, f)
		if len(docs) == 0 {
			continue
		}
		have := sealedIn(now, f)
		for _, d := range docs {
			if !slices.ContainsFunc(have, func(h *sealedDoc) bool { return keyOf(h) == keyOf(d) }) {
				gone = append(gone, d)
			}
		}
	}
	return gone, ctx.Err()
}

// moved finds what is gone among what is new, the surest signs first.
func (m *baseMatch) moved(gone, added []*sealedDoc) {
	signs := []func(was, is *sealedDoc) bool{
		func(was, is *sealedDoc) bool { return was.namespace == is.namespace && was.secretName == is.secretName },
		sameKey,
		func(was, is *sealedDoc) bool { return was.file.at == is.file.at && was.secretName == is.secretName },
		func(was, is *sealedDoc) bool { return was.file.at == is.file.at && slices.Equal(was.keys, is.keys) },
		func(was, is *sealedDoc) bool { return was.secretName == is.secretName },
	}
	for _, sign := range signs {
		for _, was := range gone {
			if m.now[was] != nil {
				continue
			}
			i := slices.IndexFunc(added, func(is *sealedDoc) bool { return sign(was, is) })
			if i >= 0 {
				m.now[was] = added[i]
				added = slices.Delete(added, i, i+1)
			}
		}
	}
}

// sealedIn returns the sealed documents that a file of a source holds. What is
// broken is left out.
func sealedIn(src source, file checkFile) []*sealedDoc {
	text, err := src.read(file.at)
	if err != nil || !manifest.Mentions(text, sopsdoc.Group, sopsdoc.MetadataKey) {
		return nil
	}
	stream, err := manifest.Split(text)
	if err != nil {
		return nil
	}
	in := input{name: file.name, walked: true, stream: stream}
	objects, _ := in.objects(toInspect, sopsdoc.Group, sopsdoc.MetadataKey)
	var docs []*sealedDoc
	for _, f := range objects {
		if d, err := parseSealed(file, f); err == nil && d.kind != sopsdoc.KeyKind && f.Kind() != "" {
			docs = append(docs, d)
		}
	}
	return docs
}
