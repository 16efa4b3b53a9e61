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
	if e.Namespace == "" {
		return e.Reason + "; " + limitText(e.Allowed)
	}
	return fmt.Sprintf("the result would be in namespace %q; %s", e.Namespace, limitText(e.Allowed))
}

// limitText says for which namespaces documents are opened.
func limitText(allowed []string) string {
	switch len(allowed) {
	case 0:
		return "documents are opened for no namespace"
	case 1:
		return fmt.Sprintf("documents are opened for namespace %s only", allowed[0])
	}
	return fmt.Sprintf("documents are opened for namespaces %s only", strings.Join(allowed, ", "))
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

// allowObjects is allow for all objects of a SOPS document: a List may hold some
// of several namespaces. Each must name its own: Options.Namespace is for none
// of them, or a document from anywhere would only have to lose its namespace.
func (o Options) allowObjects(doc *yaml.Node) error {
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
		if reason := unplaced(obj, namespace); reason != "" {
			return &ForbiddenNamespaceError{Allowed: o.Namespaces, Reason: reason}
		}
		if err := o.allow(namespace); err != nil {
			return err
		}
	}
	return nil
}

// mayBeEncrypted also holds for values of SOPS that are damaged.
func mayBeEncrypted(text string) bool {
	return sopsdoc.LooksEncrypted(text) || strings.HasPrefix(text, "ENC[")
}

// unplaced says why nothing tells where an object will be, "" where something
// does.
func unplaced(obj *manifest.Object, namespace string) string {
	switch {
	case mayBeEncrypted(obj.APIVersion()), mayBeEncrypted(obj.Kind()), mayBeEncrypted(namespace):
		return "apiVersion, kind or metadata.namespace is encrypted, so that nothing says before it is opened where it belongs"
	case namespace != "":
		return ""
	case obj.IsSecret():
		return "metadata.namespace is missing, and a SOPS document has no scope that would say where it belongs"
	}
	return fmt.Sprintf("metadata.namespace is missing: a %q without it may be for the whole cluster", obj.Kind())
}
