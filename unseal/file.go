// SPDX-License-Identifier: Apache-2.0

package unseal

import (
	"context"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// OpenedFile is a SOPS file that was opened and verified.
type OpenedFile struct {
	// Documents are the documents in clear, in order, without metadata.
	Documents []*yaml.Node
	File      *sopsdoc.File
	// DataKey is the key of the file.
	DataKey keys.DataKey
	// Keys are those that gave it: one, or one of each key group.
	Keys []UsedKey
}

// OpenFile opens SOPS-encrypted documents that belong to one file: they share
// their mac. Documents that are no Kubernetes objects are refused, as are those
// of Signet's own API. Options.Policy plays no part, and neither does
// sopsdoc.Denied. Of Options.Keyring only those SealingKeys are used whose
// spec.namespaces are ["*"]: what has no scope could come from anywhere. Errors
// are those of Open without *ScopeError and *sopsdoc.DeniedError, and an
// *UnscopedError where there is a limit by Options.Namespaces without
// Options.Unscoped. With both, the limit rests on what the documents say of
// themselves, which the mac hardly protects: whoever can change a document can
// put its values under other keys and cut them elsewhere, and so have it opened
// in a namespace of which the name stands somewhere among them.
func OpenFile(ctx context.Context, docs []*yaml.Node, o Options) (*OpenedFile, error) {
	for _, doc := range docs {
		if err := checkObject(manifest.Root(doc)); err != nil {
			return nil, err
		}
	}
	if err := o.allowFile(docs); err != nil {
		return nil, err
	}
	f, err := sopsdoc.ParseFile(docs...)
	if err != nil {
		return nil, err
	}
	u := &used{next: o.unwrapper("")}
	k, err := keys.UnwrapAny(ctx, u, f.Metadata.Recipients)
	if err != nil {
		return nil, err
	}
	out, err := f.Decrypt(k)
	if err != nil {
		return nil, err
	}
	for _, doc := range out {
		// Once more: apiVersion and kind may have been encrypted.
		if err := checkObject(manifest.Root(doc)); err != nil {
			return nil, err
		}
		if err := o.allowObjects(doc); err != nil {
			return nil, err
		}
		if err := o.placeFile(manifest.Root(doc)); err != nil {
			return nil, err
		}
	}
	return &OpenedFile{Documents: out, File: f, DataKey: k, Keys: u.all()}, nil
}

func checkObject(n *yaml.Node) error {
	o := manifest.Object{Node: n}
	switch {
	case o.Kind() == "" || o.APIVersion() == "":
		return &sopsdoc.InvalidError{Path: "kind", Reason: "a SOPS document must be a Kubernetes object, with apiVersion and kind"}
	case o.Group() == sopsdoc.Group:
		return &sopsdoc.InvalidError{Path: sopsdoc.MetadataKey, Reason: "an object of " + sopsdoc.Group + " must not have SOPS metadata at its top level"}
	}
	return nil
}

// placeFile sets the namespace of a Secret that names none. Under a limit there
// is no such Secret any more: see allowObjects.
func (o Options) placeFile(n *yaml.Node) error {
	obj := manifest.Object{Node: n}
	if o.Namespace == "" || !obj.IsSecret() {
		return nil
	}
	switch ns := obj.Namespace(); ns {
	case o.Namespace:
	case "":
		if metadata := manifest.Get(n, "metadata"); metadata != nil && metadata.Kind == yaml.MappingNode {
			manifest.Set(metadata, "namespace", manifest.String(o.Namespace))
		}
	default:
		return &NamespaceError{Object: ns, Given: o.Namespace}
	}
	return nil
}
