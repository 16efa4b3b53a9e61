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
	Place string // "label app", "annotation note", "a comment", "the key of a label"
	Key   string // key of the Secret whose value stands there
}

func (e *ClearValueError) Error() string {
	return fmt.Sprintf("%s holds the value of %q in clear", e.Place, e.Key)
}

// clearField is a text that stays readable.
type clearField struct {
	kind string // "label", "annotation", or "a comment" without key
	key  string
	text string
}

// holds reports where in the field one of texts stands, "" if nowhere. The
// place is not shown by the name that holds the value.
func (f clearField) holds(texts ...string) (place string) {
	in := func(s string) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(s, text) })
	}
	switch {
	case f.key != "" && in(f.key):
		return "the key of a " + f.kind
	case in(f.text) && f.key != "":
		return f.kind + " " + f.key
	case in(f.text):
		return f.kind
	}
	return ""
}

// checkClear refuses clear fields that hold a value of the Secret. Values of the
// keys in allow may stand there.
func (in *input) checkClear(allow []string) error {
	return checkClear(in.values(), in.clearFields(), allow, func(string, clearField) bool { return false })
}

// values returns all values as they are in a Secret that was applied.
func (in *input) values() map[string]string {
	all := maps.Clone(in.secret.StringData)
	if all == nil {
		all = map[string]string{}
	}
	for key, v := range in.secret.Data {
		if _, both := all[key]; !both {
			all[key] = string(v)
		}
	}
	return all
}

// checkClear refuses fields that hold one of the values or its base64, with or
// without the white space around it, such as a final line break. Values of the
// keys in allow may stand there, and what known says did before.
func checkClear(values map[string]string, fields []clearField, allow []string, known func(key string, f clearField) bool) error {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		whole := values[key]
		value := strings.TrimSpace(whole)
		if len(value) < minClearBytes || slices.Contains(allow, key) {
			continue
		}
		forms := append(longLines(value), value, encoded(value), encoded(whole))
		for _, f := range fields {
			if place := f.holds(forms...); place != "" && !known(key, f) {
				return &ClearValueError{Place: place, Key: key}
			}
		}
	}
	return nil
}

// encoded returns the base64 of value as far as it does not depend on what
// follows: without padding and the characters before it.
func encoded(value string) string {
	whole := len(value) - len(value)%3
	return base64.StdEncoding.EncodeToString([]byte(value[:whole]))
}

// minLineBytes is the length from which a single line of a value is looked for:
// that of a private key is 64.
const minLineBytes = 16

// longLines returns the lines of a value of several lines that could not stand
// in a comment by accident.
func longLines(value string) []string {
	if !strings.Contains(value, "\n") {
		return nil
	}
	var lines []string
	for line := range strings.Lines(value) {
		if line = strings.TrimSpace(line); len(line) >= minLineBytes && strings.Trim(line, "-") == line {
			lines = append(lines, line)
		}
	}
	return lines
}

func (in *input) clearFields() []clearField {
	fields := slices.Concat(
		metadataFields("label", in.secret.Labels),
		metadataFields("annotation", in.secret.Annotations),
		metadataFields("annotation", in.outside),
	)
	fields = append(fields, clearField{kind: "a comment", text: in.head})
	for _, name := range keptComments {
		fields = append(fields, clearComments(keyNode(in.node, name))...)
		fields = append(fields, clearComments(manifest.Get(in.node, name))...)
	}
	return fields
}

// metadataFields returns labels or annotations as fields, sorted.
func metadataFields(kind string, m map[string]string) []clearField {
	var fields []clearField
	for _, key := range slices.Sorted(maps.Keys(m)) {
		fields = append(fields, clearField{kind, key, m[key]})
	}
	return fields
}

func clearComments(n *yaml.Node) []clearField {
	if n == nil {
		return nil
	}
	var fields []clearField
	if text := n.HeadComment + n.LineComment + n.FootComment; text != "" {
		fields = append(fields, clearField{kind: "a comment", text: text})
	}
	for _, child := range n.Content {
		fields = append(fields, clearComments(child)...)
	}
	return fields
}
