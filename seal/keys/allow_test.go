// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"errors"
	"strings"
	"testing"
)

// allowed parses an allow-list without defaults.
func allowed(t testing.TB, text string) AllowList {
	t.Helper()
	l, err := ParseAllowList(text, AllowList{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestParseAllowList(t *testing.T) {
	defaults := allowed(t, "pgp=AA kms=arn:default")
	tests := []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"white space", " \t\r\n , ,,\n", ""},
		{"one", "kms=arn:aws:kms:*:111122223333:key/*", "kms=arn:aws:kms:*:111122223333:key/*"},
		{"commas", "pgp=AA,pgp=BB", "pgp=AA pgp=BB"},
		{"commas and spaces", "pgp=AA , pgp=BB,", "pgp=AA pgp=BB"},
		{"lines", "pgp=AA\npgp=BB\r\npgp=CC\n", "pgp=AA pgp=BB pgp=CC"},
		{"no-break space", "pgp=AA\u00a0pgp=BB", "pgp=AA pgp=BB"},
		{"comment", "# pgp=AA\npgp=BB # pgp=CC, pgp=DD\npgp=EE", "pgp=BB pgp=EE"},
		{"comment without a space", "pgp=AA#pgp=BB", "pgp=AA"},
		{"key in a comment", "# AGE-SECRET-KEY-1QQQ\npgp=AA", "pgp=AA"},
		{"sorted by kind", "age_plugin=x pgp=AA role=r kms=k", "kms=k role=r pgp=AA age_plugin=x"},
		{"all kinds", "kms=1 role=2 aws_profile=3 gcp_kms=4 hckms=5 azure_kv=https://6/ hc_vault=http://7/ pgp=8 age_plugin=9",
			"kms=1 role=2 aws_profile=3 gcp_kms=4 hckms=5 azure_kv=https://6/ hc_vault=http://7/ pgp=8 age_plugin=9"},
		{"= in the pattern", "role=arn:a=b", "role=arn:a=b"},
		{"twice", "pgp=AA pgp=AA", "pgp=AA pgp=AA"},
		{"default", "default", "kms=arn:default pgp=AA"},
		{"default and more", "pgp=BB,default", "kms=arn:default pgp=BB pgp=AA"},
		{"everything", "hc_vault=* azure_kv=**", "azure_kv=** hc_vault=*"},
		{"host in capitals", "hc_vault=https://Vault.Example.COM:8200/v1/Team/**", "hc_vault=https://vault.example.com:8200/v1/Team/**"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := ParseAllowList(tt.text, defaults)
			if err != nil {
				t.Fatal(err)
			}
			if l.String() != tt.want {
				t.Errorf("got %q, want %q", l, tt.want)
			}
			again, err := ParseAllowList(l.String(), AllowList{})
			if err != nil || again.String() != l.String() {
				t.Errorf("read again: %q, %v", again, err)
			}
		})
	}
	if defaults.String() != "kms=arn:default pgp=AA" {
		t.Errorf("the defaults have changed: %s", defaults)
	}
}

func TestParseAllowListErrors(t *testing.T) {
	const (
		identity = "AGE-SECRET-KEY-1QQQSECRETQQQSECRETQQQSECRETQQQSECRETQQQSECRETQQQSECRETQ"
		rawKey   = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlYzE="
		kinds    = "kms, role, aws_profile, gcp_kms, azure_kv, hc_vault, pgp, age_plugin"
	)
	tests := []struct{ name, text, want string }{
		{"no kind", "pgp=AA foo", "allow-list: foo: want <kind>=<pattern> or default"},
		{"star", "*", "allow-list: *: want <kind>=<pattern> or default"},
		{"bare ARN", "arn:aws:kms:eu-west-1:111122223333:key/*",
			"allow-list: arn:aws:kms:eu-west-1:111122223333:key/*: say of what kind it is, as in kms=arn:..."},
		{"typo", "kns=x", "allow-list: kns=x: unknown kind, did you mean kms?"},
		{"another kind", "foo=x", "allow-list: foo=x: unknown kind, there are " + kinds},
		{"profile", "aws-profile=x", "allow-list: aws-profile=x: unknown kind, did you mean aws_profile?"},
		{"age", "age=age1abc", "allow-list: age=age1abc: age keys need no item: they cause no call (plugins do: age_plugin=NAME)"},
		{"Default", "Default", "allow-list: Default: want <kind>=<pattern> or default"},
		{"default with a value", "default=x", "allow-list: default=x: unknown kind, there are " + kinds},
		{"no pattern", "kms=", "allow-list: kms=: no pattern after ="},
		{"no kind before =", "=x", "allow-list: =x: unknown kind, there are " + kinds},
		{"not UTF-8", "kms=\xff", "allow-list: kms=?: holds what cannot be printed"},
		{"control character", "kms=a\x00b", "allow-list: kms=a?b: holds what cannot be printed"},
		{"zero-width space", "kms=arn\u200b:x", "allow-list: kms=arn?:x: holds what cannot be printed"},
		{"byte order mark", "\ufeffkms=x", "allow-list: ?kms=x: holds what cannot be printed"},
		{"private key", identity, "allow-list: ...: a private key does not belong here"},
		{"private key as a pattern", "age_plugin=" + identity, "allow-list: ...: a private key does not belong here"},
		{"private key in small letters", strings.ToLower("kms=" + identity), "allow-list: ...: a private key does not belong here"},
		{"PEM", "-----BEGIN PRIVATE KEY-----\n" + rawKey + "\n", "allow-list: (a private key): a private key does not belong here"},
		{"raw key", rawKey, "allow-list: ...: unknown kind, there are " + kinds},
		{"Vault host alone", "hc_vault=vault.example.com", "allow-list: hc_vault=vault.example.com: want a URL, as in https://<host>/**"},
		{"Vault URL without a path", "hc_vault=https://vault.example.com:8200",
			"allow-list: hc_vault=https://vault.example.com:8200: want a URL, as in https://<host>/**"},
		{"URL without a host", "hc_vault=https:///v1/**", "allow-list: hc_vault=https:///v1/**: want a URL, as in https://<host>/**"},
		{"any scheme", "hc_vault=*://vault.example.com/**", "allow-list: hc_vault=*://vault.example.com/**: want a URL, as in https://<host>/**"},
		{"** in the host", "azure_kv=https://**.vault.azure.net/**",
			"allow-list: azure_kv=https://**.vault.azure.net/**: ** in the place of the host would let any host pass"},
		{"** after the host", "hc_vault=https://vault.example.com**/",
			"allow-list: hc_vault=https://vault.example.com**/: ** in the place of the host would let any host pass"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := ParseAllowList(tt.text, AllowList{})
			bad := new(AllowListError)
			if !errors.As(err, &bad) || err.Error() != tt.want {
				t.Fatalf("got  %v\nwant %s", err, tt.want)
			}
			if len(l.patterns) > 0 {
				t.Errorf("there is a list with the error: %v", l)
			}
			for _, secret := range []string{identity[20:40], strings.ToLower(identity[20:40]), rawKey[:20]} {
				if strings.Contains(bad.Item+bad.Reason+err.Error(), secret) {
					t.Errorf("a key is shown: %+v", bad)
				}
			}
		})
	}
}

// TestAllowListZero has everything refused that causes a call.
func TestAllowListZero(t *testing.T) {
	for _, e := range allEntries() {
		err := AllowList{}.Check(e)
		if age := e.Type() == Age; age != (err == nil) {
			t.Errorf("%s: %v", e.Type(), err)
		}
	}
	if got := (AllowList{}).String(); got != "" {
		t.Errorf("got %q", got)
	}
}

// allEntries holds a well-formed entry of each type.
func allEntries() []Entry {
	return []Entry{
		AgeEntry{Recipient: "age1qqqq", Enc: "x"},
		KMSEntry{ARN: arn1, Enc: "x"},
		GCPKMSEntry{ResourceID: gcp1, Enc: "x"},
		HuaweiKMSEntry{KeyID: "eu-west-101:1111", Enc: "x"},
		AzureKVEntry{VaultURL: "https://v.vault.azure.net", Name: "k", Version: "1", Enc: "x"},
		VaultEntry{Address: "https://vault.example.com", EnginePath: "transit", KeyName: "k", Enc: "x"},
		PGPEntry{Fingerprint: "AA", Enc: "x"},
	}
}

func TestNotAllowedError(t *testing.T) {
	kms := KMSEntry{ARN: arn1, Role: role1}
	tests := []struct {
		name       string
		err        NotAllowedError
		text, item string
	}{
		{"key", NotAllowedError{Entry: kms, Kind: AllowKMS, Value: arn1}, "kms " + arn1 + " is not in the allow-list", "kms=" + arn1},
		{"role", NotAllowedError{Entry: kms, Kind: AllowRole, Value: role1},
			"kms " + arn1 + ": role " + role1 + " is not in the allow-list", "role=" + role1},
		{"malformed", NotAllowedError{Entry: kms, Kind: AllowRole, Value: "x", Malformed: true}, "kms " + arn1 + ": role x is malformed", ""},
		{"plugin", NotAllowedError{Entry: AgeEntry{Recipient: "age1x1qq"}, Kind: AllowPlugin, Value: "x"},
			"age age1x1qq: age_plugin x is not in the allow-list", "age_plugin=x"},
		{"pattern", NotAllowedError{Entry: kms, Kind: AllowProfile, Value: "*"}, "kms " + arn1 + ": aws_profile * is not in the allow-list", ""},
		{"two items", NotAllowedError{Entry: kms, Kind: AllowProfile, Value: "a,role=*"},
			"kms " + arn1 + ": aws_profile a,role=* is not in the allow-list", ""},
		{"comma", NotAllowedError{Entry: kms, Kind: AllowProfile, Value: "a,default"}, "kms " + arn1 + ": aws_profile a,default is not in the allow-list", ""},
		{"comment", NotAllowedError{Entry: kms, Kind: AllowProfile, Value: "a#b"}, "kms " + arn1 + ": aws_profile a#b is not in the allow-list", ""},
		{"space", NotAllowedError{Entry: kms, Kind: AllowProfile, Value: "a b"}, "kms " + arn1 + ": aws_profile a b is not in the allow-list", ""},
		{"quote", NotAllowedError{Entry: kms, Kind: AllowProfile, Value: "a'b"}, "kms " + arn1 + ": aws_profile a'b is not in the allow-list", ""},
		{"line", NotAllowedError{Entry: kms, Kind: AllowProfile, Value: "a\nrole=x"},
			"kms " + arn1 + `: aws_profile "a\nrole=x" is not in the allow-list`, ""},
		{"terminal", NotAllowedError{Entry: kms, Kind: AllowProfile, Value: "\x1b[2J"}, "kms " + arn1 + `: aws_profile "\x1b[2J" is not in the allow-list`, ""},
		{"other letters", NotAllowedError{Entry: kms, Kind: AllowProfile, Value: "\u0430dmin"}, "kms " + arn1 + ": aws_profile \u0430dmin is not in the allow-list", ""},
		{"nothing", NotAllowedError{Entry: PGPEntry{}, Kind: AllowPGP}, "pgp  is not in the allow-list", ""},
		{"private key", NotAllowedError{Entry: kms, Kind: AllowProfile, Value: "AGE-SECRET-KEY-1QQ"},
			"kms " + arn1 + ": aws_profile (a private key) is not in the allow-list", ""},
		{"long", NotAllowedError{Entry: kms, Kind: AllowProfile, Value: strings.Repeat("x", 1000)},
			"kms " + arn1 + ": aws_profile " + strings.Repeat("x", 200) + "... is not in the allow-list", "aws_profile=" + strings.Repeat("x", 1000)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.err.Error() != tt.text {
				t.Errorf("got  %s\nwant %s", tt.err.Error(), tt.text)
			}
			if tt.err.Item() != tt.item {
				t.Errorf("item %q, want %q", tt.err.Item(), tt.item)
			}
		})
	}
}

// TestItemAllows adds the item of each error to the list, as a user would, and
// expects that to allow the entry and no other.
func TestItemAllows(t *testing.T) {
	for _, e := range append(allEntries(), KMSEntry{ARN: arn1, Role: role1, AWSProfile: "prod"}, AgeEntry{Recipient: "age1x1qq"}) {
		list := ""
		for range 4 {
			err := allowed(t, list).Check(e)
			if err == nil {
				break
			}
			list += " " + err.(*NotAllowedError).Item()
		}
		l := allowed(t, list)
		if err := l.Check(e); err != nil {
			t.Errorf("%v with %s", err, list)
		}
		if strings.Contains(l.String(), "*") {
			t.Errorf("allows more: %s", l)
		}
	}
}
