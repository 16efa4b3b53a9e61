// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"strings"
	"testing"
)

const azureDefault = " azure_kv=https://*.vault.azure.net/** azure_kv=https://*.vault.azure.cn/**" +
	" azure_kv=https://*.vault.usgovcloudapi.net/** azure_kv=https://*.managedhsm.azure.net/**" +
	" azure_kv=https://*.managedhsm.azure.cn/** azure_kv=https://*.managedhsm.usgovcloudapi.net/**"

// TestAllowForUser has VAULT_ADDR, however odd, allow that one host or nothing.
func TestAllowForUser(t *testing.T) {
	tests := []struct{ name, address, vault string }{
		{"not set", "", ""},
		{"host", "https://vault.example.com", "https://vault.example.com/v1/**"},
		{"port and slash", "https://vault.example.com:8200/", "https://vault.example.com:8200/v1/**"},
		{"capitals", "https://Vault.Example.COM", "https://vault.example.com/v1/**"},
		{"plain HTTP", "http://127.0.0.1:8200", "http://127.0.0.1:8200/v1/**"},
		{"IPv6", "http://[::1]:8200", "http://[::1]:8200/v1/**"},
		{"pattern", "https://*", ""},
		{"pattern for all", "*", ""},
		{"pattern in a host", "https://*.example.com", ""},
		{"pattern in a path", "https://vault.example.com/**", ""},
		{"no scheme", "vault:8200", ""},
		{"other scheme", "unix:///run/vault.sock", ""},
		{"path", "https://vault.example.com/ns", ""},
		{"query", "https://vault.example.com?x", ""},
		{"user", "https://me:secret@vault.example.com", ""},
		{"no host", "https://", ""},
		{"port alone", "https://:8200", ""},
		{"space", "https://vault.example.com ", ""},
		{"two", "https://a.example,https://b.example", ""},
		{"items", "https://a.example/**\nrole=*", ""},
		{"not UTF-8", "https://\xff", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			vault := ""
			if tt.vault != "" {
				vault = " hc_vault=" + tt.vault
			}
			l := AllowForUser(tt.address)
			if want := "kms=* gcp_kms=* hckms=*" + azureDefault + vault + " pgp=* age_plugin=*"; l.String() != want {
				t.Errorf("for a user\n%s, want\n%s", l, want)
			}
			if again := allowed(t, l.String()); again.String() != l.String() {
				t.Errorf("read again: %s", again)
			}
			want := "kms=* role=* aws_profile=* gcp_kms=* hckms=*" + azureDefault + vault + " pgp=* age_plugin=*"
			if l := AllowForSealing(tt.address); l.String() != want {
				t.Errorf("for sealing\n%s, want\n%s", l, want)
			}
		})
	}
}

func TestAllowDefaults(t *testing.T) {
	user := AllowForUser("https://vault.example.com")
	sealing := AllowForSealing("https://vault.example.com")
	account := AllowForAccount("111122223333")
	const all = "user sealing account"
	tests := []struct {
		name string
		e    Entry
		who  string // for whom it is allowed
	}{
		{"age", AgeEntry{Recipient: "age1qqqq"}, all},
		{"plugin", AgeEntry{Recipient: "age1x1qqqq"}, "user sealing"},
		{"key of the account", KMSEntry{ARN: arn1}, all},
		{"alias of the account", KMSEntry{ARN: "arn:aws:kms:eu-west-1:111122223333:alias/a/b"}, all},
		{"key of the account in China", KMSEntry{ARN: "arn:aws-cn:kms:cn-north-1:111122223333:key/1"}, all},
		{"key of another account", KMSEntry{ARN: "arn:aws:kms:eu-west-1:444455556666:key/1"}, "user sealing"},
		{"the account in the key", KMSEntry{ARN: "arn:aws:kms:eu-west-1:444455556666:alias/111122223333"}, "user sealing"},
		{"no KMS key", KMSEntry{ARN: "arn:aws:iam:eu-west-1:111122223333:key/1"}, "user sealing"},
		{"longer account", KMSEntry{ARN: "arn:aws:kms:eu-west-1:1111222233334:key/1"}, "user sealing"},
		{"malformed ARN", KMSEntry{ARN: "arn:aws:kms:x@evil.example:111122223333:key/1"}, ""},
		{"role", KMSEntry{ARN: arn1, Role: role1}, "sealing"},
		{"profile", KMSEntry{ARN: arn1, AWSProfile: "prod"}, "sealing"},
		{"GCP", GCPKMSEntry{ResourceID: gcp1}, "user sealing"},
		{"Huawei", HuaweiKMSEntry{KeyID: "eu-west-101:1"}, "user sealing"},
		{"Azure", AzureKVEntry{VaultURL: "https://v.vault.azure.net", Name: "k"}, "user sealing"},
		{"Azure HSM in China", AzureKVEntry{VaultURL: "https://v.managedhsm.azure.cn/", Name: "k"}, "user sealing"},
		{"Azure's domain itself", AzureKVEntry{VaultURL: "https://azure.net", Name: "k"}, ""},
		{"other domain", AzureKVEntry{VaultURL: "https://v.vault.azure.net.evil.example", Name: "k"}, ""},
		{"Vault", VaultEntry{Address: "https://vault.example.com", EnginePath: "a/transit", KeyName: "k"}, "user sealing"},
		{"other Vault", VaultEntry{Address: "https://evil.example", EnginePath: "transit", KeyName: "k"}, ""},
		{"Vault on another port", VaultEntry{Address: "https://vault.example.com:444", EnginePath: "transit", KeyName: "k"}, ""},
		{"Vault without TLS", VaultEntry{Address: "http://vault.example.com", EnginePath: "transit", KeyName: "k"}, ""},
		{"PGP", PGPEntry{Fingerprint: "AA"}, "user sealing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for who, l := range map[string]AllowList{"user": user, "sealing": sealing, "account": account} {
				want := strings.Contains(tt.who, who)
				if err := l.Check(tt.e); (err == nil) != want {
					t.Errorf("%s: %v", who, err)
				}
			}
		})
	}
}

// TestAllowForAccount allows nothing for what is no account: it may be what
// somebody got wrong in a flag.
func TestAllowForAccount(t *testing.T) {
	if got, want := AllowForAccount("111122223333").String(), "kms=arn:*:kms:*:111122223333:**"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, account := range []string{
		"", "*", "**", "11112222333", "1111222233334", "11112222333*", "11112222333x", " 11112222333", "111122223333 ",
		"111122223333:**,role=*", "\xff", "\u0661\u0661\u0661\u0661\u0661\u0661", "arn:aws:iam::111122223333:root",
	} {
		l := AllowForAccount(account)
		if l.String() != "" || l.Check(KMSEntry{ARN: arn1}) == nil || l.Check(KMSEntry{ARN: "arn:aws:kms:eu-west-1::key/1"}) == nil {
			t.Errorf("%q allows %q", account, l)
		}
	}
}
