// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// maxItems bounds encryptedData and template.data: each item of the first
// costs a private operation for each key that is tried.
const maxItems = 1000

// document is a SealedSecret as values (pkg/apis/sealedsecrets/v1alpha1/types.go).
type document struct {
	name, namespace     string
	labels, annotations map[string]string
	encrypted           map[string]string
	blob                *string // spec.data, nil if there is none
	template            secretTemplate
	ignored             []string // paths of fields that Sealed Secrets doesn't know
}

// secretTemplate is spec.template.
type secretTemplate struct {
	labels, annotations map[string]string
	kind                string // type
	immutable           bool
	data                map[string]*string
	metadata            []string // names of other fields of its metadata
}

// IsSealedSecret reports whether o is a SealedSecret of Sealed Secrets, of
// whatever version.
func IsSealedSecret(o *manifest.Object) bool {
	return o.Group() == "bitnami.com" && o.Kind() == "SealedSecret"
}

func readDocument(n *yaml.Node) (*document, error) {
	n = manifest.Root(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, &manifest.SyntaxError{Reason: "a SealedSecret must be a mapping"}
	}
	if o := (&manifest.Object{Node: n}); !IsSealedSecret(o) || o.APIVersion() != "bitnami.com/v1alpha1" {
		return nil, &manifest.SyntaxError{Line: n.Line, Reason: "not a SealedSecret of bitnami.com/v1alpha1"}
	}
	d := &document{}
	err := fields(n, "", func(name string, v *yaml.Node) (err error) {
		switch name {
		case "metadata":
			err = d.readMetadata(v)
		case "spec":
			err = d.readSpec(v)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if d.name == "" {
		return nil, &manifest.SyntaxError{Line: n.Line, Path: "metadata.name", Reason: "is missing"}
	}
	return d, nil
}

func (d *document) readMetadata(n *yaml.Node) error {
	const at = "metadata"
	return fields(n, at, func(name string, v *yaml.Node) (err error) {
		path := manifest.ChildPath(at, name)
		switch name {
		case "name":
			d.name, err = text(v, path)
		case "namespace":
			d.namespace, err = text(v, path)
		case "labels":
			d.labels, err = texts(v, path)
		case "annotations":
			d.annotations, err = texts(v, path)
		}
		return err
	})
}

func (d *document) readSpec(n *yaml.Node) error {
	const at = "spec"
	return fields(n, at, func(name string, v *yaml.Node) (err error) {
		path := manifest.ChildPath(at, name)
		switch name {
		case "encryptedData":
			d.encrypted, err = texts(v, path)
		case "data":
			if !manifest.IsNull(v) {
				d.blob = new(string)
				*d.blob, err = text(v, path)
			}
		case "template":
			err = d.readTemplate(v)
		default:
			d.ignored = append(d.ignored, path)
		}
		return err
	})
}

func (d *document) readTemplate(n *yaml.Node) error {
	const at = "spec.template"
	t := &d.template
	return fields(n, at, func(name string, v *yaml.Node) (err error) {
		path := manifest.ChildPath(at, name)
		switch name {
		case "metadata":
			err = t.readMetadata(v)
		case "type":
			if !manifest.IsNull(v) {
				t.kind, err = text(v, path)
			}
		case "immutable":
			t.immutable, err = boolean(v, path)
		case "data":
			t.data, err = nullableTexts(v, path)
		default:
			d.ignored = append(d.ignored, path)
		}
		return err
	})
}

func (t *secretTemplate) readMetadata(n *yaml.Node) error {
	const at = "spec.template.metadata"
	return fields(n, at, func(name string, v *yaml.Node) (err error) {
		path := manifest.ChildPath(at, name)
		switch name {
		case "labels":
			t.labels, err = texts(v, path)
		case "annotations":
			t.annotations, err = texts(v, path)
		case "name", "namespace", "creationTimestamp", "resourceVersion", "uid", "generation", "managedFields", "selfLink":
			// Sealed Secrets sets the first two, the API server the others.
		default:
			if !manifest.IsNull(v) {
				t.metadata = append(t.metadata, path)
			}
		}
		return err
	})
}

// fields calls f for each field of a mapping. Null is an empty one.
func fields(n *yaml.Node, path string, f func(name string, v *yaml.Node) error) error {
	if manifest.IsNull(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return &manifest.SyntaxError{Line: n.Line, Path: path, Reason: "must be a mapping"}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if err := f(n.Content[i].Value, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func text(v *yaml.Node, path string) (string, error) {
	if !manifest.IsString(v) {
		return "", &manifest.SyntaxError{Line: v.Line, Path: path, Reason: "is not a string"}
	}
	return v.Value, nil
}

func texts(n *yaml.Node, path string) (map[string]string, error) {
	m := map[string]string{}
	err := items(n, path, func(key string, v *yaml.Node) (err error) {
		m[key], err = text(v, manifest.ChildPath(path, key))
		return err
	})
	return m, err
}

// nullableTexts returns nil for a value that is null.
func nullableTexts(n *yaml.Node, path string) (map[string]*string, error) {
	m := map[string]*string{}
	err := items(n, path, func(key string, v *yaml.Node) error {
		if manifest.IsNull(v) {
			m[key] = nil
			return nil
		}
		s, err := text(v, manifest.ChildPath(path, key))
		m[key] = &s
		return err
	})
	return m, err
}

// items is fields with a limit of their number.
func items(n *yaml.Node, path string, f func(key string, v *yaml.Node) error) error {
	if n != nil && len(n.Content)/2 > maxItems {
		return &manifest.SyntaxError{Line: n.Line, Path: path, Reason: fmt.Sprintf("has %d items, the limit is %d", len(n.Content)/2, maxItems)}
	}
	return fields(n, path, f)
}

func boolean(v *yaml.Node, path string) (bool, error) {
	switch {
	case manifest.IsNull(v):
		return false, nil
	case v.Kind == yaml.ScalarNode && v.ShortTag() == "!!bool" && strings.EqualFold(v.Value, "true"):
		return true, nil
	case v.Kind == yaml.ScalarNode && v.ShortTag() == "!!bool" && strings.EqualFold(v.Value, "false"):
		return false, nil
	}
	return false, &manifest.SyntaxError{Line: v.Line, Path: path, Reason: "must be true or false"}
}
