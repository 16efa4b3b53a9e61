// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Secret is a Kubernetes Secret manifest as values.
type Secret struct {
	Name        string
	Namespace   string // "" if the manifest has none
	Type        string // "" if the manifest has none, which means Opaque
	Immutable   bool
	Labels      map[string]string
	Annotations map[string]string
	Data        map[string][]byte
	StringData  map[string]string
}

// serverFields are metadata fields that the API server sets, or that make no
// sense outside of the cluster an object was read from.
var serverFields = []string{
	"creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers", "generation",
	"managedFields", "ownerReferences", "resourceVersion", "selfLink", "uid",
}

// IsSecret reports whether o is a core v1 Secret. "/v1" is the same to an API
// server.
func (o *Object) IsSecret() bool {
	return strings.TrimPrefix(o.APIVersion(), "/") == "v1" && o.Kind() == "Secret"
}

// ParseSecret reads a Secret manifest. dropped names the fields that were left
// out because an API server sets them. Anything else that a Secret does not
// have, and values that are not strings, are a *SyntaxError that names the key
// and never the value.
func ParseSecret(n *yaml.Node) (s *Secret, dropped []string, err error) {
	n = Root(n)
	s = &Secret{}
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil, &SyntaxError{Reason: "a Secret must be a mapping"}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		switch key.Value {
		case "apiVersion", "kind":
		case "metadata":
			dropped, err = s.readMetadata(v)
		case "type":
			s.Type, err = readText("type", v)
		case "immutable":
			s.Immutable, err = readImmutable(v)
		case "data":
			err = s.readData(v)
		case "stringData":
			s.StringData, err = readTexts("stringData", v)
		default:
			err = &SyntaxError{Line: key.Line, Path: ChildPath("", key.Value), Reason: "a Secret has no such field"}
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if err := s.check(n); err != nil {
		return nil, nil, err
	}
	return s, dropped, nil
}

func (s *Secret) check(n *yaml.Node) error {
	if s.Name == "" {
		return &SyntaxError{Line: n.Line, Path: "metadata.name", Reason: "is missing"}
	}
	for _, key := range slices.Sorted(maps.Keys(s.StringData)) {
		if _, both := s.Data[key]; both {
			return &SyntaxError{Line: Get(n, "stringData", key).Line, Path: ChildPath("stringData", key), Reason: "stands in data too, remove one"}
		}
	}
	return nil
}

func (s *Secret) readMetadata(n *yaml.Node) (dropped []string, err error) {
	if n.Kind != yaml.MappingNode {
		return nil, &SyntaxError{Line: n.Line, Path: "metadata", Reason: "must be a mapping"}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		switch key.Value {
		case "name":
			s.Name, err = readText("metadata.name", v)
		case "namespace":
			s.Namespace, err = readText("metadata.namespace", v)
		case "labels":
			s.Labels, err = readTexts("metadata.labels", v)
		case "annotations":
			s.Annotations, err = readTexts("metadata.annotations", v)
		default:
			if !slices.Contains(serverFields, key.Value) {
				err = &SyntaxError{Line: key.Line, Path: ChildPath("metadata", key.Value), Reason: "is not supported in a Secret to be sealed"}
			}
			dropped = append(dropped, "metadata."+key.Value)
		}
		if err != nil {
			return nil, err
		}
	}
	return dropped, nil
}

func (s *Secret) readData(n *yaml.Node) error {
	texts, err := readTexts("data", n)
	if err != nil {
		return err
	}
	s.Data = make(map[string][]byte, len(texts))
	for key, text := range texts {
		// Line breaks are what `base64` and YAML block scalars put in.
		b, err := base64.StdEncoding.Strict().DecodeString(strings.NewReplacer("\n", "", "\r", "", " ", "").Replace(text))
		if err != nil {
			return &SyntaxError{Line: Get(n, key).Line, Path: ChildPath("data", key), Reason: "is not base64"}
		}
		s.Data[key] = b
	}
	return nil
}

func readImmutable(v *yaml.Node) (bool, error) {
	switch {
	case IsNull(v):
		return false, nil
	case v.Kind == yaml.ScalarNode && v.ShortTag() == "!!bool" && strings.EqualFold(v.Value, "true"):
		return true, nil
	case v.Kind == yaml.ScalarNode && v.ShortTag() == "!!bool" && strings.EqualFold(v.Value, "false"):
		return false, nil
	}
	return false, &SyntaxError{Line: v.Line, Path: "immutable", Reason: "must be true or false"}
}

func readText(path string, v *yaml.Node) (string, error) {
	switch {
	case IsString(v):
		return v.Value, nil
	case v.Kind == yaml.ScalarNode && v.ShortTag() == "!!str":
		return "", &SyntaxError{Line: v.Line, Path: path, Reason: "is true or false to some readers, put it in quotes"}
	}
	return "", &SyntaxError{Line: v.Line, Path: path, Reason: "is not a string, put it in quotes"}
}

func readTexts(path string, n *yaml.Node) (map[string]string, error) {
	if IsNull(n) {
		return nil, nil
	}
	if n.Kind != yaml.MappingNode {
		return nil, &SyntaxError{Line: n.Line, Path: path, Reason: "must be a mapping"}
	}
	m := make(map[string]string, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		text, err := readText(ChildPath(path, key), n.Content[i+1])
		if err != nil {
			return nil, err
		}
		m[key] = text
	}
	return m, nil
}

// Node writes the Secret as a manifest, its maps in key order.
func (s *Secret) Node() *yaml.Node {
	metadata := Mapping(String("name"), String(s.Name))
	if s.Namespace != "" {
		Set(metadata, "namespace", String(s.Namespace))
	}
	if len(s.Labels) > 0 {
		Set(metadata, "labels", StringMap(s.Labels))
	}
	if len(s.Annotations) > 0 {
		Set(metadata, "annotations", StringMap(s.Annotations))
	}
	n := Mapping(
		String("apiVersion"), String("v1"),
		String("kind"), String("Secret"),
		String("metadata"), metadata,
	)
	if s.Type != "" {
		Set(n, "type", String(s.Type))
	}
	if s.Immutable {
		Set(n, "immutable", Bool(true))
	}
	if len(s.Data) > 0 {
		Set(n, "data", StringMap(s.Base64Data()))
	}
	if len(s.StringData) > 0 {
		Set(n, "stringData", StringMap(s.StringData))
	}
	return &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{n}}
}

// Base64Data returns Data in standard base64 without line breaks.
func (s *Secret) Base64Data() map[string]string {
	m := make(map[string]string, len(s.Data))
	for key, b := range s.Data {
		m[key] = base64.StdEncoding.EncodeToString(b)
	}
	return m
}
