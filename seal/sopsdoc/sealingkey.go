// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// sealedPath is where the envelope stands in an object of Signet.
const sealedPath = "spec.sealed"

// KeyClear is what stands in a SealingKey in clear. Name and Recipient are
// authenticated, Namespaces is not: whoever may change the object may change
// it, without a key.
type KeyClear struct {
	Name string
	// Namespaces are those whose documents may be opened with the key: Any
	// alone, or one or more names.
	Namespaces []string
	// Recipient is the public half of the key pair, a native age recipient.
	Recipient string
}

// Allows reports whether the key may open documents of a namespace. What has
// no namespace, "", only a key without limit may open.
func (k KeyClear) Allows(namespace string) bool {
	return slices.Contains(k.Namespaces, Any) || namespace != "" && slices.Contains(k.Namespaces, namespace)
}

// SealingKey is a parsed SealingKey object: an age key pair whose private half
// is under seal. It is well formed, not yet authenticated, and is not changed
// after it was parsed or made.
type SealingKey struct {
	KeyClear
	Metadata *Metadata
	sealed   sealed
}

// identityKey is the one value under seal.
const identityKey = "identity"

// ParseSealingKey reads a SealingKey object. Whatever FORMAT.md 4 does not
// allow is an *InvalidError.
func ParseSealingKey(n *yaml.Node) (*SealingKey, error) {
	if err := allowKeys("", n, "apiVersion", "kind", "metadata", "spec", "status"); err != nil {
		return nil, err
	}
	if err := manifest.Check(n); err != nil {
		return nil, &InvalidError{Reason: err.Error()}
	}
	if manifest.GetString(n, "apiVersion") != APIVersion || manifest.GetString(n, "kind") != KeyKind {
		return nil, invalid("", "is not a %s %s", APIVersion, KeyKind)
	}
	if manifest.Get(n, "metadata", "namespace") != nil {
		return nil, invalid("metadata.namespace", "must not be there: a %s belongs to no namespace", KeyKind)
	}
	k := &SealingKey{KeyClear: KeyClear{Name: manifest.GetString(n, "metadata", "name")}}
	spec := manifest.Get(n, "spec")
	if err := allowKeys("spec", spec, "namespaces", "sealed"); err != nil {
		return nil, err
	}
	if err := k.readNamespaces(manifest.Get(spec, "namespaces")); err != nil {
		return nil, err
	}
	if err := k.readSealed(manifest.Get(spec, "sealed")); err != nil {
		return nil, Below(sealedPath, err)
	}
	if err := k.KeyClear.check(); err != nil {
		return nil, err
	}
	return k, nil
}

func (k *SealingKey) readNamespaces(n *yaml.Node) error {
	if n == nil || n.Kind != yaml.SequenceNode {
		return invalid("spec.namespaces", "is missing or not a list")
	}
	for i, v := range n.Content {
		var name string
		if err := readString(&name, namespacePath(i), v); err != nil {
			return err
		}
		k.Namespaces = append(k.Namespaces, name)
	}
	return nil
}

func namespacePath(i int) string { return fmt.Sprintf("spec.namespaces[%d]", i) }

// readSealed reads the envelope of a SealingKey. Paths of errors are those in
// the envelope.
func (k *SealingKey) readSealed(n *yaml.Node) error {
	if n == nil {
		return invalid("", "is missing")
	}
	if err := checkShape(n); err != nil {
		return err
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if err := k.field(n.Content[i].Value, n.Content[i+1]); err != nil {
			return err
		}
	}
	for _, name := range []string{"recipient", "signet", "sops"} {
		if manifest.Get(n, name) == nil {
			return invalid(name, "is missing")
		}
	}
	return k.checkValues(manifest.Get(n, "signet"))
}

func (k *SealingKey) field(name string, v *yaml.Node) (err error) {
	switch name {
	case "recipient":
		err = readString(&k.Recipient, name, v)
	case "signet":
		k.sealed, err = readSealed(v)
	case "sops":
		k.Metadata, err = metadataReader{strict: true}.read(v)
	default:
		err = invalid(manifest.ChildPath("", name), "unknown field")
	}
	return err
}

// checkValues holds the mapping "signet" to the one value that it has.
func (k *SealingKey) checkValues(n *yaml.Node) error {
	if manifest.Get(n, "data") != nil {
		return invalid("signet.data", "unknown field")
	}
	for _, name := range sortedKeys(k.sealed.stringData) {
		if name != identityKey {
			return invalid(manifest.ChildPath("signet.stringData", name), "unknown field")
		}
	}
	switch v, ok := k.sealed.stringData[identityKey]; {
	case !ok:
		return invalid("signet.stringData."+identityKey, "is missing")
	case v.empty:
		return invalid("signet.stringData."+identityKey, "is empty")
	}
	return nil
}

// check refuses clear fields that no SealingKey has.
func (k KeyClear) check() error {
	if !ValidSecretName(k.Name) {
		return invalid("metadata.name", "is missing or not a valid name")
	}
	if len(k.Namespaces) == 0 {
		return invalid("spec.namespaces", `is empty: list the namespaces whose documents the key may open, or "*"`)
	}
	for i, name := range k.Namespaces {
		switch {
		case name == Any && len(k.Namespaces) > 1:
			return invalid(namespacePath(i), `"*" must stand alone`)
		case name != Any && !ValidNamespace(name):
			return invalid(namespacePath(i), "is not a valid name of a namespace")
		case slices.Contains(k.Namespaces[:i], name):
			return invalid(namespacePath(i), "stands in the list already")
		}
	}
	if !ValidKeyRecipient(k.Recipient) {
		return invalid(sealedPath+".recipient", "must be a native age recipient (age1... or age1pq1...); SSH keys and plugins will not do")
	}
	return nil
}

// Node writes the object, its keys in order.
func (k *SealingKey) Node() *yaml.Node {
	namespaces := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, name := range k.Namespaces {
		namespaces.Content = append(namespaces.Content, manifest.String(name))
	}
	return manifest.Mapping(
		scalar("apiVersion"), scalar(APIVersion),
		scalar("kind"), scalar(KeyKind),
		scalar("metadata"), manifest.Mapping(scalar("name"), manifest.String(k.Name)),
		scalar("spec"), manifest.Mapping(
			scalar("namespaces"), namespaces,
			scalar("sealed"), manifest.Mapping(
				scalar("recipient"), manifest.String(k.Recipient),
				scalar("signet"), k.sealed.node(),
				scalar("sops"), k.Metadata.node(),
			),
		),
	)
}
