// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"errors"
	"strings"
	"testing"
)

const (
	// fakeIdentity is a well-formed age identity that belongs to nobody.
	fakeIdentity = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQPUN8UY"
	looksPrivate = "looks like a private key or a key file, give its public name (recipient, ARN, fingerprint)"
	allRule      = "path_regex, kms, aws_profile, age, pgp, gcp_kms, hckms, azure_keyvault, hc_vault_transit_uri, key_groups, shamir_threshold, unencrypted_suffix, encrypted_suffix, unencrypted_regex, encrypted_regex, unencrypted_comment_regex, encrypted_comment_regex, mac_only_encrypted, fresh_key, require_post_quantum"
	isEmpty      = "is empty: give a value or leave it out"
)

// TestRulesErrors holds the exact text of what a user meets.
func TestRulesErrors(t *testing.T) {
	tests := []struct{ name, data, want string }{
		{"empty file", "# nothing\n", ": empty file, want creation_rules"},
		{"null", "null\n", "1: empty file, want creation_rules"},
		{"list", "- age: age1a\n", "1: want a mapping"},
		{"text", "age1a\n", "1: want a mapping"},
		{"not YAML", "creation_rules: [\n", "1: not valid YAML: did not find expected node content"},
		{"two documents", "creation_rules: [{age: age1a}]\n---\na: b\n", "2: more than one document where one is expected"},
		{"anchor", "creation_rules:\n  - age: &me age1a\n", "2: creation_rules.age: anchors are not supported"},
		{"alias", "creation_rules:\n  - age: *me\n", ": not valid YAML: an alias without its anchor"},
		{"duplicate", "creation_rules:\n  - age: age1a\n    age: age1b\n", `3: creation_rules: duplicate key "age"`},
		{"no rules", "stores:\n  yaml: {indent: 2}\n", "1: no creation_rules"},
		{"no rule", "creation_rules: []\n", "1: creation_rules: " + isEmpty},
		{"null rules", "creation_rules:\n", "1: creation_rules: " + isEmpty},
		{"null rule", "creation_rules:\n  -\n", "2: creation_rules[0]: " + isEmpty},
		{"mapping of rules", "creation_rules:\n  age: age1a\n", "2: creation_rules: want a list"},
		{"rule is text", "creation_rules: [age1a]\n", "1: creation_rules[0]: want a mapping"},
		{"unknown section", "creation_rule: []\n", `1: creation_rule: unknown field, did you mean "creation_rules"?`},
		{"unlike anything", "keys: []\n", "1: keys: unknown field, the known ones are creation_rules, destination_rules, stores"},
		{"unknown destination", "destination_rules:\n  - s3_buckets: a\n", `2: destination_rules[0].s3_buckets: unknown field, did you mean "s3_bucket"?`},
		{"unknown in recreation rule", "destination_rules:\n  - recreation_rule:\n      fresh_key: true\n", "3: destination_rules[0].recreation_rule.fresh_key: unknown field, the known ones are " + strings.TrimSuffix(allRule, ", fresh_key, require_post_quantum")},
		{"unknown store", "stores:\n  toml: {}\n", `2: stores.toml: unknown field, the known ones are dotenv, ini, json_binary, json, yaml`},
		{"unknown in store", "stores:\n  yaml: {indnt: 2}\n", `2: stores.yaml.indnt: unknown field, did you mean "indent"?`},
		{"wrong kind in store", "stores:\n  yaml: {indent: two}\n", "2: stores.yaml.indent: want a whole number"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantRulesError(t, tt.data, tt.want) })
	}
}

// TestRuleErrors does the same for the fields of one rule, which begins in the
// second line.
func TestRuleErrors(t *testing.T) {
	tests := []struct{ name, rule, want string }{
		{"plural", "ages: age1a", `2: creation_rules[0].ages: unknown field, did you mean "age"?`},
		{"letters swapped", "age: age1a\n    encrytped_regex: a", `3: creation_rules[0].encrytped_regex: unknown field, did you mean "encrypted_regex"?`},
		{"camel case", "encryptedRegex: a", `2: creation_rules[0].encryptedRegex: unknown field, did you mean "encrypted_regex"?`},
		{"dashes", "path-regex: a", `2: creation_rules[0].path-regex: unknown field, did you mean "path_regex"?`},
		{"name of key groups", "hc_vault: a", `2: creation_rules[0].hc_vault: unknown field, did you mean "hc_vault_transit_uri"?`},
		{"shortened", "gcp: a", `2: creation_rules[0].gcp: unknown field, did you mean "gcp_kms"?`},
		{"nothing alike", "recipients: a", "2: creation_rules[0].recipients: unknown field, the known ones are " + allRule},
		{"odd name", `"a b": a`, `2: creation_rules[0]["a b"]: unknown field, the known ones are ` + allRule},

		{"no keys", "path_regex: a\n    fresh_key: true", "2: creation_rules[0]: no keys: give age, kms, another key type or key_groups"},
		{"null key", "age:", "2: creation_rules[0].age: " + isEmpty},
		{"empty key", `age: ""`, "2: creation_rules[0].age: " + isEmpty},
		{"only commas", `age: " , "`, "2: creation_rules[0].age: is empty"},
		{"empty list", "age: []", "2: creation_rules[0].age: " + isEmpty},
		{"null in list", "age:\n      - age1a\n      -", "4: creation_rules[0].age[1]: " + isEmpty},
		{"empty in list", "age: [age1a, '']", "2: creation_rules[0].age[1]: " + isEmpty},
		{"number as key", "pgp: 1234", "2: creation_rules[0].pgp: want a string: put it in quotes"},
		{"mapping as key", "kms: {arn: a}", "2: creation_rules[0].kms: want a string or a list of strings"},
		{"mapping in list", "kms: [{arn: a}]", "2: creation_rules[0].kms[0]: want a string"},
		{"list only", "hckms: a:b", "2: creation_rules[0].hckms: want a list of strings"},
		{"empty path", `path_regex: ""`, "2: creation_rules[0].path_regex: " + isEmpty},
		{"old boolean", "aws_profile: on", "2: creation_rules[0].aws_profile: want a string: put it in quotes"},
		{"control character", `aws_profile: "a\e[0m"`, "2: creation_rules[0].aws_profile: holds a control character"},
		{"text as policy", `require_post_quantum: "yes"`, "2: creation_rules[0].require_post_quantum: want true or false"},
		{"text as boolean", `fresh_key: "true"`, "2: creation_rules[0].fresh_key: want true or false"},
		{"yes as boolean", `mac_only_encrypted: yes`, "2: creation_rules[0].mac_only_encrypted: want true or false"},
		{"text as number", `shamir_threshold: "2"`, "2: creation_rules[0].shamir_threshold: want a whole number"},

		{"path regex", "path_regex: a(b\n    age: age1a", `2: creation_rules[0].path_regex: regular expression does not compile: missing closing ): "a(b"`},
		{"selector regex", "age: age1a\n    encrypted_regex: '[z-a]'", `3: creation_rules[0].encrypted_regex: regular expression does not compile: invalid character class range: "z-a"`},
		{"two selectors", "age: age1a\n    encrypted_regex: a\n    unencrypted_suffix: b", "3: creation_rules[0].encrypted_regex: a rule has at most one selector, and this one has unencrypted_suffix too"},

		{"unknown recipient", "age: 'age1a, bob'", "2: creation_rules[0].age: key 2 of 2: want an age recipient (age1...) or an SSH public key (ssh-ed25519 ... or ssh-rsa ...)"},
		{"SSH comment with comma", "age: 'ssh-rsa AAAA me, you'", "2: creation_rules[0].age: key 2 of 2: want an age recipient (age1...) or an SSH public key (ssh-ed25519 ... or ssh-rsa ...)"},
		{"no comma", "age: >-\n      age1a\n      age1b", "2: creation_rules[0].age: holds two recipients without a comma between them"},
		{"no comma after SSH", "age: 'ssh-rsa AAAA age1b'", "2: creation_rules[0].age: holds two recipients without a comma between them"},
		{"space in recipient", "age: 'age1a b'", "2: creation_rules[0].age: white space in an age recipient"},
		{"key id", "kms: alias/a", "2: creation_rules[0].kms: want the ARN of a KMS key: arn:aws:kms:<region>:<account>:key/<id>"},
		{"ARNs without comma", "kms: |\n      " + arn1 + "\n      " + arn2, "2: creation_rules[0].kms: holds two ARNs: a comma is missing between two keys, or + between a key and its role"},
		{"GCP", "gcp_kms: p/k", "2: creation_rules[0].gcp_kms: want projects/<project>/locations/<location>/keyRings/<ring>/cryptoKeys/<key>"},
		{"Huawei", "hckms: [abc]", "2: creation_rules[0].hckms[0]: want <region>:<key id>"},
		{"Azure", "azure_keyvault: https://v/k", "2: creation_rules[0].azure_keyvault: want https://<vault>.vault.azure.net/keys/<name>/<version>"},
		{"Azure with a password", "azure_keyvault: https://u:p@v/keys/k/1", "2: creation_rules[0].azure_keyvault: want https://<vault>.vault.azure.net/keys/<name>/<version>"},
		{"Vault", "hc_vault_transit_uri: vault.example.com", "2: creation_rules[0].hc_vault_transit_uri: want https://<host>/v1/<engine path>/keys/<name>"},
		{"Vault behind a prefix", "hc_vault_transit_uri: https://v/x/v1/transit/keys/k", "2: creation_rules[0].hc_vault_transit_uri: want https://<host>/v1/<engine path>/keys/<name>"},
		{"Vault with a password", "hc_vault_transit_uri: https://u:p@v/v1/transit/keys/k", "2: creation_rules[0].hc_vault_transit_uri: holds a user name or password: a Vault address has none"},

		{"key beside groups", "age: age1a\n    key_groups:\n      - age: [age1b]", "2: creation_rules[0].age: has no effect beside key_groups: write it into the groups"},
		{"profile beside groups", "aws_profile: a\n    key_groups:\n      - age: [age1b]", "2: creation_rules[0].aws_profile: has no effect beside key_groups: write it into their kms entries"},
		{"threshold without groups", "age: age1a, age1b\n    shamir_threshold: 2", "3: creation_rules[0].shamir_threshold: 2 key groups are needed, but the rule has only one: without key_groups all keys are in one group"},
		{"negative threshold", "age: age1a\n    shamir_threshold: -1", "3: creation_rules[0].shamir_threshold: is negative, want 0 (all key groups) to 1"},
		{"huge threshold", "age: age1a\n    shamir_threshold: 99999999999999999999", "3: creation_rules[0].shamir_threshold: want a whole number"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantRulesError(t, "creation_rules:\n  - "+tt.rule+"\n", tt.want) })
	}
}

// TestKeyGroupErrors does the same for the entries of key_groups, which begin
// in the third line.
func TestKeyGroupErrors(t *testing.T) {
	two := "- age: [age1a]\n      - age: [age1b]\n    shamir_threshold: "
	tests := []struct{ name, groups, want string }{
		{"empty", "[]", ": " + isEmpty},
		{"empty group", "- {}", "[0]: no keys: each key group needs one"},
		{"empty merge", "- merge: [{}]", "[0]: no keys: each key group needs one"},
		{"null group", "-", "[0]: " + isEmpty},
		{"text where lists are", "- age: age1a", "[0].age: want a list of strings"},
		{"flat name", "- hc_vault_transit_uri: [a]", `[0].hc_vault_transit_uri: unknown field, did you mean "hc_vault"?`},
		{"deep in merge", "- merge: [{age: [age1a, null]}]", "[0].merge[0].age[1]: " + isEmpty},
		{"ARN as text", "- kms: [" + arn1 + "]", "[0].kms[0]: want a mapping"},
		{"no ARN", "- kms: [{role: a}]", "[0].kms[0]: no arn"},
		{"role in ARN", "- kms: [{arn: '" + arn1 + "+" + role1 + "'}]", "[0].kms[0].arn: a role goes into the field role here"},
		{"role", "- kms: [{arn: '" + arn1 + "', role: admin}]", "[0].kms[0].role: want the ARN of a role: arn:aws:iam::<account>:role/<name>"},
		{"null in context", "- kms: [{arn: '" + arn1 + "', context: {a: }}]", "[0].kms[0].context.a: " + isEmpty},
		{"number in context", "- kms: [{arn: '" + arn1 + "', context: {a: 1}}]", "[0].kms[0].context.a: want a string: put it in quotes"},
		{"empty name in context", "- kms: [{arn: '" + arn1 + "', context: {'': a}}]", `[0].kms[0].context[""]: empty name`},
		{"context is text", "- kms: [{arn: '" + arn1 + "', context: 'a:b'}]", "[0].kms[0].context: want a mapping of strings"},
		{"reserved context", "- kms: [{arn: '" + arn1 + "', context: {kubernetes-namespace: a}}]", "[0].kms[0].context.kubernetes-namespace: names that begin with kubernetes- or signet- are reserved: they are derived from the document"},
		{"no GCP id", "- gcp_kms: [{}]", "[0].gcp_kms[0]: no resource_id"},
		{"snake case", "- azure_keyvault: [{vault_url: a}]", `[0].azure_keyvault[0].vault_url: unknown field, did you mean "vaultUrl"?`},
		{"no Azure key", "- azure_keyvault: [{vaultUrl: 'https://v'}]", "[0].azure_keyvault[0]: no key"},
		{"Azure over http", "- azure_keyvault: [{vaultUrl: 'http://v', key: k}]", "[0].azure_keyvault[0].vaultUrl: want https://<vault>.vault.azure.net"},
		{"comma in PGP", "- pgp: ['AA, BB']", "[0].pgp[0]: holds a comma: each key is an entry of its own here"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data, line := "creation_rules:\n  - key_groups:\n      "+tt.groups+"\n", "3"
			if tt.groups == "[]" {
				data, line = "creation_rules:\n  - key_groups: []\n", "2"
			}
			wantRulesError(t, data, line+": creation_rules[0].key_groups"+tt.want)
		})
	}
	t.Run("threshold over groups", func(t *testing.T) {
		wantRulesError(t, "creation_rules:\n  - key_groups:\n      "+two+"3\n", "5: creation_rules[0].shamir_threshold: 3 key groups are needed, but the rule has only 2")
	})
	t.Run("threshold of one", func(t *testing.T) {
		wantRulesError(t, "creation_rules:\n  - key_groups:\n      "+two+"1\n", "5: creation_rules[0].shamir_threshold: one key group cannot be enough where there are several: put all keys into one group, or need at least 2")
	})
	t.Run("too many", func(t *testing.T) {
		wantRulesError(t, "creation_rules:\n  - key_groups:\n"+strings.Repeat("      - age: [age1a]\n", 256), "3: creation_rules[0].key_groups: 256 key groups, at most 255 are possible")
	})
}

// TestPrivateKeysAreHidden puts private keys wherever a text may stand and
// looks for them in what comes back.
func TestPrivateKeysAreHidden(t *testing.T) {
	escaped := `"AGE\x2dSECRET\x2dKEY\x2d1QQQQ"`
	tests := []struct{ name, data, want string }{
		{"recipient", "creation_rules:\n  - age: " + fakeIdentity + "\n", "2: " + looksPrivate},
		{"lower case", "creation_rules:\n  - age: " + strings.ToLower(fakeIdentity) + "\n", "2: " + looksPrivate},
		{"in a list of many", "creation_rules:\n  - age: age1a," + fakeIdentity + "\n", "2: " + looksPrivate},
		{"comment", "creation_rules:\n  # " + fakeIdentity + "\n  - age: age1a\n", "2: " + looksPrivate},
		{"field name", "creation_rules:\n  - " + fakeIdentity + ": a\n", "2: " + looksPrivate},
		{"broken file", "creation_rules: [" + fakeIdentity, "1: " + looksPrivate},
		{"post-quantum", "creation_rules:\n  - age: " + strings.Replace(fakeIdentity, "KEY-1", "KEY-PQ-1", 1) + "\n", "2: " + looksPrivate},
		{"plugin", "creation_rules:\n  - age: AGE-PLUGIN-YUBIKEY-1QQQQQQQQQQQQQQQQQQQQQQ\n", "2: " + looksPrivate},
		{"short plugin", "creation_rules:\n  - age: AGE-PLUGIN-YUBIKEY-1QQQQ\n", "2: creation_rules[0].age: " + looksPrivate},
		{"PEM", "creation_rules:\n  - age: |\n      -----BEGIN OPENSSH PRIVATE KEY-----\n      QQQQ\n", "3: " + looksPrivate},
		{"public block", "creation_rules:\n  - pgp: |\n      -----BEGIN PGP PUBLIC KEY BLOCK-----\n      QQQQ\n", "2: creation_rules[0].pgp: " + looksPrivate},
		{"escaped", "creation_rules:\n  - age: " + escaped + "\n", "2: creation_rules[0].age: " + looksPrivate},
		{"escaped in a regex", "creation_rules:\n  - path_regex: " + strings.Replace(escaped, "1Q", "(1Q", 1) + "\n", "2: creation_rules[0].path_regex: " + looksPrivate},
		{"escaped name", "creation_rules:\n  - " + escaped + ": a\n", "2: creation_rules[0].hidden: " + looksPrivate},
		{"escaped name, twice", "creation_rules:\n  - " + escaped + ": a\n    " + escaped + ": b\n", "3: not valid YAML"},
		{"escaped context", "creation_rules:\n  - key_groups:\n      - kms: [{arn: 'a', context: {" + escaped + ": a}}]\n", "3: creation_rules[0].key_groups[0].kms[0].context.hidden: " + looksPrivate},
		{"ignored section", "destination_rules:\n  - s3_bucket: " + escaped + "\n", "2: destination_rules[0].s3_bucket: " + looksPrivate},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantRulesError(t, tt.data, tt.want) })
	}
	t.Run("not a key", func(t *testing.T) {
		mustParse(t, "# see AGE-SECRET-KEY-... and age-plugin-fido2-hmac\ncreation_rules: [{age: age1a}]")
	})
}

// wantRulesError takes the text after the path, beginning with the line or,
// where that is unknown, with ": ".
func wantRulesError(t *testing.T, data, want string) {
	t.Helper()
	if !strings.HasPrefix(want, ": ") {
		want = ":" + want
	}
	rules, err := ParseRules(RulesFile, []byte(data))
	if err == nil {
		t.Fatalf("parsed as %+v", rules)
	}
	var e *RulesError
	if !errors.As(err, &e) {
		t.Fatalf("a %T: %v", err, err)
	}
	if got, want := err.Error(), RulesFile+want; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if strings.Contains(strings.ToUpper(err.Error()), "QQQQ") {
		t.Error("the error holds the key")
	}
}

func TestRulesErrorText(t *testing.T) {
	tests := []struct {
		name string
		err  RulesError
		want string
	}{
		{"all", RulesError{"p", 3, "f", "r"}, "p:3: f: r"},
		{"no line", RulesError{"p", 0, "f", "r"}, "p: f: r"},
		{"no path", RulesError{"", 3, "f", "r"}, "line 3: f: r"},
		{"reason", RulesError{"", 0, "", "r"}, "r"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.err.Error(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
