// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"encoding/base64"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// secretNode writes a Secret with data only. kustomize merges and hashes data
// and stringData as two different things (kustomize api: hasher/hasher.go).
func secretNode(s *manifest.Secret) *yaml.Node {
	data := make(map[string][]byte, len(s.Data)+len(s.StringData))
	for key, value := range s.Data {
		data[key] = value
	}
	for key, text := range s.StringData { // which wins, as in an API server
		data[key] = []byte(text)
	}
	s.Data, s.StringData = data, nil
	return s.Node()
}

// onlyData moves the stringData of a Secret into its data. Errors name the key
// and never the value.
func onlyData(n *yaml.Node) error {
	from := manifest.Get(n, "stringData")
	if manifest.IsNull(from) {
		manifest.Delete(n, "stringData")
		return nil
	}
	if from.Kind != yaml.MappingNode {
		return &manifest.SyntaxError{Path: "stringData", Reason: "must be a mapping"}
	}
	data := manifest.Get(n, "data")
	switch {
	case manifest.IsNull(data):
		data = manifest.Mapping()
	case data.Kind != yaml.MappingNode:
		return &manifest.SyntaxError{Path: "data", Reason: "must be a mapping"}
	}
	for i := 0; i+1 < len(from.Content); i += 2 {
		key, value := from.Content[i].Value, from.Content[i+1]
		if !manifest.IsString(value) {
			return &manifest.SyntaxError{Path: manifest.ChildPath("stringData", key), Reason: "is not a string, put it in quotes"}
		}
		manifest.Set(data, key, manifest.String(base64.StdEncoding.EncodeToString([]byte(value.Value))))
	}
	manifest.Delete(n, "stringData")
	if len(data.Content) > 0 {
		manifest.Set(n, "data", data)
	}
	return nil
}
