// SPDX-License-Identifier: Apache-2.0

package unseal

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// ForbiddenNamespaceError says that an object would come out in a place that
// Options.Namespaces do not list.
type ForbiddenNamespaceError struct {
	Namespace string   // "" if nothing says where it would be
	Allowed   []string // Options.Namespaces
	// Reason says why there is no namespace, "" where there is one.
	Reason string
}

func (e *ForbiddenNamespaceError) Error() string {
	limit := "documents are opened for no namespace"
	switch len(e.Allowed) {
	case 0:
	case 1:
		limit = fmt.Sprintf("documents are opened for namespace %s only", e.Allowed[0])
	default:
		limit = fmt.Sprintf("documents are opened for namespaces %s only", strings.Join(e.Allowed, ", "))
	}
	if e.Namespace == "" {
		return e.Reason + "; " + limit
	}
	return fmt.Sprintf("the result would be in namespace %q; %s", e.Namespace, limit)
}

// limited reports whether documents are opened for some namespaces only.
func (o Options) limited() bool {
	return o.Namespaces != nil && !slices.Contains(o.Namespaces, sopsdoc.Any)
}

// allow refuses a namespace that documents are not opened for.
func (o Options) allow(namespace string) error {
	if o.limited() && !slices.Contains(o.Namespaces, namespace) {
		return &ForbiddenNamespaceError{Namespace: namespace, Allowed: o.Namespaces}
	}
	return nil
}

// allowDocuments is allow for SOPS documents that are still encrypted.
func (o Options) allowDocuments(docs []*yaml.Node) error {
	for _, doc := range docs {
		if err := o.allowObjects(doc, o.Namespace); err != nil {
			return err
		}
	}
	return nil
}

// allowObjects is allow for all objects of a document: a List may hold some of
// several namespaces. A Secret that names no namespace will get the one given,
// if it is the document itself.
func (o Options) allowObjects(doc *yaml.Node, given string) error {
	if !o.limited() {
		return nil
	}
	objects, err := manifest.Objects(doc)
	if syntax := (*manifest.SyntaxError)(nil); errors.As(err, &syntax) {
		return &sopsdoc.InvalidError{Path: syntax.Path, Reason: syntax.Reason}
	}
	if err != nil {
		return err
	}
	if len(objects) == 0 {
		objects = []*manifest.Object{{Node: manifest.Root(doc)}}
	}
	for _, obj := range objects {
		namespace := obj.Namespace()
		if namespace == "" && obj.IsSecret() && obj.Item == 0 {
			namespace = given
		}
		if reason := unplaced(obj, namespace); reason != "" {
			return &ForbiddenNamespaceError{Allowed: o.Namespaces, Reason: reason}
		}
		if err := o.allow(namespace); err != nil {
			return err
		}
	}
	return nil
}

// unplaced says why nothing tells where an object will be, "" where something
// does.
func unplaced(obj *manifest.Object, namespace string) string {
	encrypted := func(text string) bool { return strings.HasPrefix(text, "ENC[") }
	switch {
	case encrypted(obj.APIVersion()), encrypted(obj.Kind()), encrypted(namespace):
		return "apiVersion, kind or metadata.namespace is encrypted, so that nothing says before it is opened where it belongs"
	case namespace != "":
		return ""
	case obj.IsSecret():
		return "metadata.namespace is missing, and a SOPS document has no scope that would say where it belongs"
	}
	return fmt.Sprintf("metadata.namespace is missing: a %q without it may be for the whole cluster", obj.Kind())
}
