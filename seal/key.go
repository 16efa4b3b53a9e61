// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"context"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// Identity is a native age identity, such as an agekey.Identity.
type Identity interface {
	// Recipient returns the public half: age1... or age1pq1....
	Recipient() string
	// Reveal returns the private half: AGE-SECRET-KEY-....
	Reveal() string
}

// KeyOptions says which SealingKey to make, and for whom. Only Now has a
// default.
type KeyOptions struct {
	// Name is that of the object, an RFC 1123 subdomain. Key services that
	// authenticate a context are told of it.
	Name string
	// Namespaces are those whose documents the key may open: "*" alone, or
	// one or more names. They stay outside of the envelope: whoever may
	// change the object may change them.
	Namespaces []string
	// Identity is the key pair.
	Identity Identity
	// Recipients are the keys that open the SealingKey: those of a key
	// service, and age recipients for emergencies. Readers do not open a
	// SealingKey with another one.
	Recipients keys.Recipients
	// Wrapper wraps for all of them.
	Wrapper keys.Wrapper
	// Now becomes the modification time; zero is the time of the call.
	Now time.Time
}

// NewKey makes a SealingKey: a manifest that holds the identity wrapped for
// the recipients. There is a new data key every time; to change the recipients
// of a SealingKey is to make it again from its identity. The error is a
// *sopsdoc.InvalidError, before anything was wrapped, or that of the Wrapper.
// No error holds the identity.
func NewKey(ctx context.Context, o KeyOptions) (*Result, error) {
	clear := sopsdoc.KeyClear{Name: o.Name, Namespaces: o.Namespaces, Recipient: o.Identity.Recipient()}
	id, err := sopsdoc.ParseIdentity(o.Identity.Reveal())
	if err != nil {
		return nil, &sopsdoc.InvalidError{Path: "identity", Reason: err.Error()}
	}
	if err := sopsdoc.CheckSealingKey(clear, id, o.Recipients); err != nil {
		return nil, err
	}
	recipients, err := sopsdoc.BindKeyContext(o.Recipients, o.Name)
	if err != nil {
		return nil, err
	}
	k := keys.GenerateDataKey()
	if recipients, err = keys.WrapAll(ctx, o.Wrapper, recipients, k); err != nil {
		return nil, err
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	key, err := sopsdoc.SealSealingKey(clear, id, k, recipients.WithCreated(o.Now), o.Now)
	if err != nil {
		return nil, err
	}
	return &Result{Node: &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{key.Node()}}}, nil
}
