// SPDX-License-Identifier: Apache-2.0

package unseal

import (
	"context"
	"encoding/base64"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// Options says with which keys to open, and where the result goes.
type Options struct {
	// Unwrapper gives data keys.
	Unwrapper keys.Unwrapper
	// Keyring opens entries for the recipients of its SealingKeys that
	// Unwrapper has no identity for. A SealingKey is used only if its
	// spec.namespaces list the namespace that the Secret will be in, which is
	// found out before it is opened, or are ["*"]. Nil: there is none.
	Keyring *Keyring
	// Namespace is where the Secret will be, for objects that name none. One
	// that names another is an error.
	Namespace string
	// Namespaces are those for which documents are opened; sopsdoc.Any stands
	// for all. What would come out elsewhere is refused before a key is used,
	// and so is every SOPS document, without Unscoped. Nil: there is no limit.
	Namespaces []string
	// Unscoped lets OpenFile open SOPS documents under a limit by Namespaces.
	// Each object must then name a namespace of the limit, in clear; Namespace
	// is not put in its place. Nothing binds a document to what it names: this
	// is for where whoever writes the documents may have all that the keys open.
	// UnwrapFile, which sees no objects, refuses with a limit in any case.
	Unscoped bool
	// Policy is denied in addition to sopsdoc.Denied.
	Policy sopsdoc.Policy
	// WholeSecrets is for callers whose result is applied as it is, and then
	// replaces the Secret of that name. Documents that were sealed to be added
	// to the Secret of somebody else are refused with a *MergeError, and those
	// whose spec.creationPolicy is not what they were sealed for, too (see
	// sopsdoc.SealedSecret.CheckCreationPolicy), before a key is used.
	WholeSecrets bool
}

func (o Options) policy() sopsdoc.Policy {
	return sopsdoc.Denied().Extend(o.Policy)
}

// ScopeError says that a document was sealed for another place than the one
// that it was found in.
type ScopeError struct {
	Scope     sopsdoc.Scope // what the document was sealed for
	Namespace string        // where it is, "" if nothing tells
	Name      string        // name of the Secret it would become
}

func (e *ScopeError) Error() string {
	if e.Namespace == "" {
		return fmt.Sprintf("spec.sealed.scope: the document was sealed for %s and nothing says in which namespace it is", e.Scope)
	}
	return fmt.Sprintf("spec.sealed.scope: the document was sealed for %s, not for %s/%s", e.Scope, e.Namespace, e.Name)
}

// Opened is a document that was opened and verified.
type Opened struct {
	// Secret is what was sealed, with its namespace.
	Secret *manifest.Secret
	// Document is the SealedSecret, and Content its values as sealed.
	Document *sopsdoc.SealedSecret
	Content  sopsdoc.Content
	// DataKey is the key of the document.
	DataKey keys.DataKey
	// Keys are those that gave it: one, or one of each key group.
	Keys []UsedKey
}

// Open opens the SealedSecret object n, a mapping or a document node. The
// package comment lists its errors; there is also a *NamespaceError, a
// *ForbiddenNamespaceError, a *MergeError, and in the *keys.NoKeyError a *KeyError or
// *KeyNamespaceError for each SealingKey that was of no use.
func Open(ctx context.Context, n *yaml.Node, o Options) (*Opened, error) {
	doc, err := sopsdoc.ParseSealedSecret(manifest.Root(n))
	if err != nil {
		return nil, err
	}
	return OpenParsed(ctx, doc, o)
}

// OpenParsed is Open for a document that is parsed already.
func OpenParsed(ctx context.Context, doc *sopsdoc.SealedSecret, o Options) (*Opened, error) {
	if err := o.checkMerge(doc); err != nil {
		return nil, err
	}
	namespace, err := o.place(doc)
	if err != nil {
		return nil, err
	}
	if err := o.allow(namespace); err != nil {
		return nil, err
	}
	if err := doc.Envelope.CheckContext(); err != nil {
		return nil, sopsdoc.Below("spec.sealed", err)
	}
	clear := doc.Envelope.Clear
	if err := o.policy().Check(clear.Type, clear.Labels, clear.Annotations); err != nil {
		return nil, sopsdoc.Below("spec.sealed", err)
	}
	u := &used{next: o.unwrapper(namespace)}
	k, err := keys.UnwrapAny(ctx, u, doc.Envelope.Metadata.Recipients)
	if err != nil {
		return nil, err
	}
	content, err := doc.Envelope.Open(k)
	if err != nil {
		return nil, sopsdoc.Below("spec.sealed", err)
	}
	secret, err := secret(namespace, doc, content)
	if err != nil {
		return nil, err
	}
	return &Opened{Secret: secret, Document: doc, Content: content, DataKey: k, Keys: u.all()}, nil
}

// place finds the namespace of the Secret and holds it and its name against
// the scope.
func (o Options) place(doc *sopsdoc.SealedSecret) (string, error) {
	scope := doc.Envelope.Scope
	namespace := doc.Namespace
	switch {
	case namespace == "" && o.Namespace != "":
		namespace = o.Namespace
	case namespace == "" && scope.Namespace != sopsdoc.Any:
		namespace = scope.Namespace
	case o.Namespace != "" && o.Namespace != namespace:
		return "", &NamespaceError{Object: namespace, Given: o.Namespace}
	}
	if namespace == "" || !scope.Allows(namespace, doc.SecretName) {
		return "", &ScopeError{Scope: scope, Namespace: namespace, Name: doc.SecretName}
	}
	return namespace, nil
}

// NamespaceError says that an object names another namespace than the one given.
type NamespaceError struct {
	Object string // what the object says
	Given  string // what the caller says
}

func (e *NamespaceError) Error() string {
	return fmt.Sprintf("metadata.namespace is %q, but %q was asked for", e.Object, e.Given)
}

func secret(namespace string, doc *sopsdoc.SealedSecret, content sopsdoc.Content) (*manifest.Secret, error) {
	clear := doc.Envelope.Clear
	s := &manifest.Secret{
		Name:        doc.SecretName,
		Namespace:   namespace,
		Type:        clear.Type,
		Immutable:   clear.Immutable,
		Labels:      clear.Labels,
		Annotations: clear.Annotations,
		StringData:  content.StringData,
		Data:        make(map[string][]byte, len(content.Data)),
	}
	for key, text := range content.Data {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil { // Envelope.Open has checked it
			return nil, &sopsdoc.InvalidError{Path: manifest.ChildPath("spec.sealed.signet.data", key), Reason: "is not base64"}
		}
		s.Data[key] = b
	}
	return s, nil
}
