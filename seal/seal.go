// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// Reach says in how many places a SealedSecret may be opened.
type Reach int

const (
	// Strict binds to one namespace and one Secret name.
	Strict Reach = iota
	// Namespace binds to one namespace; the Secret may have any name.
	Namespace
	// Cluster binds to nothing.
	Cluster
)

// Options says for whom and how to seal. The zero value of every field but
// Recipients and Wrapper is a safe default.
type Options struct {
	// Recipients are the keys for which the data key is wrapped: entries
	// without a wrapped key. At least one is needed.
	Recipients keys.Recipients
	// Wrapper wraps for all of them.
	Wrapper keys.Wrapper
	// Reach is where the document may be opened; only for SealedSecrets.
	Reach Reach
	// Namespace is that of Secrets that name none. One that names another
	// is an error.
	Namespace string
	// Merge seals content that is to be added to a Secret which somebody else
	// makes; only for SealedSecrets. Whoever owns that Secret chooses what stands
	// beside the content, and no seal covers that. It excludes an immutable
	// Secret.
	Merge bool
	// Policy is denied in addition to sopsdoc.Denied.
	Policy sopsdoc.Policy
	// KeepMetadata lists label and annotation keys that are sealed although
	// Seal would leave them out.
	KeepMetadata []string
	// AllowClear lists keys of the Secret whose values may also stand in a
	// label, an annotation or a comment.
	AllowClear []string
	// ObjectName is the name of the SealedSecret where it is not that of the
	// Secret; only for SealedSecrets. "" leaves it as it was, or gives it that of
	// the Secret.
	ObjectName string
	// Replaces is a SealedSecret object of which nothing that is sealed can be
	// kept, because it did not open or is for another place, and whose
	// surroundings the result takes over: its own metadata, but what an API
	// server sets, and the spec outside of the envelope. It must be well formed
	// (sopsdoc.ParseSealedSecret), is not changed, and plays no part where a
	// Previous is given.
	Replaces *yaml.Node
	// FreshKey makes a new data key even if nothing has changed.
	FreshKey bool
	// FreshKeyOnChange makes a new data key as soon as anything in the
	// envelope changes: what is sealed from now on is then safe from whoever
	// knows, or has planted, the previous key.
	FreshKeyOnChange bool
	// WrapAll has AddRecipients wrap the data key for all recipients anew, not
	// only for those that are added.
	WrapAll bool
	// Now becomes the modification time; zero is the time of the call.
	Now time.Time
}

func (o Options) now() time.Time {
	if o.Now.IsZero() {
		return time.Now()
	}
	return o.Now
}

func (o Options) policy() sopsdoc.Policy {
	return sopsdoc.Denied().Extend(o.Policy)
}

// Previous is a SealedSecret that was opened: what sealing over it may keep.
type Previous struct {
	// Object is the SealedSecret object. Seal takes over what stands outside
	// of the envelope, and comments, and does not change it.
	Object *yaml.Node
	// Sealed is the envelope and its content.
	Sealed sopsdoc.Previous
	// DataKey is the data key of the envelope.
	DataKey keys.DataKey
	// Former are data keys of further versions that were opened, beside DataKey:
	// a document with a new data key tells, to whoever has one of them, that who
	// made it had it too.
	Former []keys.DataKey
}

// Result is a sealed document.
type Result struct {
	// Node is the document, a document node. With Unchanged it equals the
	// object of Previous, whose bytes can be kept.
	Node *yaml.Node
	// Unchanged says that the previous document already was what was asked.
	Unchanged bool
	// Notes tell what was left out or deserves attention. They hold no values.
	Notes []string
	// DataKey is the key of the document, with which it can be opened again
	// without any right to decrypt. NewKey leaves it out.
	DataKey keys.DataKey
}

// Seal makes a SealedSecret of the Secret manifest n. prev may be nil; if it
// is given and its recipients are the ones asked for, its data key and the
// ciphertext of unchanged values are kept, and everything is if nothing
// changed. Errors are a *manifest.SyntaxError or *sopsdoc.InvalidError for the
// manifest, ErrNoNamespace, ErrImmutableMerge, a *NamespaceError,
// *sopsdoc.DeniedError, *ClearValueError or *SizeError, or those of the Wrapper.
// No error holds a value. Seal changes neither n nor prev.
func Seal(ctx context.Context, n *yaml.Node, prev *Previous, o Options) (*Result, error) {
	in, err := read(n, o)
	if err != nil {
		return nil, err
	}
	clear, err := o.clear(in)
	if err != nil {
		return nil, err
	}
	content := sopsdoc.Content{Data: in.secret.Base64Data(), StringData: in.secret.StringData}
	if o.Recipients, err = sopsdoc.BindContext(o.Recipients, clear.Scope); err != nil {
		return nil, err
	}
	envelope, k, err := o.envelope(ctx, clear, content, prev)
	if err != nil {
		return nil, err
	}
	node, changed := in.object(envelope, prev, o)
	notes, err := checkSize(node, dataBytes(content))
	if err != nil {
		return nil, err
	}
	return &Result{Node: node, Unchanged: !changed, Notes: slices.Concat(in.notes, notes), DataKey: k}, nil
}

// envelope seals the content: over the previous envelope if that may be kept.
func (o Options) envelope(ctx context.Context, clear sopsdoc.Clear, content sopsdoc.Content, prev *Previous) (*sopsdoc.Envelope, keys.DataKey, error) {
	k, recipients, keep, err := o.dataKey(ctx, prev)
	if err != nil {
		return nil, k, err
	}
	e, err := sopsdoc.SealEnvelope(clear, content, k, recipients, o.now(), keep, prev.dataKeys()...)
	if err != nil || keep == nil || keep.Has(e) || !o.FreshKeyOnChange {
		return e, k, err
	}
	o.FreshKey = true
	return o.envelope(ctx, clear, content, prev)
}

// dataKeys are those of all versions that were opened. A nil p has none.
func (p *Previous) dataKeys() []keys.DataKey {
	if p == nil {
		return nil
	}
	return append([]keys.DataKey{p.DataKey}, p.Former...)
}

// dataKey returns the data key to use and its recipients: the previous ones if
// they may be kept, else new ones.
func (o Options) dataKey(ctx context.Context, prev *Previous) (keys.DataKey, keys.Recipients, *sopsdoc.Previous, error) {
	if prev != nil && !o.FreshKey && prev.Sealed.Envelope.Metadata.Recipients.Same(o.Recipients) {
		return prev.DataKey, prev.Sealed.Envelope.Metadata.Recipients, &prev.Sealed, nil
	}
	k := keys.GenerateDataKey()
	recipients, err := keys.WrapAll(ctx, o.Wrapper, o.Recipients, k)
	return k, recipients.WithCreated(o.now()), nil, err
}

// clear returns the fields that stand in clear in the envelope.
func (o Options) clear(in *input) (sopsdoc.Clear, error) {
	s := in.secret
	scope := sopsdoc.Scope{Namespace: s.Namespace, Name: s.Name}
	if o.Reach != Strict {
		scope.Name = sopsdoc.Any
	}
	if o.Reach == Cluster {
		scope.Namespace = sopsdoc.Any
	}
	if scope.Namespace == "" {
		return sopsdoc.Clear{}, ErrNoNamespace
	}
	clear := sopsdoc.Clear{
		Annotations: s.Annotations,
		Labels:      s.Labels,
		Immutable:   s.Immutable,
		Merge:       o.Merge,
		Scope:       scope,
		Type:        s.Type,
	}
	if clear.Type == "" {
		clear.Type = "Opaque"
	}
	if clear.Merge && clear.Immutable {
		return sopsdoc.Clear{}, ErrImmutableMerge
	}
	return clear, o.policy().Check(clear.Type, clear.Labels, clear.Annotations)
}

// ErrNoNamespace says that a Secret without a namespace cannot be bound to one.
var ErrNoNamespace = errors.New("metadata.namespace is missing")

// ErrImmutableMerge says that what is to be added to a Secret of somebody else
// can't make that immutable.
var ErrImmutableMerge = errors.New("immutable: true can't be sealed for merging: the Secret that it is added to belongs to somebody else")

// NamespaceError says that a Secret names another namespace than the one given.
type NamespaceError struct {
	Object string // what the manifest says
	Given  string // what the caller says
}

func (e *NamespaceError) Error() string {
	return fmt.Sprintf("metadata.namespace is %q, but %q was asked for", e.Object, e.Given)
}
