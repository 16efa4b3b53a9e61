// SPDX-License-Identifier: Apache-2.0

package keys

import "slices"

// shape says what a field of a rules file holds.
type shape int

const (
	shapeText        shape = iota // string
	shapeTexts                    // list of strings
	shapeTextOrTexts              // string or list of strings
	shapeNumber                   // integer
	shapeBool                     // boolean
	shapePairs                    // mapping of strings with any keys
	shapeObject                   // mapping with the fields below
	shapeObjects                  // list of such mappings
)

// schemaField is one field that may stand in a mapping of a rules file.
type schemaField struct {
	name   string
	shape  shape
	fields func() []schemaField // of an object; a function because merge nests
}

// The fields are those of SOPS 3.13.3 (sops: config/config.go, types
// configFile, creationRule, keyGroup, destinationRule, StoresConfig) in the
// same order, plus fresh_key and require_post_quantum. SOPS ignores fields that
// it does not know.

func rulesFields() []schemaField {
	return []schemaField{
		{"creation_rules", shapeObjects, ruleFields},
		{"destination_rules", shapeObjects, destinationFields},
		{"stores", shapeObject, storesFields},
	}
}

func ruleFields() []schemaField {
	return append(sopsRuleFields(), schemaField{"fresh_key", shapeBool, nil}, schemaField{"require_post_quantum", shapeBool, nil})
}

func sopsRuleFields() []schemaField {
	fields := []schemaField{
		{"path_regex", shapeText, nil},
		{"kms", shapeTextOrTexts, nil},
		{"aws_profile", shapeText, nil},
		{"age", shapeTextOrTexts, nil},
		{"pgp", shapeTextOrTexts, nil},
		{"gcp_kms", shapeTextOrTexts, nil},
		{"hckms", shapeTexts, nil},
		{"azure_keyvault", shapeTextOrTexts, nil},
		{"hc_vault_transit_uri", shapeTextOrTexts, nil},
		{"key_groups", shapeObjects, groupFields},
		{"shamir_threshold", shapeNumber, nil},
	}
	for _, k := range SelectorKinds {
		fields = append(fields, schemaField{string(k), shapeText, nil})
	}
	return append(fields, schemaField{"mac_only_encrypted", shapeBool, nil})
}

func groupFields() []schemaField {
	return []schemaField{
		{"merge", shapeObjects, groupFields},
		{"kms", shapeObjects, texted("arn", "role", "aws_profile", "context")},
		{"gcp_kms", shapeObjects, texted("resource_id")},
		{"hckms", shapeObjects, texted("key_id")},
		{"azure_keyvault", shapeObjects, texted("vaultUrl", "key", "version")},
		{"hc_vault", shapeTexts, nil},
		{"age", shapeTexts, nil},
		{"pgp", shapeTexts, nil},
	}
}

// texted returns fields that hold strings, context excepted.
func texted(names ...string) func() []schemaField {
	return func() []schemaField {
		fields := make([]schemaField, len(names))
		for i, name := range names {
			fields[i] = schemaField{name, shapeText, nil}
			if name == "context" {
				fields[i].shape = shapePairs
			}
		}
		return fields
	}
}

func destinationFields() []schemaField {
	fields := texted("path_regex", "s3_bucket", "s3_prefix", "gcs_bucket", "gcs_prefix",
		"vault_path", "vault_address", "vault_kv_mount_name")()
	return append(fields,
		schemaField{"vault_kv_version", shapeNumber, nil},
		schemaField{"recreation_rule", shapeObject, sopsRuleFields},
		schemaField{"omit_extensions", shapeBool, nil},
	)
}

func storesFields() []schemaField {
	none := func() []schemaField { return nil }
	indent := func() []schemaField { return []schemaField{{"indent", shapeNumber, nil}} }
	return []schemaField{
		{"dotenv", shapeObject, none},
		{"ini", shapeObject, none},
		{"json_binary", shapeObject, indent},
		{"json", shapeObject, indent},
		{"yaml", shapeObject, indent},
	}
}

// ignored reports whether a top-level field serves SOPS alone. In it names and
// kinds are checked, but emptiness does no harm.
func ignored(name string) bool {
	return slices.Contains([]string{"destination_rules", "stores"}, name)
}
