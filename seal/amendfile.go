// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"context"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// AmendFile is Amend for a SOPS file: docs are the documents of prev, decrypted
// and then edited by the caller. The selector of the file stays, and what it
// leaves in clear, and so does mac_only_encrypted: those of o play no part. A
// value of a Secret that the selector would leave in clear is a *SelectorError
// if it was not there before. Other errors are those of sopsdoc.EncryptFile, a
// *ClearValueError, or those of the Wrapper. AmendFile does not change docs.
func AmendFile(ctx context.Context, prev *sopsdoc.PreviousFile, docs []*yaml.Node, o SOPSOptions) (*SOPSResult, error) {
	before, err := prev.File.Decrypt(prev.DataKey)
	if err != nil {
		return nil, err
	}
	k, recipients, kept, err := o.fileKey(ctx, prev)
	if err != nil {
		return nil, err
	}
	r := &SOPSResult{DataKey: k}
	if r.Nodes, r.Unchanged, err = sopsdoc.EncryptFile(docs, k, o.settings(prev, recipients), kept); err != nil {
		return nil, err
	}
	if kept != nil && !r.Unchanged && o.FreshKeyOnChange {
		o.FreshKey = true
		return AmendFile(ctx, prev, docs, o)
	}
	if r.Unchanged {
		return r, nil
	}
	if err := checkAmended(before, docs, r.Nodes, o.AllowClear); err != nil {
		return nil, err
	}
	return r, nil
}

// AddFileRecipients is AddRecipients for a SOPS file.
func AddFileRecipients(ctx context.Context, prev *sopsdoc.PreviousFile, o SOPSOptions) (*SOPSResult, error) {
	have, want := prev.File.Metadata.Recipients, o.Recipients
	if !o.WrapAll && have.Same(want) {
		return &SOPSResult{Unchanged: true, DataKey: prev.DataKey}, nil
	}
	if err := keys.CheckKept(have, want); err != nil {
		return nil, err
	}
	docs, err := prev.File.Decrypt(prev.DataKey)
	if err != nil {
		return nil, err
	}
	if o.FreshKey || o.FreshKeyOnChange {
		o.FreshKey = true
		r, err := AmendFile(ctx, prev, docs, o)
		if err != nil {
			return nil, err
		}
		r.Notes = append(r.Notes, freshNote)
		return r, nil
	}
	recipients, err := o.wrapMore(ctx, have, want, prev.DataKey)
	if err != nil {
		return nil, err
	}
	r := &SOPSResult{DataKey: prev.DataKey}
	r.Nodes, r.Unchanged, err = sopsdoc.EncryptFile(docs, prev.DataKey, o.settings(prev, recipients), prev)
	return r, err
}

// settings are those of the file with other recipients.
func (o SOPSOptions) settings(prev *sopsdoc.PreviousFile, r keys.Recipients) sopsdoc.FileSettings {
	md := prev.File.Metadata
	return sopsdoc.FileSettings{Recipients: r, Selector: md.Selector, MACOnlyEncrypted: md.MACOnlyEncrypted, Now: o.now()}
}

// checkAmended looks at the Secrets of a file for what is in clear and was not
// before.
func checkAmended(before, docs, sealed []*yaml.Node, allow []string) error {
	for i, doc := range docs {
		if !(&manifest.Object{Node: manifest.Root(doc)}).IsSecret() {
			continue
		}
		old := samePlace(before, doc)
		if err := checkStillSelected(manifest.Root(old), manifest.Root(sealed[i])); err != nil {
			return err
		}
		if err := checkFileClear(old, doc, sealed[i], allow); err != nil {
			return err
		}
	}
	return nil
}

// samePlace returns the Secret of the same name and namespace, or nil.
func samePlace(all []*yaml.Node, doc *yaml.Node) *yaml.Node {
	place := func(n *yaml.Node) [3]string {
		o := manifest.Object{Node: manifest.Root(n)}
		return [3]string{o.Kind(), o.Namespace(), o.Name()}
	}
	for _, n := range all {
		if place(n) == place(doc) {
			return n
		}
	}
	return nil
}

// checkStillSelected is checkSelected for what old, which may be nil, does not
// have in the same place.
func checkStillSelected(old, n *yaml.Node) error {
	for _, field := range []string{"data", "stringData"} {
		for _, key := range manifest.Keys(manifest.Get(n, field)) {
			v, was := manifest.Get(n, field, key), manifest.Get(old, field, key)
			if v.Value != "" && !sealed(v) && (was == nil || was.Value != v.Value) {
				return &SelectorError{Path: manifest.ChildPath(field, key)}
			}
		}
	}
	if old != nil {
		return nil
	}
	for _, path := range readPaths() {
		if v := manifest.Get(n, path...); v != nil && sealed(v) {
			return &SelectorError{Path: strings.Join(path, "."), Encrypted: true}
		}
	}
	return nil
}

// checkFileClear compares values and clear fields where one of the two is new.
func checkFileClear(old, doc, sealed *yaml.Node, allow []string) error {
	values, oldValues := nodeValues(doc), nodeValues(old)
	oldFields := nodeFields(old)
	return checkClear(values, nodeFields(sealed), allow, func(key string, f clearField) bool {
		return has(oldValues, key, values[key]) && slices.Contains(oldFields, f)
	})
}

// nodeValues returns the values of a Secret manifest, which may be nil, also
// where they are of types that a Secret cannot have.
func nodeValues(n *yaml.Node) map[string]string {
	out := stringsOf(manifest.Get(manifest.Root(n), "stringData"))
	for key, text := range stringsOf(manifest.Get(manifest.Root(n), "data")) {
		out[key] = decoded(text)
	}
	return out
}

// nodeFields returns labels, annotations and comments of a document, which may
// be nil.
func nodeFields(n *yaml.Node) []clearField {
	metadata := manifest.Get(manifest.Root(n), "metadata")
	return slices.Concat(
		metadataFields("label", stringsOf(manifest.Get(metadata, "labels"))),
		metadataFields("annotation", stringsOf(manifest.Get(metadata, "annotations"))),
		clearComments(n),
	)
}
