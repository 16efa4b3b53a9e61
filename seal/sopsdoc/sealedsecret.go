// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// The names of Signet's API.
const (
	Group      = "signet.dev"
	APIVersion = Group + "/v1alpha1"
	// Kind is the kind of an object that holds one envelope.
	Kind = "SealedSecret"
	// KeyKind is the kind of an object that holds a wrapped key pair.
	KeyKind = "SealingKey"
)

// SealedSecret is a parsed SealedSecret object.
type SealedSecret struct {
	Name      string
	Namespace string // "" if the object has none
	// SecretName is spec.secretName, or Name if that is absent.
	SecretName string
	// Merge says that spec.creationPolicy is Merge. Nothing authenticates it:
	// see CheckCreationPolicy.
	Merge    bool
	Envelope *Envelope
}

// ParseSealedSecret reads a SealedSecret object. The error is an
// *InvalidError.
func ParseSealedSecret(n *yaml.Node) (*SealedSecret, error) {
	if err := allowKeys("", n, "apiVersion", "kind", "metadata", "spec", "status"); err != nil {
		return nil, err
	}
	if manifest.GetString(n, "apiVersion") != APIVersion || manifest.GetString(n, "kind") != Kind {
		return nil, invalid("", "is not a %s %s", APIVersion, Kind)
	}
	s := &SealedSecret{Name: manifest.GetString(n, "metadata", "name")}
	if !ValidSecretName(s.Name) {
		return nil, invalid("metadata.name", "is missing or not a valid name")
	}
	if ns := manifest.Get(n, "metadata", "namespace"); ns != nil {
		s.Namespace = manifest.GetString(n, "metadata", "namespace")
		if !ValidNamespace(s.Namespace) {
			return nil, invalid("metadata.namespace", "is not a valid name")
		}
	}
	return s, s.readSpec(manifest.Get(n, "spec"))
}

func (s *SealedSecret) readSpec(spec *yaml.Node) error {
	if err := allowKeys("spec", spec, "creationPolicy", "deletionPolicy", "sealed", "secretName", "serviceAccountName", "suspend"); err != nil {
		return err
	}
	s.SecretName = s.Name
	if v := manifest.Get(spec, "secretName"); v != nil {
		s.SecretName = manifest.GetString(spec, "secretName")
		if !ValidSecretName(s.SecretName) {
			return invalid("spec.secretName", "is not a valid name")
		}
	}
	for _, policy := range [][3]string{
		{"creationPolicy", "Owner", "Merge"},
		{"deletionPolicy", "Delete", "Retain"},
	} {
		field, allowed := policy[0], policy[1:]
		if v := manifest.Get(spec, field); v != nil && !slices.Contains(allowed, manifest.GetString(spec, field)) {
			return invalid("spec."+field, "must be %s or %s", allowed[0], allowed[1])
		}
	}
	s.Merge = manifest.GetString(spec, "creationPolicy") == "Merge"
	if v := manifest.Get(spec, "suspend"); v != nil {
		if _, err := readBool("spec.suspend", v); err != nil {
			return err
		}
	}
	if manifest.Get(spec, "serviceAccountName") != nil {
		return invalid("spec.serviceAccountName", "is reserved and not supported yet")
	}
	return s.readSealed(manifest.Get(spec, "sealed"))
}

// CheckCreationPolicy returns an *InvalidError unless spec.creationPolicy, which
// anybody can change, is what the document was sealed for. Whoever acts on the
// policy asks before a key is used. The path in the error is that of the object.
func (s *SealedSecret) CheckCreationPolicy() error {
	switch {
	case s.Merge && !s.Envelope.Merge:
		return invalid("spec.creationPolicy", "is Merge, but the document was not sealed to be added to the Secret of somebody else; seal it with --merge")
	case !s.Merge && s.Envelope.Merge:
		return invalid("spec.creationPolicy", "is not Merge, but the document was sealed to be added to the Secret of somebody else; seal it without --merge (signet seal --merge=false)")
	}
	return nil
}

func (s *SealedSecret) readSealed(n *yaml.Node) error {
	if n == nil {
		return invalid("spec.sealed", "is missing")
	}
	e, err := ParseEnvelope(n)
	if err != nil {
		return Below("spec.sealed", err)
	}
	s.Envelope = e
	return nil
}

func allowKeys(path string, n *yaml.Node, names ...string) error {
	if n == nil || n.Kind != yaml.MappingNode {
		return invalid(path, "is missing or not a mapping")
	}
	for _, name := range manifest.Keys(n) {
		if !slices.Contains(names, name) {
			return invalid(manifest.ChildPath(path, name), "unknown field")
		}
	}
	return nil
}

// Below puts prefix before the path of an error of this package. Other errors
// come back unchanged.
func Below(prefix string, err error) error {
	join := func(path string) string {
		if path == "" {
			return prefix
		}
		return prefix + "." + path
	}
	switch e := err.(type) {
	case *InvalidError:
		return &InvalidError{Path: join(e.Path), Reason: e.Reason}
	case *TamperedError:
		return &TamperedError{Path: join(e.Path), Reason: e.Reason}
	case *DeniedError:
		return &DeniedError{Path: join(e.Path), Reason: e.Reason}
	}
	return err
}
