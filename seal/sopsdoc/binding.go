// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// bindingVersion starts the plaintext of every binding:
//
//	v1:<hex SHA-256 of the clear fields>:<hex SHA-256 of the sops block>
const bindingVersion = "v1"

// Clear is what stands in an envelope in clear, authenticated.
type Clear struct {
	Annotations map[string]string
	Labels      map[string]string
	Immutable   bool
	// Merge says that the content is to be added to a Secret that somebody else
	// makes, and is for no other use. It excludes Immutable.
	Merge bool
	Scope Scope
	Type  string
}

// check refuses fields that exclude each other: what is added to a Secret can't
// decide that it never changes again.
func (c Clear) check() error {
	if c.Immutable && c.Merge {
		return invalid("immutable", "must be false where merge is true: the Secret belongs to somebody else")
	}
	return nil
}

// fields returns what the binding and the mac of an envelope cover beside the
// values: data and stringData are the names of its keys.
func (c Clear) fields(data, stringData []string) clearFields {
	above := slices.Concat(sortedValues(c.Annotations), []string{sopsBool(c.Immutable)}, sortedValues(c.Labels))
	if c.Merge {
		above = append(above, sopsBool(true))
	}
	above = append(above, c.Scope.String())
	return clearFields{
		kind:  "envelope",
		names: "annotations, immutable, labels, merge, scope, type or the set of keys",
		json:  clearJSON(c, data, stringData),
		above: above,
		below: []string{c.Type},
	}
}

// clearJSON returns the canonical JSON of the clear fields and of the sorted
// key names.
func clearJSON(c Clear, data, stringData []string) []byte {
	n := manifest.Mapping(
		scalar("annotations"), manifest.StringMap(c.Annotations),
		scalar("data"), stringList(data),
		scalar("immutable"), manifest.Bool(c.Immutable),
		scalar("kind"), scalar(Kind),
		scalar("labels"), manifest.StringMap(c.Labels),
		scalar("scope"), scalar(c.Scope.String()),
		scalar("stringData"), stringList(stringData),
		scalar("type"), scalar(c.Type),
		scalar("v"), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: "1"},
	)
	if c.Merge {
		manifest.Set(n, "merge", manifest.Bool(true))
	}
	return canonicalJSON(n)
}

func stringList(names []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, name := range slices.Sorted(slices.Values(names)) {
		n.Content = append(n.Content, scalar(name))
	}
	return n
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func joinBinding(clear, sops string) string {
	return strings.Join([]string{bindingVersion, clear, sops}, ":")
}

// checkBinding compares a decrypted binding with what it must be and tells
// which half differs.
func checkBinding(got string, md *Metadata, clear clearFields) error {
	const path = "signet.binding"
	parts := strings.Split(got, ":")
	switch {
	case len(parts) != 3 || parts[0] != bindingVersion:
		return &TamperedError{Path: path, Reason: "is of an unknown version"}
	case parts[1] != hexSum(clear.json):
		return &TamperedError{Path: path, Reason: "does not match the " + clear.kind + ": " + clear.names + " was changed after sealing"}
	case parts[2] != hexSum(md.unsigned):
		return &TamperedError{Path: path, Reason: "does not match the sops block: its keys or settings were changed after sealing"}
	}
	return nil
}

// canonicalJSON writes n with sorted keys, without spaces, escaping only what
// JSON demands: `"`, `\` and U+0000 to U+001F as \u00xx.
func canonicalJSON(n *yaml.Node) []byte {
	return appendCanonical(nil, n)
}

func appendCanonical(out []byte, n *yaml.Node) []byte {
	switch n.Kind {
	case yaml.MappingNode:
		sorted := &yaml.Node{Kind: yaml.MappingNode, Content: slices.Clone(n.Content)}
		sortKeys(sorted)
		out = append(out, '{')
		for i := 0; i+1 < len(sorted.Content); i += 2 {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendCanonicalString(out, sorted.Content[i].Value)
			out = append(out, ':')
			out = appendCanonical(out, sorted.Content[i+1])
		}
		return append(out, '}')
	case yaml.SequenceNode:
		out = append(out, '[')
		for i, c := range n.Content {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendCanonical(out, c)
		}
		return append(out, ']')
	}
	switch n.ShortTag() {
	case "!!int", "!!bool":
		return append(out, n.Value...)
	}
	return appendCanonicalString(out, n.Value)
}

func appendCanonicalString(out []byte, s string) []byte {
	out = append(out, '"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c < 0x20:
			out = fmt.Appendf(out, `\u%04x`, c)
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}
