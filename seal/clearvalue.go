// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// minClearBytes is the length from which a value is looked for in clear
// fields. Shorter ones (prod, admin, 5432) stand in labels for good reasons.
const minClearBytes = 6

// ClearValueError says that a value of the Secret also stands in a field that
// stays readable.
type ClearValueError struct {
	Place string // "label app", "annotation note", "a comment"
	Key   string // key of the Secret whose value stands there
}

func (e *ClearValueError) Error() string {
	return fmt.Sprintf("%s holds the value of %q in clear", e.Place, e.Key)
}

// clearField is a text that stays readable.
type clearField struct {
	place string
	text  string
}

// checkClear refuses clear fields that hold a value of the Secret or its
// base64. Values of the keys in allow may.
func (in *input) checkClear(allow []string) error {
	fields := in.clearFields()
	for _, key := range sortedKeys(in.secret) {
		if slices.Contains(allow, key) {
			continue
		}
		value, ok := in.secret.StringData[key]
		if !ok {
			value = string(in.secret.Data[key])
		}
		value = strings.TrimSpace(value)
		if len(value) < minClearBytes {
			continue
		}
		encoded := base64.StdEncoding.EncodeToString([]byte(value))
		for _, f := range fields {
			if strings.Contains(f.text, value) || strings.Contains(f.text, encoded) {
				return &ClearValueError{Place: f.place, Key: key}
			}
		}
	}
	return nil
}

func (in *input) clearFields() []clearField {
	var fields []clearField
	add := func(kind string, m map[string]string) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			fields = append(fields, clearField{kind + " " + key, key + "\n" + m[key]})
		}
	}
	add("label", in.secret.Labels)
	add("annotation", in.secret.Annotations)
	add("annotation", in.outside)
	fields = append(fields, clearField{"a comment", in.head})
	for _, name := range keptComments {
		fields = append(fields, clearComments(keyNode(in.node, name))...)
		fields = append(fields, clearComments(manifest.Get(in.node, name))...)
	}
	return fields
}

func clearComments(n *yaml.Node) []clearField {
	if n == nil {
		return nil
	}
	var fields []clearField
	if text := n.HeadComment + n.LineComment + n.FootComment; text != "" {
		fields = append(fields, clearField{"a comment", text})
	}
	for _, child := range n.Content {
		fields = append(fields, clearComments(child)...)
	}
	return fields
}
