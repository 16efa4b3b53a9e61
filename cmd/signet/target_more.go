// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// openLike takes over what another target of the same SOPS file has opened: a
// change to one is a change to both.
func (t *target) openLike(o *target) error {
	t.file, t.docs = o.file, o.docs
	if t.docs != nil && !(&manifest.Object{Node: t.root()}).IsSecret() {
		return exitcode.Opening(t.wrap("open", errNotSecret))
	}
	return nil
}

// clearKeys returns the names of all values of a target that was not opened, as
// far as they stand in clear.
func (t *target) clearKeys() []string {
	n := t.object().Node
	all := slices.Concat(manifest.Keys(manifest.Get(n, "data")), manifest.Keys(manifest.Get(n, "stringData")))
	if !t.isSOPS() {
		doc, err := sopsdoc.ParseSealedSecret(n)
		if err != nil {
			return nil
		}
		all = slices.Concat(doc.Envelope.DataKeys(), doc.Envelope.StringDataKeys())
	}
	all = slices.DeleteFunc(all, func(key string) bool { return !sopsdoc.ValidDataKey(key) })
	slices.Sort(all)
	return slices.Compact(all)
}
