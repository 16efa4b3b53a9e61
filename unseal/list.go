// SPDX-License-Identifier: Apache-2.0

package unseal

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// ListError says that a List was encrypted by SOPS as a whole. Its items have
// no metadata of their own, so that whoever looks at them alone passes them on
// with their ciphertext.
type ListError struct {
	Kind string // "List", "SecretList"
}

func (e *ListError) Error() string {
	return fmt.Sprintf("a %s that SOPS has encrypted as a whole is not opened", e.Kind)
}

// CheckUnopened is for callers that open the objects of a document
// (manifest.Objects) one by one: it finds SOPS metadata that none of them
// would see. The error is a *ListError, or a *sopsdoc.InvalidError for an
// object of Signet's API that is not opened and has such metadata.
func CheckUnopened(doc *yaml.Node, objects []*manifest.Object) error {
	root := manifest.Root(doc)
	if manifest.Get(root, sopsdoc.MetadataKey) != nil && (len(objects) == 0 || objects[0].Item > 0) {
		return &ListError{Kind: (&manifest.Object{Node: root}).Kind()}
	}
	for _, o := range objects {
		if o.Group() == sopsdoc.Group && o.Kind() == sopsdoc.KeyKind && manifest.Get(o.Node, sopsdoc.MetadataKey) != nil {
			return checkObject(o.Node)
		}
	}
	return nil
}

var _ error = (*ListError)(nil)
