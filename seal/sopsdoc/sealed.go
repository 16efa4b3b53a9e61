// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// sealed is the mapping "signet" of an envelope or a SealingKey: everything in
// it that is encrypted, but for the mac.
type sealed struct {
	binding    Value
	data       map[string]sealedValue
	stringData map[string]sealedValue
}

// sealedValue is one value under seal, or the empty string, which SOPS never
// encrypts.
type sealedValue struct {
	Value
	empty bool
}

func readSealed(n *yaml.Node) (s sealed, err error) {
	if n.Kind != yaml.MappingNode {
		return s, invalid("signet", "must be a mapping")
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if err := s.field(n.Content[i].Value, n.Content[i+1]); err != nil {
			return s, err
		}
	}
	if s.binding.Data == nil {
		return s, invalid("signet.binding", "is missing")
	}
	for name := range s.data {
		if _, both := s.stringData[name]; both {
			return s, invalid(manifest.ChildPath("signet.stringData", name), "stands in data too")
		}
	}
	return s, nil
}

func (s *sealed) field(name string, v *yaml.Node) (err error) {
	switch name {
	case "binding":
		var b sealedValue
		if b, err = readSealedValue("signet.binding", v); err == nil && b.empty {
			err = invalid("signet.binding", "is empty")
		}
		s.binding = b.Value
	case "data":
		s.data, err = readSealedMap("signet.data", v)
	case "stringData":
		s.stringData, err = readSealedMap("signet.stringData", v)
	default:
		err = invalid(manifest.ChildPath("signet", name), "unknown field")
	}
	return err
}

func readSealedMap(path string, n *yaml.Node) (map[string]sealedValue, error) {
	if n.Kind != yaml.MappingNode {
		return nil, invalid(path, "must be a mapping")
	}
	m := make(map[string]sealedValue, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		at := manifest.ChildPath(path, name)
		if !ValidDataKey(name) {
			return nil, invalid(at, "is not a valid key of a Secret")
		}
		v, err := readSealedValue(at, n.Content[i+1])
		if err != nil {
			return nil, err
		}
		m[name] = v
	}
	return m, nil
}

func readSealedValue(path string, v *yaml.Node) (sealedValue, error) {
	var text string
	if err := readString(&text, path, v); err != nil {
		return sealedValue{}, err
	}
	if text == "" {
		return sealedValue{empty: true}, nil
	}
	value, err := ParseValue(text)
	if err != nil {
		return sealedValue{}, invalid(path, "%v", err)
	}
	if value.Type != TypeString {
		return sealedValue{}, invalid(path, "must have type:str")
	}
	return sealedValue{Value: value}, nil
}

// node writes the mapping in key order.
func (s *sealed) node() *yaml.Node {
	n := manifest.Mapping(scalar("binding"), scalar(s.binding.String()))
	if len(s.data) > 0 {
		manifest.Set(n, "data", sealedNode(s.data))
	}
	if len(s.stringData) > 0 {
		manifest.Set(n, "stringData", sealedNode(s.stringData))
	}
	return n
}

func sealedNode(m map[string]sealedValue) *yaml.Node {
	n := manifest.Mapping()
	for _, name := range sortedKeys(m) {
		v := manifest.String("")
		if !m[name].empty {
			v = scalar(m[name].String())
		}
		n.Content = append(n.Content, manifest.String(name), v)
	}
	return n
}
