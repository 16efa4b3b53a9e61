// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"strings"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// compareWithBase compares sealed documents with what they were in the revision
// that --base names.
func (k *checkCommand) compareWithBase(ctx context.Context, now source, all []scanned) ([]finding, error) {
	if k.flags.base == "" {
		return nil, nil
	}
	src, err := newCommitSource(ctx, k.flags.base)
	if err != nil {
		return nil, err
	}
	defer src.close()
	m, err := matchBase(ctx, src, now, all)
	if err != nil {
		return nil, err
	}
	var found []finding
	for _, was := range m.old {
		switch is := m.now[was]; {
		case is != nil:
			found = append(found, changes(was, is)...)
		case was.kind == sopsdoc.Kind:
			found = append(found, downgraded(was, all)...)
		}
	}
	return found, ctx.Err()
}

// downgraded tells of a Secret that was sealed, and now stands in clear in the same
// file, or under its name in any other.
func downgraded(was *sealedDoc, all []scanned) []finding {
	object := strings.TrimPrefix(was.namespace+"/"+was.secretName, "/")
	for _, r := range all {
		for _, f := range r.findings {
			if f.Rule != ruleClearSecret || r.file.at != was.file.at && f.Object != object {
				continue
			}
			is := was.about(ruleDowngraded, "was a SealedSecret, and its file holds a Secret in clear", "seal it again, and give it a new value: Git keeps the one in clear")
			if r.file.at != was.file.at {
				is.Message = "was a SealedSecret in " + report.Visible(was.file.name) + ", and is a Secret in clear"
				is.File, is.Document, is.Item = f.File, f.Document, f.Item
			}
			is.Line = f.Line
			return []finding{is}
		}
	}
	return nil
}

// changes compares two versions of one document.
func changes(was, is *sealedDoc) []finding {
	var found []finding
	have, had := is.metadata.Recipients, was.metadata.Recipients
	if was.kind == sopsdoc.Kind && is.kind == "" {
		return []finding{is.about(ruleDowngraded, "was a SealedSecret, and is encrypted by SOPS now: it opens anywhere", "restore it from Git, or see that it was meant")}
	}
	if was.scope != nil && is.scope != nil && allowsMore(*is.scope, *was.scope) {
		found = append(found, is.about(ruleScopeChanged, "was sealed for "+was.scope.String()+", and now is for "+is.scope.String(), "see that it was meant"))
	}
	if is.merge && !was.merge && was.kind == is.kind {
		found = append(found, is.about(ruleScopeChanged, "its values may be added to a Secret of others now: merge is true", "see that it was meant"))
	}
	if more, less := have.Minus(had), had.Minus(have); was.kind == is.kind && len(more)+len(less) > 0 && sameContext(was, is) {
		message := "its recipients have changed:"
		if len(more) > 0 {
			message += " now also " + nameEntries(more)
		}
		if len(less) > 0 {
			message += " no longer " + nameEntries(less)
		}
		found = append(found, is.about(ruleNewRecipients, message, "see that the rules were changed on purpose"))
	}
	if rewrapped(had, have) {
		found = append(found, is.about(ruleKeyChanged, "its data key was replaced", "see who has sealed it anew: "+report.Quoted(is.file.name)))
	}
	return found
}

// sameContext reports whether two versions are for the same place, so that the
// context of their keys is the same.
func sameContext(was, is *sealedDoc) bool {
	return was.scope == nil || is.scope == nil || *was.scope == *is.scope
}

// allowsMore reports whether a scope has a place that another did not allow.
func allowsMore(now, was sopsdoc.Scope) bool {
	return was.Namespace != sopsdoc.Any && now.Namespace != was.Namespace || was.Name != sopsdoc.Any && now.Name != was.Name
}

// rewrapped reports whether all recipients that stayed hold something else now.
func rewrapped(had, have keys.Recipients) bool {
	same := 0
	for _, e := range have.Entries() {
		for _, o := range had.Entries() {
			if o.Type() != e.Type() || o.ID() != e.ID() {
				continue
			}
			if o.Wrapped() == e.Wrapped() {
				return false
			}
			same++
		}
	}
	return same > 0
}
