// SPDX-License-Identifier: Apache-2.0

package unseal

import (
	"context"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// ParseIdentity reads a native age identity (AGE-SECRET-KEY-...). It returns
// the recipient that belongs to it, derived from it, and an Unwrapper for
// entries of that recipient. The error holds nothing of the identity.
type ParseIdentity func(identity string) (recipient string, u keys.Unwrapper, err error)

// KeyOptions says how SealingKeys are opened. All but Observe are needed.
type KeyOptions struct {
	// Unwrapper gives the data keys of SealingKeys: with a key service, or
	// with age identities at hand. It is never a Keyring: a SealingKey does
	// not open another one.
	Unwrapper keys.Unwrapper
	// ParseIdentity makes use of the identity in a SealingKey.
	ParseIdentity ParseIdentity
	// Observe is called each time that a Keyring has tried to open a
	// SealingKey, with nil where it did. It must be quick. Nil: nobody wants
	// to know.
	Observe func(Key, error)
}

// OpenedKey is a SealingKey that was opened and verified.
type OpenedKey struct {
	Key *sopsdoc.SealingKey
	// Identity is the private half of the key pair, that of Key.Recipient.
	Identity sopsdoc.Identity

	unwrapper keys.Unwrapper // with the identity
}

// OpenKey opens the SealingKey object n, a mapping or a document node. The
// error is a *sopsdoc.InvalidError, a *sopsdoc.TamperedError, also where the
// identity is not that of the recipient, one of keys.UnwrapAny, or one of
// ParseIdentity. None holds the identity.
func OpenKey(ctx context.Context, n *yaml.Node, o KeyOptions) (*OpenedKey, error) {
	key, err := sopsdoc.ParseSealingKey(manifest.Root(n))
	if err != nil {
		return nil, err
	}
	return o.open(ctx, key)
}

func (o KeyOptions) open(ctx context.Context, key *sopsdoc.SealingKey) (*OpenedKey, error) {
	if err := key.CheckContext(); err != nil {
		return nil, err
	}
	k, err := keys.UnwrapAny(ctx, o.Unwrapper, key.Metadata.Recipients)
	if err != nil {
		return nil, err
	}
	id, err := key.Open(k)
	if err != nil {
		return nil, err
	}
	recipient, u, err := o.ParseIdentity(id.Reveal())
	if err != nil {
		return nil, fmt.Errorf("spec.sealed.signet.stringData.identity: %w", err)
	}
	// Binding and MAC say only that one who knew the data key has put the two
	// together. What is sealed for a recipient that is not the identity's own
	// would open for somebody else.
	if recipient != key.Recipient {
		return nil, &sopsdoc.TamperedError{
			Path:   "spec.sealed.recipient",
			Reason: "is not the recipient of the identity under seal: do not seal anything for it",
		}
	}
	return &OpenedKey{Key: key, Identity: id, unwrapper: u}, nil
}
