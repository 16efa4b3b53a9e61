// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"encoding/base64"
	"errors"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// unsealBlob opens a document of before 2018: spec.data is a whole Secret in
// JSON, sealed as one value. The template is not looked at.
func (u *unsealer) unsealBlob() error {
	const path = "spec.data"
	if len(u.encrypted) > 0 {
		return &manifest.SyntaxError{Path: path, Reason: "stands beside encryptedData, only one can be there"}
	}
	blob, err := u.open(path, *u.blob)
	if err != nil {
		return err
	}
	n, err := manifest.Parse(blob)
	if err != nil {
		return errBlob()
	}
	if err := u.readBlob(manifest.Root(n)); err != nil {
		return errBlob()
	}
	t := &u.template
	if t.kind != "" || t.immutable || len(t.labels)+len(t.annotations)+len(t.data) > 0 {
		u.note("spec.template has no effect: the old format of %s has all of the Secret", path)
	}
	return nil
}

// errBlob says nothing of what was decrypted, key names and lines included.
func errBlob() error {
	return &manifest.SyntaxError{Path: "spec.data", Reason: "opens, but does not hold a Secret"}
}

var errNotSecret = errors.New("not a Secret")

// readBlob reads the decrypted Secret. As Sealed Secrets does, it passes over
// fields that a Secret doesn't have. Its errors are not to be shown.
func (u *unsealer) readBlob(n *yaml.Node) error {
	if n == nil || n.Kind != yaml.MappingNode || !(&manifest.Object{Node: n}).IsSecret() {
		return errNotSecret
	}
	s := &u.result.Secret
	values := map[string][]byte{}
	stringData := map[string]string{}
	err := fields(n, "", func(name string, v *yaml.Node) (err error) {
		switch name {
		case "metadata":
			err = u.readBlobMetadata(v)
		case "type":
			if !manifest.IsNull(v) {
				s.Type, err = text(v, name)
			}
		case "immutable":
			s.Immutable, err = boolean(v, name)
		case "data":
			values, err = blobValues(v)
		case "stringData":
			stringData, err = texts(v, name)
		}
		return err
	})
	for key, value := range stringData {
		values[key] = []byte(value) // as the API server merges them
	}
	u.setValues(values)
	return err
}

func (u *unsealer) readBlobMetadata(n *yaml.Node) error {
	s := &u.result.Secret
	return fields(n, "metadata", func(name string, v *yaml.Node) (err error) {
		switch name {
		case "labels":
			s.Labels, err = texts(v, name)
		case "annotations":
			s.Annotations, err = texts(v, name)
		case "ownerReferences", "finalizers":
			if !manifest.IsNull(v) {
				u.note("metadata.%s of the Secret is not carried", name)
			}
		}
		return err
	})
}

func blobValues(n *yaml.Node) (map[string][]byte, error) {
	values := map[string][]byte{}
	err := items(n, "data", func(key string, v *yaml.Node) error {
		if manifest.IsNull(v) {
			values[key] = nil
			return nil
		}
		encoded, err := text(v, "data")
		if err != nil {
			return err
		}
		values[key], err = base64.StdEncoding.DecodeString(encoded)
		return err
	})
	return values, err
}
