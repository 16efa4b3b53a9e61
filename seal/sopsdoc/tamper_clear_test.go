// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// mergeTampers change an envelope that is sealed for merging.
func mergeTampers() []tamper {
	const tampered, binding = "TamperedError", "signet.binding"
	return []tamper{
		{"mark removed", remove("merge"), tampered, binding},
		{"mark false", raw("merge", "false"), "InvalidError", "merge"},
		{"mark null", raw("merge", "null"), "InvalidError", "merge"},
		{"mark renamed", rename("merge", "Merge"), "InvalidError", "Merge"},
		{"mark exchanged for immutable", all(remove("merge"), setNode("immutable", manifest.Bool(true))), tampered, binding},
		{"mark beside immutable", setNode("immutable", manifest.Bool(true)), "InvalidError", "immutable"},
		// Both give the text that the MAC is over.
		{"mark moved into a label", all(remove("merge"), set("labels/tier", "backTrue")), tampered, binding},
		{"mark as a label", all(remove("merge"), set("labels/zone", "True")), tampered, binding},
		{"scope of a merge", set("scope", "prod/*"), tampered, binding},
	}
}

// clearTampers change what stands in an envelope in clear.
func clearTampers() []tamper {
	const tampered, invalid, binding = "TamperedError", "InvalidError", "signet.binding"
	return []tamper{
		{"scope name", set("scope", "prod/other"), tampered, binding},
		{"scope namespace", set("scope", "dev/db"), tampered, binding},
		{"scope widened", set("scope", "*/*"), tampered, binding},
		{"scope name widened", set("scope", "prod/*"), tampered, binding},
		{"type", set("type", "Opaque"), tampered, binding},
		{"immutable", setNode("immutable", manifest.Bool(true)), tampered, binding},
		{"merge added", raw("merge", "true"), tampered, binding},
		{"label value", set("labels/app", "web"), tampered, binding},
		{"label key", rename("labels/app", "application"), tampered, binding},
		{"label added", set("labels/new", "x"), tampered, binding},
		{"empty label added", set("labels/new", ""), tampered, binding},
		{"label removed", remove("labels/app"), tampered, binding},
		{"labels removed", remove("labels"), tampered, binding},
		{"label keys swapped", swap("labels/app", "labels/tier"), tampered, binding},
		{"annotation value", func(root *yaml.Node) { manifest.Get(root, "annotations").Content[1].Value = "x" }, tampered, binding},
		{"annotation value swapped", func(root *yaml.Node) {
			a := manifest.Get(root, "annotations")
			a.Content[1], a.Content[3] = a.Content[3], a.Content[1]
		}, tampered, binding},
		{"characters moved between annotations", func(root *yaml.Node) {
			a := manifest.Get(root, "annotations")
			a.Content[1].Value, a.Content[3].Value = "abc", "d"
		}, tampered, binding},
		{"annotation folded into its neighbour", func(root *yaml.Node) {
			a := manifest.Get(root, "annotations")
			a.Content[1].Value = "abcd"
			manifest.Delete(a, "example.com/b")
		}, tampered, binding},
		{"empty annotation removed", func(root *yaml.Node) {
			manifest.Delete(manifest.Get(root, "annotations"), "example.com/c")
		}, tampered, binding},
		{"characters moved from label to scope", all(set("labels/tier", "backp"), set("scope", "rod/db")), tampered, binding},
		{"label moved to annotations", all(remove("labels/app"), set("annotations/app", "db")), tampered, binding},
		{"labels and annotations exchanged", swap("labels", "annotations"), tampered, binding},

		{"scope missing", remove("scope"), invalid, "scope"},
		{"scope without slash", set("scope", "prod"), invalid, "scope"},
		{"scope with two slashes", set("scope", "prod/db/x"), invalid, "scope"},
		{"scope empty", set("scope", ""), invalid, "scope"},
		{"scope null", raw("scope", "null"), invalid, "scope"},
		{"scope with line end", set("scope", "prod/db\n"), invalid, "scope"},
		{"type missing", remove("type"), invalid, "type"},
		{"type empty", set("type", ""), invalid, "type"},
		{"type null", raw("type", "null"), invalid, "type"},
		{"immutable missing", remove("immutable"), invalid, "immutable"},
		{"immutable null", raw("immutable", "null"), invalid, "immutable"},
		{"immutable string", set("immutable", "false"), invalid, "immutable"},
		{"immutable capital", raw("immutable", "False"), invalid, "immutable"},
		{"merge false", raw("merge", "false"), invalid, "merge"},
		{"merge null", raw("merge", "null"), invalid, "merge"},
		{"merge string", set("merge", "true"), invalid, "merge"},
		{"merge number", raw("merge", "1"), invalid, "merge"},
		{"merge capital", raw("merge", "True"), invalid, "merge"},
		{"merge yes", raw("merge", "yes"), invalid, "merge"},
		{"merge list", raw("merge", "[true]"), invalid, "merge"},
		{"merge mapping", raw("merge", "{}"), invalid, "merge"},
		{"merge beside immutable", all(raw("merge", "true"), setNode("immutable", manifest.Bool(true))), invalid, "immutable"},
		{"label null", raw("labels/app", "null"), invalid, "labels.app"},
		{"label number", raw("labels/app", "1"), invalid, "labels.app"},
		{"label mapping", raw("labels/app", "{}"), invalid, "labels.app"},
		{"annotations null", raw("annotations", "null"), invalid, "annotations"},
		{"annotations list", raw("annotations", "[]"), invalid, "annotations"},
		{"unknown field", set("extra", "x"), invalid, "extra"},
		{"unknown null field", raw("extra", "null"), invalid, "extra"},
		{"duplicate key", func(root *yaml.Node) {
			root.Content = append(root.Content, manifest.String("type"), manifest.String("Opaque"))
		}, invalid, ""},
		{"key that is no string", func(root *yaml.Node) {
			root.Content = append(root.Content, manifest.Bool(true), manifest.String("x"))
		}, invalid, ""},
		{"anchor", func(root *yaml.Node) { get(root, "labels").Anchor = "a" }, invalid, ""},
		{"alias", func(root *yaml.Node) {
			setNode("annotations", &yaml.Node{Kind: yaml.AliasNode, Alias: get(root, "labels")})(root)
		}, invalid, ""},
		{"binary tag", setNode("labels/app", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!binary", Value: "ZGI="}), invalid, ""},
		{"own tag", setNode("labels/app", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!secret", Value: "db"}), invalid, ""},
		{"deep", func(root *yaml.Node) {
			n := manifest.Mapping()
			for range 200 {
				n = manifest.Mapping(manifest.String("x"), n)
			}
			manifest.Set(root, "extra", n)
		}, invalid, ""},
		{"no mapping", func(root *yaml.Node) { *root = *manifest.String("x") }, invalid, ""},
	}
}
