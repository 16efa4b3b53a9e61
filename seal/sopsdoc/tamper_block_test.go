// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// blockTampers change the sops block of an envelope, also that of a SealingKey.
// other is one with the same data key, value the path of a value, context a
// name in the encryption context.
func blockTampers(other *yaml.Node, value, context string) []tamper {
	const tampered, invalid, binding = "TamperedError", "InvalidError", "signet.binding"
	foreign := func(p string) edit { return setNode(p, manifest.Clone(get(other, p))) }
	appendTo := func(p, text string) edit {
		return func(root *yaml.Node) {
			n, err := manifest.Parse([]byte(text))
			if err != nil {
				panic(err)
			}
			list := get(root, p)
			list.Content = append(list.Content, manifest.Root(n))
		}
	}
	recipients := func(f func([]*yaml.Node) []*yaml.Node) edit {
		return func(root *yaml.Node) {
			list := get(root, "sops/age")
			list.Content = f(list.Content)
		}
	}
	first := func(l []*yaml.Node) []*yaml.Node { return l[:1] }
	reversed := func(l []*yaml.Node) []*yaml.Node { slices.Reverse(l); return l }
	doubled := func(l []*yaml.Node) []*yaml.Node { return append(l, manifest.Clone(l[0])) }
	many := func(l []*yaml.Node) []*yaml.Node { return slices.Repeat(l[:1], 65) }
	return []tamper{
		{"recipient appended", appendTo("sops/age", `{"enc": "x", "recipient": "age1x"}`), tampered, binding},
		{"recipient doubled", recipients(doubled), tampered, binding},
		{"recipient removed", recipients(first), tampered, binding},
		{"recipients reordered", recipients(reversed), tampered, binding},
		{"recipient exchanged", set("sops/age/0/recipient", "age1x"), tampered, binding},
		{"wrapped key changed", replace("sops/age/0/enc", "-----BEGIN", "-----BEGIN "), tampered, binding},
		{"age created_at changed", set("sops/age/1/created_at", "2026-01-31T09:30:01Z"), tampered, binding},
		{"age created_at removed", remove("sops/age/1/created_at"), tampered, binding},
		{"age created_at added", set("sops/age/0/created_at", "2026-01-31T09:30:00Z"), tampered, binding},
		{"recipient of another type added", raw("sops/pgp", `[{"created_at": "2026-01-31T09:30:00Z", "enc": "x", "fp": "AB"}]`), tampered, binding},
		{"kms removed", remove("sops/kms"), tampered, binding},
		{"kms arn", replace("sops/kms/0/arn", "eu-central-1", "us-east-1"), tampered, binding},
		{"kms context value", set("sops/kms/0/context/"+context, "x"), tampered, binding},
		{"kms context added", set("sops/kms/0/context/x", ""), tampered, binding},
		{"kms context pair removed", remove("sops/kms/0/context/" + context), tampered, binding},
		{"kms context removed", remove("sops/kms/0/context"), tampered, binding},
		{"kms created_at", set("sops/kms/0/created_at", "2026-01-31T09:30:01Z"), tampered, binding},
		{"kms enc", set("sops/kms/0/enc", "AAAA"), tampered, binding},
		{"kms role added", set("sops/kms/0/role", "arn:aws:iam::1:role/x"), tampered, binding},
		{"kms empty role added", set("sops/kms/0/role", ""), tampered, binding},
		{"kms profile", set("sops/kms/0/aws_profile", "x"), tampered, binding},
		{"kms profile removed", remove("sops/kms/0/aws_profile"), tampered, binding},
		{"version", set("sops/version", "3.9.0"), tampered, binding},
		{"version empty", set("sops/version", ""), tampered, binding},
		{"lastmodified", set("sops/lastmodified", "2026-01-31T09:30:01Z"), tampered, "sops.mac"},
		{"mac", part("sops/mac", "data", flip), tampered, "sops.mac"},
		{"mac of another envelope", foreign("sops/mac"), tampered, "sops.mac"},
		{"a value as mac", copyFrom("sops/mac", value), tampered, "sops.mac"},
		{"flat keys turned into groups", all(
			raw("sops/key_groups", `[{"age": [{"enc": "x", "recipient": "age1x"}]}, {"age": [{"enc": "x", "recipient": "age1y"}]}]`),
			remove("sops/age"), remove("sops/kms")), tampered, binding},

		{"sops missing", remove("sops"), invalid, "sops"},
		{"sops null", raw("sops", "null"), invalid, "sops"},
		{"unknown field in sops", set("sops/extra", "x"), invalid, "sops.extra"},
		{"mac missing", remove("sops/mac"), invalid, "sops.mac"},
		{"mac empty", set("sops/mac", ""), invalid, "sops.mac"},
		{"mac null", raw("sops/mac", "null"), invalid, "sops.mac"},
		{"mac type", replace("sops/mac", "type:str", "type:bytes"), invalid, "sops.mac"},
		{"mac truncated", part("sops/mac", "tag", short1), invalid, "sops.mac"},
		{"lastmodified missing", remove("sops/lastmodified"), invalid, "sops.lastmodified"},
		{"lastmodified in another zone", set("sops/lastmodified", "2026-01-31T10:30:00+01:00"), invalid, "sops.lastmodified"},
		{"lastmodified with offset zero", set("sops/lastmodified", "2026-01-31T09:30:00+00:00"), invalid, "sops.lastmodified"},
		{"lastmodified with fraction", set("sops/lastmodified", "2026-01-31T09:30:00.0Z"), invalid, "sops.lastmodified"},
		{"lastmodified in lower case", set("sops/lastmodified", "2026-01-31t09:30:00z"), invalid, "sops.lastmodified"},
		{"lastmodified as timestamp", raw("sops/lastmodified", "2026-01-31T09:30:00Z"), invalid, "sops.lastmodified"},
		{"version missing", remove("sops/version"), invalid, "sops.version"},
		{"version number", raw("sops/version", "3.13"), invalid, "sops.version"},
		{"selector missing", remove("sops/encrypted_regex"), invalid, "sops.encrypted_regex"},
		{"selector pattern", set("sops/encrypted_regex", "^sign"), invalid, "sops.encrypted_regex"},
		{"selector empty", set("sops/encrypted_regex", ""), invalid, "sops.encrypted_regex"},
		{"selector of another kind", rename("sops/encrypted_regex", "unencrypted_regex"), invalid, "sops.unencrypted_regex"},
		{"second selector", set("sops/unencrypted_suffix", "_x"), invalid, "sops.unencrypted_suffix"},
		{"second selector empty", set("sops/encrypted_suffix", ""), invalid, "sops.encrypted_suffix"},
		{"second selector null", raw("sops/unencrypted_comment_regex", "null"), invalid, "sops.unencrypted_comment_regex"},
		{"mac only", raw("sops/mac_only_encrypted", "true"), invalid, "sops.mac_only_encrypted"},
		{"mac only false", raw("sops/mac_only_encrypted", "false"), invalid, "sops.mac_only_encrypted"},
		{"threshold", raw("sops/shamir_threshold", "1"), invalid, "sops.shamir_threshold"},
		{"threshold zero", raw("sops/shamir_threshold", "0"), invalid, "sops.shamir_threshold"},
		{"threshold negative", raw("sops/shamir_threshold", "-1"), invalid, "sops.shamir_threshold"},
		{"groups beside keys", raw("sops/key_groups", "[]"), invalid, "sops.key_groups"},
		{"empty key list", raw("sops/gcp_kms", "[]"), invalid, "sops.gcp_kms"},
		{"null key list", raw("sops/gcp_kms", "null"), invalid, "sops.gcp_kms"},
		{"no keys", all(remove("sops/age"), remove("sops/kms")), invalid, "sops"},
		{"too many keys", recipients(many), invalid, "sops"},
		{"entry null", appendTo("sops/age", "null"), invalid, "sops.age[2]"},
		{"entry string", appendTo("sops/age", "x"), invalid, "sops.age[2]"},
		{"entry without enc", remove("sops/age/0/enc"), invalid, "sops.age[0].enc"},
		{"entry with empty enc", set("sops/age/0/enc", ""), invalid, "sops.age[0].enc"},
		{"entry with unknown field", set("sops/age/0/extra", "x"), invalid, "sops.age[0].extra"},
		{"entry with null field", raw("sops/age/0/recipient", "null"), invalid, "sops.age[0].recipient"},
		{"age created_at empty", set("sops/age/0/created_at", ""), invalid, "sops.age[0].created_at"},
		{"age created_at null", raw("sops/age/0/created_at", "null"), invalid, "sops.age[0].created_at"},
		{"age created_at is no time", set("sops/age/1/created_at", "yesterday"), invalid, "sops.age[1].created_at"},
		{"age created_at as timestamp", raw("sops/age/1/created_at", "2026-01-31T09:30:00Z"), invalid, "sops.age[1].created_at"},
		{"age created_at in another zone", set("sops/age/1/created_at", "2026-01-31T10:30:00+01:00"), invalid, "sops.age[1].created_at"},
		{"age created_at with fraction", set("sops/age/1/created_at", "2026-01-31T09:30:00.0Z"), invalid, "sops.age[1].created_at"},
		{"kms context null", raw("sops/kms/0/context", "null"), invalid, "sops.kms[0].context"},
		{"kms context empty", raw("sops/kms/0/context", "{}"), invalid, "sops.kms[0].context"},
		{"kms context null value", raw("sops/kms/0/context/x", "null"), invalid, "sops.kms[0].context.x"},
		{"kms role null", raw("sops/kms/0/role", "null"), invalid, "sops.kms[0].role"},
		{"kms created_at is no time", set("sops/kms/0/created_at", "yesterday"), invalid, "sops.kms[0].created_at"},
		{"kms created_at as timestamp", raw("sops/kms/0/created_at", "2026-01-31T09:30:00Z"), invalid, "sops.kms[0].created_at"},
	}
}
