// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	ageA  = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
	ageB  = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"
	sshA  = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN"
	arn1  = "arn:aws:kms:eu-west-1:111122223333:key/1111"
	arn2  = "arn:aws:kms:eu-west-1:111122223333:key/2222"
	role1 = "arn:aws:iam::111122223333:role/sops"
	gcp1  = "projects/p/locations/global/keyRings/r/cryptoKeys/k"
)

func mustParse(t *testing.T, data string) *Rules {
	t.Helper()
	rules, err := ParseRules(RulesFile, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "rules", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestParseRulesEveryField(t *testing.T) {
	got := mustParse(t, readFile(t, "every-field.yaml"))
	a := AgeEntry{Recipient: ageA}
	want := &Rules{Path: RulesFile, Rules: []Rule{
		{
			PathRegex: "^flat/",
			Recipients: Recipients{Groups: []Group{{
				a,
				AzureKVEntry{VaultURL: "https://v.vault.azure.net", Name: "k", Version: "1234"},
				GCPKMSEntry{ResourceID: gcp1},
				VaultEntry{Address: "https://vault.example.com:8200", EnginePath: "transit", KeyName: "k"},
				HuaweiKMSEntry{KeyID: "cn-north-1:1111-2222"},
				KMSEntry{ARN: arn1, AWSProfile: "work"},
				PGPEntry{Fingerprint: "85D77543B3D624B63CEA9E6DBC17301B491B3F21"},
			}}},
			Selector:           Selector{Kind: EncryptedRegex, Pattern: "^(data|stringData)$"},
			MACOnlyEncrypted:   true,
			FreshKey:           true,
			RequirePostQuantum: true,
		},
		{
			Index:      1,
			PathRegex:  "^suffix/",
			Recipients: Recipients{Groups: []Group{{a}}},
			Selector:   Selector{Kind: UnencryptedSuffix, Pattern: "_clear"},
		},
		{Index: 2, Recipients: Recipients{Groups: []Group{{a}}}},
	}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Rule{})); diff != "" {
		t.Error(diff)
	}
}

func TestParseRulesKeyGroups(t *testing.T) {
	got := mustParse(t, readFile(t, "key-groups.yaml")).Rules[0].Recipients
	want := Recipients{
		Threshold: 2,
		Groups: []Group{
			{
				AgeEntry{Recipient: "age1merged"}, AgeEntry{Recipient: "age1b"}, AgeEntry{Recipient: "age1a"},
				KMSEntry{ARN: arn1, Role: role1, Context: map[string]string{"team": "db", "a b": "1"}, AWSProfile: "work"},
				KMSEntry{ARN: arn1},
				PGPEntry{Fingerprint: "AAAAAAAA"}, PGPEntry{Fingerprint: "BBBB"}, PGPEntry{Fingerprint: "CCCC"},
			},
			{GCPKMSEntry{ResourceID: gcp1}, HuaweiKMSEntry{KeyID: "cn-north-1:1111-2222"}},
			{
				AzureKVEntry{VaultURL: "https://v.vault.azure.net", Name: "k", Version: "1234"},
				AzureKVEntry{VaultURL: "https://w.vault.azure.net/", Name: "k"},
				VaultEntry{Address: "https://vault.example.com:8200", EnginePath: "team/transit", KeyName: "k"},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseRulesFlatKeys(t *testing.T) {
	tests := []struct {
		name, field string
		want        Group
	}{
		{"one age", `age: ` + ageA, Group{AgeEntry{Recipient: ageA}}},
		{"commas", `age: "` + ageA + `, ` + ageB + `,"`, Group{AgeEntry{Recipient: ageA}, AgeEntry{Recipient: ageB}}},
		{"folded", "age: >-\n      " + ageA + ",\n      " + ageB, Group{AgeEntry{Recipient: ageA}, AgeEntry{Recipient: ageB}}},
		{"literal", "age: |\n      " + ageA + ",\n      " + ageB + "\n", Group{AgeEntry{Recipient: ageA}, AgeEntry{Recipient: ageB}}},
		{"list with commas", `age: ["` + ageA + `", "` + ageB + `,` + ageA + `"]`, Group{AgeEntry{Recipient: ageA}, AgeEntry{Recipient: ageB}}},
		{"post-quantum and plugin", `age: "age1pq1abc, age1yubikey1abc"`, Group{AgeEntry{Recipient: "age1pq1abc"}, AgeEntry{Recipient: "age1yubikey1abc"}}},
		{"SSH with comment", `age: "` + sshA + ` me@host, ` + ageA + `"`, Group{AgeEntry{Recipient: sshA + " me@host"}, AgeEntry{Recipient: ageA}}},
		{"ARN and role", `kms: ` + arn1 + `+` + role1, Group{KMSEntry{ARN: arn1, Role: role1}}},
		{"ARN and role in two lines", "kms: >-\n      " + arn1 + "\n      + " + role1 + ",\n      " + arn2, Group{KMSEntry{ARN: arn1, Role: role1}, KMSEntry{ARN: arn2}}},
		{"profile", "aws_profile: p\n    kms: " + arn1, Group{KMSEntry{ARN: arn1, AWSProfile: "p"}}},
		{"fingerprint with spaces", `pgp: "85D7 7543, AAAA"`, Group{PGPEntry{Fingerprint: "85D77543"}, PGPEntry{Fingerprint: "AAAA"}}},
		{"Azure without version", `azure_keyvault: "https://v/keys/k, https://v/keys/l/"`, Group{AzureKVEntry{VaultURL: "https://v", Name: "k"}, AzureKVEntry{VaultURL: "https://v", Name: "l"}}},
		{"Vault with a long engine path", `hc_vault_transit_uri: http://127.0.0.1:8200/v1/a/b/keys/k/`, Group{VaultEntry{Address: "http://127.0.0.1:8200", EnginePath: "a/b", KeyName: "k"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := mustParse(t, "creation_rules:\n  - "+tt.field+"\n").Rules[0].Recipients
			if diff := cmp.Diff(Recipients{Groups: []Group{tt.want}}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseRulesJSON(t *testing.T) {
	got := mustParse(t, `{"creation_rules": [{"age": ["`+ageA+`"], "shamir_threshold": 1}]}`)
	if diff := cmp.Diff(Recipients{Groups: []Group{{AgeEntry{Recipient: ageA}}}, Threshold: 1}, got.Rules[0].Recipients); diff != "" {
		t.Error(diff)
	}
}

func TestRulesFor(t *testing.T) {
	dir := t.TempDir()
	outside := t.TempDir()
	writeFile(t, filepath.Join(dir, "apps", "db.yaml"), "")
	symlink(t, filepath.Join(dir, "apps"), filepath.Join(dir, "alias"))
	symlink(t, filepath.Join(dir, "apps", "db.yaml"), filepath.Join(dir, "dev.yaml"))
	rules, err := ParseRules(filepath.Join(dir, RulesFile), []byte(`
creation_rules:
  - {path_regex: '^apps/', age: age1a}
  - {path_regex: 'dev\.yaml$', age: age1b}
  - {path_regex: '^new/', age: age1c}
  - {path_regex: '/other\.yaml$', age: age1d}
`))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, document string
		want           int
	}{
		{"below", filepath.Join(dir, "apps", "db.yaml"), 0},
		{"first match wins", filepath.Join(dir, "apps", "dev.yaml"), 0},
		{"linked directory", filepath.Join(dir, "alias", "db.yaml"), 0},
		{"linked document", filepath.Join(dir, "dev.yaml"), 0},
		{"new directory", filepath.Join(dir, "new", "sub", "db.yaml"), 2},
		{"outside, by absolute path", filepath.Join(outside, "other.yaml"), 3},
		{"up through a link", dir + "/alias/../new/x.yaml", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rule, err := rules.For(tt.document)
			if err != nil {
				t.Fatal(err)
			}
			if rule.Index != tt.want {
				t.Errorf("rule %d, want %d", rule.Index, tt.want)
			}
		})
	}
	t.Run("relative paths", func(t *testing.T) {
		t.Chdir(dir)
		local := &Rules{Path: RulesFile, Rules: rules.Rules}
		if rule, err := local.For("apps/db.yaml"); err != nil || rule.Index != 0 {
			t.Errorf("got %v, %v", rule, err)
		}
	})
	t.Run("none", func(t *testing.T) {
		_, err := rules.For(filepath.Join(dir, "x", "y.yaml"))
		var none *NoRuleError
		if !errors.As(err, &none) {
			t.Fatalf("got %v", err)
		}
		want := "no rule in " + rules.Path + ` matches "x/y.yaml": tried path_regex "^apps/", "dev\\.yaml$", "^new/", "/other\\.yaml$"`
		if diff := cmp.Diff(want, err.Error()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a rule that was not parsed matches nothing", func(t *testing.T) {
		made := &Rules{Path: rules.Path, Rules: []Rule{{PathRegex: "."}}}
		if _, err := made.For(filepath.Join(dir, "x.yaml")); err == nil {
			t.Error("it matched")
		}
	})
}

func TestLoadRules(t *testing.T) {
	dir := t.TempDir()
	good := writeFile(t, filepath.Join(dir, RulesFile), "creation_rules: [{age: age1a}]")
	large := writeFile(t, filepath.Join(dir, "large"), strings.Repeat("#", MaxRulesBytes+1))
	symlink(t, good, filepath.Join(dir, "link"))
	tests := []struct{ name, path, want string }{
		{"file", good, ""},
		{"link", filepath.Join(dir, "link"), ""},
		{"directory", dir, dir + ": not a regular file"},
		{"device", "/dev/zero", "/dev/zero: not a regular file"},
		{"too large", large, large + ": has more than 1048576 bytes"},
		{"missing", filepath.Join(dir, "none"), "read rules: stat " + dir + "/none: no such file or directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules, err := LoadRules(tt.path)
			switch {
			case tt.want == "" && (err != nil || rules.Path != tt.path || len(rules.Rules) != 1):
				t.Errorf("got %v, %v", rules, err)
			case tt.want != "" && (err == nil || err.Error() != tt.want):
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestSelector(t *testing.T) {
	tests := []struct {
		name         string
		selector     Selector
		matches, not string
		wantErr      string
	}{
		{"suffix", Selector{EncryptedSuffix, "_x"}, "a_x", "_xa", ""},
		{"suffix is literal", Selector{UnencryptedSuffix, "."}, "a.", "ab", ""},
		{"regex", Selector{EncryptedRegex, "^da"}, "data", "ada", ""},
		{"regex is not anchored", Selector{UnencryptedRegex, "b"}, "abc", "ac", ""},
		{"comment", Selector{EncryptedCommentRegex, "secret"}, "# secret", "#", ""},
		{"bad regex", Selector{UnencryptedCommentRegex, "(a"}, "", "", `regular expression does not compile: missing closing ): "(a"`},
		{"empty", Selector{EncryptedRegex, ""}, "", "", "empty pattern"},
		{"unknown", Selector{"regex", "a"}, "", "", `unknown selector "regex"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			made, err := NewSelector(tt.selector.Kind, tt.selector.Pattern)
			if tt.wantErr != "" {
				if err == nil || err.Error() != tt.wantErr {
					t.Errorf("got %v", err)
				}
				return
			}
			match, err := made.Compile()
			if err != nil {
				t.Fatal(err)
			}
			if !match(tt.matches) || match(tt.not) {
				t.Errorf("%q: %t, %q: %t", tt.matches, match(tt.matches), tt.not, match(tt.not))
			}
		})
	}
}

// Where a recipient stands is known by its line, also in key groups and where
// several stand on one.
func TestRuleLine(t *testing.T) {
	const text = "creation_rules:\n" +
		"  - age:\n" +
		"      - age1a\n" +
		"      - age1b,age1c\n" +
		"      - age1a\n" +
		"    pgp: |-\n" +
		"      AAAA, BBBB\n" +
		"    kms: " + arn1 + "\n" +
		"    aws_profile: work\n" +
		"  - key_groups:\n" +
		"      - merge:\n" +
		"          - pgp: [CCCC]\n" +
		"        azure_keyvault:\n" +
		"          - vaultUrl: https://v.vault.azure.net\n" +
		"            key: k\n" +
		"      - age: [age1a]\n"
	rules := mustParse(t, text).Rules
	want := []map[string]int{
		{"age1a": 3, "age1b": 4, "age1c": 4, "AAAA": 6, "BBBB": 6, arn1: 8},
		{"CCCC": 12, "https://v.vault.azure.net/keys/k/": 14, "age1a": 16},
	}
	for i, rule := range rules {
		got := map[string]int{}
		for _, e := range rule.Recipients.Entries() {
			got[e.ID()] = rule.Line(e)
		}
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Errorf("rule %d: -want +got:\n%s", i, diff)
		}
	}
	if n := rules[1].Line(AgeEntry{Recipient: "age1b"}); n != 0 {
		t.Errorf("a recipient of another rule is on line %d", n)
	}
}
