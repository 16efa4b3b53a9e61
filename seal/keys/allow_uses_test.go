// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"errors"
	"strings"
	"testing"
)

// checkTest is an entry and the error that an allow-list gives for it, "" for
// none.
type checkTest struct {
	name string
	list string
	e    Entry
	want string // kind and value that are not allowed; with a ! before them if malformed
}

func runCheckTests(t *testing.T, tests []checkTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := allowed(t, tt.list).Check(tt.e)
			got := ""
			if no := new(NotAllowedError); errors.As(err, &no) {
				got = strings.Repeat("!", map[bool]int{true: 1}[no.Malformed]) + string(no.Kind) + " " + no.Value
				if no.Entry.ID() != tt.e.ID() {
					t.Errorf("of another entry: %v", no.Entry)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAllowKMS(t *testing.T) {
	const (
		account = "kms=arn:aws:kms:*:111122223333:**"
		alias   = "arn:aws:kms:eu-west-1:111122223333:alias/team/prod"
		mrk     = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
	)
	key := func(arn string) KMSEntry { return KMSEntry{ARN: arn} }
	tests := []checkTest{
		{"key", account, key(arn1), ""},
		{"alias", account, key(alias), ""},
		{"multi-Region key", account, key(mrk), ""},
		{"that key only", "kms=" + arn1, key(arn1), ""},
		{"other key", "kms=" + arn1, key(arn2), "kms " + arn2},
		{"keys without aliases", "kms=arn:aws:kms:*:111122223333:key/*", key(alias), "kms " + alias},
		{"star for the last part", "kms=arn:aws:kms:*:111122223333:*", key(arn1), ""},
		{"other account", account, key("arn:aws:kms:eu-west-1:444455556666:key/1"), "kms arn:aws:kms:eu-west-1:444455556666:key/1"},
		{"other partition", account, key("arn:aws-cn:kms:cn-north-1:111122223333:key/1"), "kms arn:aws-cn:kms:cn-north-1:111122223333:key/1"},
		{"other kind's pattern", "role=* pgp=*", key(arn1), "kms " + arn1},
		{"context plays no part", account, KMSEntry{ARN: arn1, Context: map[string]string{"a": "*"}}, ""},

		{"role", account + " role=" + role1, KMSEntry{ARN: arn1, Role: role1}, ""},
		{"role not named", account, KMSEntry{ARN: arn1, Role: role1}, "role " + role1},
		{"role allowed, key not", "role=*", KMSEntry{ARN: arn1, Role: role1}, "kms " + arn1},
		{"role of another account", account + " role=arn:aws:iam::111122223333:role/*",
			KMSEntry{ARN: arn1, Role: "arn:aws:iam::444455556666:role/sops"}, "role arn:aws:iam::444455556666:role/sops"},
		{"role with a path", account + " role=arn:aws:iam::111122223333:role/*",
			KMSEntry{ARN: arn1, Role: "arn:aws:iam::111122223333:role/a/b"}, ""},
		{"role of another name", account + " role=arn:aws:iam::111122223333:role/a*",
			KMSEntry{ARN: arn1, Role: "arn:aws:iam::111122223333:role/b"}, "role arn:aws:iam::111122223333:role/b"},
		{"role with +", account + " role=arn:aws:iam::111122223333:role/**", KMSEntry{ARN: arn1, Role: "arn:aws:iam::111122223333:role/a+b=c,d.e@f"}, ""},
		{"role with + and another", account + " role=*", KMSEntry{ARN: arn1, Role: role1 + "+" + role1}, "!role " + role1 + "+" + role1},
		{"no ARN as role", account + " role=*", KMSEntry{ARN: arn1, Role: "sops"}, "!role sops"},
		{"profile", account + " aws_profile=prod", KMSEntry{ARN: arn1, AWSProfile: "prod"}, ""},
		{"profile not named", account, KMSEntry{ARN: arn1, AWSProfile: "prod"}, "aws_profile prod"},
		{"other profile", account + " aws_profile=dev", KMSEntry{ARN: arn1, AWSProfile: "prod"}, "aws_profile prod"},
		{"profile that is a pattern", account + " aws_profile=dev", KMSEntry{ARN: arn1, AWSProfile: "*"}, "aws_profile *"},
		{"role and profile", account + " role=*", KMSEntry{ARN: arn1, Role: role1, AWSProfile: "prod"}, "aws_profile prod"},
		{"very long", "kms=*", key(arn1 + strings.Repeat("1", maxAllowedBytes)), "kms " + arn1 + strings.Repeat("1", maxAllowedBytes)},
	}
	runCheckTests(t, tests)
}

// TestAllowMalformedARN has what is no ARN refused by a list that allows every
// key: the Region becomes part of a host name.
func TestAllowMalformedARN(t *testing.T) {
	var tests []checkTest
	for name, arn := range map[string]string{
		"nothing":              "",
		"word":                 "key",
		"five parts":           "arn:aws:kms:eu-west-1:111122223333",
		"no key":               "arn:aws:kms:eu-west-1:111122223333:",
		"seventh part":         arn1 + ":x",
		"account twice":        "arn:aws:kms:eu-west-1:444455556666:111122223333:key/1",
		"capitals":             "ARN:aws:kms:eu-west-1:111122223333:key/1",
		"role behind it":       arn1 + "+" + role1,
		"space before":         " " + arn1,
		"newline after":        arn1 + "\n",
		"two lines":            "x\n" + arn1,
		"pattern":              "arn:aws:kms:*:111122223333:key/*",
		"host in the Region":   "arn:aws:kms:x@evil.example/:111122223333:key/1",
		"path in the Region":   "arn:aws:kms:evil.example/x:111122223333:key/1",
		"query in the Region":  "arn:aws:kms:evil.example?:111122223333:key/1",
		"anchor in the Region": "arn:aws:kms:evil.example#:111122223333:key/1",
		"dot in the Region":    "arn:aws:kms:evil.example:111122223333:key/1",
		"escape in the Region": "arn:aws:kms:%2e:111122223333:key/1",
		"dots in the key":      "arn:aws:kms:eu-west-1:111122223333:key/../1",
		"dash of another sort": "arn:aws:kms:eu\u2010west-1:111122223333:key/1",
		"digits of a script":   "arn:aws:kms:eu-west-1:\u0661\u0661\u0661122223333:key/1",
		"not UTF-8":            "arn:aws:kms:eu-west-1:111122223333:key/\xff",
	} {
		tests = append(tests, checkTest{name, "kms=* kms=** kms=arn:aws:kms:*:111122223333:**", KMSEntry{ARN: arn}, "!kms " + arn})
	}
	runCheckTests(t, tests)
}

func TestAllowOtherServices(t *testing.T) {
	const other = "projects/q/locations/global/keyRings/r/cryptoKeys/k"
	gcp := func(id string) GCPKMSEntry { return GCPKMSEntry{ResourceID: id} }
	huawei := func(id string) HuaweiKMSEntry { return HuaweiKMSEntry{KeyID: id} }
	runCheckTests(t, []checkTest{
		{"age", "", AgeEntry{Recipient: "age1qqqq"}, ""},
		{"SSH", "", AgeEntry{Recipient: "ssh-ed25519 AAAA age1x1qq"}, ""},

		{"GCP", "gcp_kms=projects/p/**", gcp(gcp1), ""},
		{"GCP, a star for each part", "gcp_kms=projects/p/locations/*/keyRings/*/cryptoKeys/*", gcp(gcp1), ""},
		{"GCP, other project", "gcp_kms=projects/p/**", gcp(other), "gcp_kms " + other},
		{"GCP, project of a domain", "gcp_kms=projects/example.com:p/**", gcp("projects/example.com:p/locations/l"), ""},
		{"GCP, out of the project", "gcp_kms=* gcp_kms=projects/p/**", gcp("projects/p/../q/locations/l"), "!gcp_kms projects/p/../q/locations/l"},
		{"GCP, out of everything", "gcp_kms=*", gcp("../projects/q"), "!gcp_kms ../projects/q"},
		{"GCP, absolute", "gcp_kms=*", gcp("/projects/q"), "!gcp_kms /projects/q"},
		{"GCP, escaped", "gcp_kms=*", gcp("projects/p/%2e%2e/q"), "!gcp_kms projects/p/%2e%2e/q"},
		{"GCP, query", "gcp_kms=*", gcp(gcp1 + "?x"), "!gcp_kms " + gcp1 + "?x"},
		{"GCP, dot", "gcp_kms=*", gcp("projects/./q"), "!gcp_kms projects/./q"},
		{"GCP, two slashes", "gcp_kms=*", gcp("projects//q"), "!gcp_kms projects//q"},
		{"GCP, slash at the end", "gcp_kms=*", gcp("projects/q/"), "!gcp_kms projects/q/"},
		{"GCP, nothing", "gcp_kms=*", gcp(""), "!gcp_kms "},

		{"Huawei", "hckms=eu-west-101:*", huawei("eu-west-101:1-2"), ""},
		{"Huawei, other Region", "hckms=eu-west-101:*", huawei("cn-north-1:1-2"), "hckms cn-north-1:1-2"},
		{"Huawei, host in the Region", "hckms=*", huawei("evil.example#:1-2"), "!hckms evil.example#:1-2"},
		{"Huawei, nothing", "hckms=*", huawei(""), "!hckms "},

		{"PGP", "pgp=AABB", PGPEntry{Fingerprint: "AABB"}, ""},
		{"PGP, other key", "pgp=AABB", PGPEntry{Fingerprint: "AABBCC"}, "pgp AABBCC"},
		{"PGP, none", "", PGPEntry{Fingerprint: "AABB"}, "pgp AABB"},

		{"plugin", "age_plugin=yubikey", AgeEntry{Recipient: "age1yubikey1qqqq"}, ""},
		{"other plugin", "age_plugin=yubikey", AgeEntry{Recipient: "age1tpm1qqqq"}, "age_plugin tpm"},
		{"plugin with a longer name", "age_plugin=yubikey", AgeEntry{Recipient: "age1yubikey21qqqq"}, "age_plugin yubikey2"},
		{"plugin with a path", "age_plugin=yubikey", AgeEntry{Recipient: "age1yubikey/../sh1qqqq"}, "age_plugin yubikey/../sh"},

		{"unknown type", "kms=*", unknownEntry{}, "!unknown x"},
		{"pointer", "kms=*", &KMSEntry{ARN: arn1, Role: role1}, "!kms " + arn1},
	})
}

// unknownEntry is of a type that the allow-list does not know.
type unknownEntry struct{}

func (unknownEntry) Type() Type      { return "unknown" }
func (unknownEntry) ID() string      { return "x" }
func (unknownEntry) Wrapped() string { return "" }

func TestAllowVault(t *testing.T) {
	const (
		list = "hc_vault=https://vault.example.com/**"
		port = "hc_vault=https://vault.example.com:8200/**"
		keys = "hc_vault=https://vault.example.com/v1/*/keys/*"
	)
	entry := func(address, engine, key string) VaultEntry {
		return VaultEntry{Address: address, EnginePath: engine, KeyName: key}
	}
	at := func(address string) VaultEntry { return entry(address, "transit", "k") }
	const path = "/v1/transit/keys/k"
	tests := []checkTest{
		{"as it is", list, at("https://vault.example.com"), ""},
		{"slash at the end", list, at("https://vault.example.com/"), ""},
		{"capitals", list, at("https://Vault.EXAMPLE.com"), ""},
		{"capitals in the list", "hc_vault=https://Vault.EXAMPLE.com/**", at("https://vault.example.com"), ""},
		{"port", port, at("https://vault.example.com:8200"), ""},
		{"slashes around the engine path", keys, entry("https://vault.example.com", "/transit/", "k"), ""},
		{"pattern with the path", keys, at("https://vault.example.com"), ""},
		{"deeper engine path", keys, entry("https://vault.example.com", "a/b", "k"), "hc_vault https://vault.example.com/v1/a/b/keys/k"},
		{"IPv6", "hc_vault=https://[::1]:8200/**", at("https://[::1]:8200"), ""},
		{"any host", "hc_vault=https://*/**", at("https://evil.example"), ""},
		{"any host, other port", "hc_vault=https://*/**", at("https://evil.example:1"), "hc_vault https://evil.example:1" + path},

		{"other host", list, at("https://evil.example"), "hc_vault https://evil.example" + path},
		{"other scheme", list, at("http://vault.example.com"), "hc_vault http://vault.example.com" + path},
		{"other port", list, at("https://vault.example.com:8200"), "hc_vault https://vault.example.com:8200" + path},
		{"no port", port, at("https://vault.example.com"), "hc_vault https://vault.example.com" + path},
		{"host that begins alike", list, at("https://vault.example.com.evil.example"), "hc_vault https://vault.example.com.evil.example" + path},
		{"host that ends alike", list, at("https://evil-vault.example.com"), "hc_vault https://evil-vault.example.com" + path},
		{"dot at the end", list, at("https://vault.example.com."), "hc_vault https://vault.example.com." + path},
		{"colon without a port", list, at("https://vault.example.com:"), "hc_vault https://vault.example.com:" + path},
		{"the host in the path", "hc_vault=https://*.example.com/**", entry("https://evil.example", "x.example.com", "k"),
			"hc_vault https://evil.example/v1/x.example.com/keys/k"},
	}
	runCheckTests(t, tests)
}

// TestAllowMalformedVault has addresses and paths that could be read otherwise
// than they seem refused by a list that allows every server.
func TestAllowMalformedVault(t *testing.T) {
	const list = "hc_vault=* hc_vault=https://*/** hc_vault=https://vault.example.com/**"
	var tests []checkTest
	for _, address := range []string{
		"", "vault.example.com", "vault:8200", "//vault.example.com", "https://", "https:///", "https://:8200", "https:vault.example.com",
		"HTTPS://vault.example.com", "ftp://vault.example.com", "unix:///run/vault.sock", " https://vault.example.com", "https://vault.example.com\n",
		"https://vault.example.com@evil.example", "https://user@vault.example.com", "https://vault.example.com:8200@evil.example",
		"https://vault.example.com:8200.evil.example", "https://vault.example.com:pass@evil.example:8200",
		"https://evil.example/vault.example.com", "https://vault.example.com/x", "https://vault.example.com//", "https://vault.example.com/.",
		"https://evil.example?vault.example.com", "https://evil.example#vault.example.com", "https://vault.example.com?", "https://vault.example.com#",
		`https://evil.example\.vault.example.com`, `https://evil.example\@vault.example.com`, "https://vault.example.com%2eevil.example",
		"https://vault.example.com%00.evil.example", "https://evil.example%23.vault.example.com", "https://[::1%25eth0]", "https://[::1]evil.example",
		"https://vault.ex\u00e4mple.com", "https://vault.example\uff0ecom", "https://vault\u3002example.com", "https://vault.exam\u00adple.com",
		"https://vault.example.com\tevil", "https://vault.example.com,evil.example", "https://vault.example.com;evil.example", "https://*",
		"https://vault.example.com\x00",
	} {
		e := VaultEntry{Address: address, EnginePath: "transit", KeyName: "k"}
		tests = append(tests, checkTest{"address " + address, list, e, "!hc_vault " + address + "/v1/transit/keys/k"})
	}
	for _, p := range [][2]string{
		{"", "k"}, {"/", "k"}, {"transit", ""}, {"transit/../sys", "k"}, {"..", "k"}, {"transit/..", "k"}, {".", "k"}, {"a//b", "k"},
		{"transit", ".."}, {"transit", "."}, {"transit", "../../sys/raw/k"}, {"transit", "a/b"}, {"transit", "/k"}, {"transit", "k/"},
		{"transit/%2e%2e/sys", "k"}, {"transit", "%2e%2e"}, {"transit", "k?x=y"}, {"transit?", "k"}, {"transit", "k#"}, {`a\..\b`, "k"},
		{"transit", "k k"}, {"transit", "k\n"}, {"transit\x00", "k"}, {"transit", "k+"}, {"transit", "\u2025"}, {"transit", "k\xff"}, {"trans*", "k"}, {"transit", "**"},
	} {
		e := VaultEntry{Address: "https://vault.example.com", EnginePath: p[0], KeyName: p[1]}
		value := "https://vault.example.com/v1/" + strings.Trim(p[0], "/") + "/keys/" + p[1]
		tests = append(tests, checkTest{"path " + p[0] + "," + p[1], list, e, "!hc_vault " + value})
	}
	runCheckTests(t, tests)
}

func TestAllowAzureKV(t *testing.T) {
	const list = "azure_kv=https://*.vault.azure.net/**"
	entry := func(url, name, version string) AzureKVEntry {
		return AzureKVEntry{VaultURL: url, Name: name, Version: version}
	}
	const prod = "https://prod.vault.azure.net"
	tests := []checkTest{
		{"key", list, entry(prod, "k", "1"), ""},
		{"no version", list, entry(prod, "k", ""), ""},
		{"slash at the end", list, entry(prod+"/", "k", "1"), ""},
		{"capitals", list, entry("https://Prod.Vault.Azure.NET", "k", "1"), ""},
		{"that key only", "azure_kv=" + prod + "/keys/k", entry(prod, "k", "2"), ""},
		{"other key", "azure_kv=" + prod + "/keys/k", entry(prod, "l", "1"), "azure_kv " + prod + "/keys/l"},
		{"other vault", "azure_kv=" + prod + "/**", entry("https://dev.vault.azure.net", "k", "1"), "azure_kv https://dev.vault.azure.net/keys/k"},
		{"other host", list, entry("https://prod.vault.azure.net.evil.example", "k", "1"), "azure_kv https://prod.vault.azure.net.evil.example/keys/k"},
		{"no dot", list, entry("https://evilvault.azure.net", "k", "1"), "azure_kv https://evilvault.azure.net/keys/k"},
		{"plain HTTP", list, entry("http://prod.vault.azure.net", "k", "1"), "azure_kv http://prod.vault.azure.net/keys/k"},
		{"port", list, entry(prod+":8443", "k", "1"), "azure_kv " + prod + ":8443/keys/k"},
		{"the host in the key", list, entry("https://evil.example", "x.vault.azure.net", "1"), "azure_kv https://evil.example/keys/x.vault.azure.net"},
	}
	for _, e := range []AzureKVEntry{
		entry("https://evil.example/x.vault.azure.net", "k", "1"), entry("https://evil.example?.vault.azure.net", "k", "1"),
		entry("https://evil.example#.vault.azure.net", "k", "1"), entry("https://x.vault.azure.net@evil.example", "k", "1"),
		entry("https://evil.example:80@x.vault.azure.net", "k", "1"), entry(`https://evil.example\.vault.azure.net`, "k", "1"),
		entry("prod.vault.azure.net", "k", "1"), entry("", "k", "1"), entry(prod, "", "1"), entry(prod, "..", "1"), entry(prod, "a/b", "1"),
		entry(prod, "a/../b", "1"), entry(prod, "k?", "1"), entry(prod, "%2e%2e", "1"), entry(prod, "k", ".."), entry(prod, "k", "../../secrets/x"),
		entry(prod, "k", "1/2"), entry(prod, "k", "1?x"), entry(prod, "k", "%2f"), entry(prod, "k", "/"),
	} {
		tests = append(tests, checkTest{"malformed " + e.ID(), "azure_kv=* " + list, e, "!azure_kv " + e.VaultURL + "/keys/" + e.Name})
	}
	runCheckTests(t, tests)
}
