// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzAllowList looks for an entry that the list lets pass although a client
// would make of it a request to another host than the one that is allowed, or
// to another path than the one that was checked.
func FuzzAllowList(f *testing.F) {
	for _, seed := range [][3]string{
		{"https://vault.example.com:8200", "transit", "k"},
		{"https://VAULT.example.com:8200/", "/a/b/", "k-1.2_3"},
		{"https://vault.example.com:8200@evil.example", "transit", "k"},
		{"https://vault.example.com:8200.evil.example", "transit", "k"},
		{"https://evil.example#@vault.example.com:8200", "..", "k/../.."},
		{"https://evil.example?@vault.example.com:8200", "%2e%2e", "?k"},
		{`https://evil.example\@vault.example.com:8200/`, "a//b", "k;x"},
		{"https://prod.vault.azure.net", "k", "0123456789abcdef"},
		{"https://prod.vault.azure.net:443", "k", "../../secrets/x"},
		{"arn:aws:kms:eu-west-1:111122223333:key/1", "arn:aws:iam::111122223333:role/sops", "prod"},
		{"arn:aws:kms:evil.example/:111122223333:key/1", "*", "*"},
		{"projects/p/locations/l", "..", "\xff"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	vault := allowed(f, "hc_vault=https://vault.example.com:8200/**")
	azure := allowed(f, "azure_kv=https://prod.vault.azure.net/**")
	account := AllowForAccount("111122223333")
	gcp := allowed(f, "gcp_kms=projects/p/**")
	none := AllowForUser("") // made once: compiling the patterns is what takes time
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if vault.Check(VaultEntry{Address: a, EnginePath: b, KeyName: c}) == nil {
			sent(t, a, path.Join("/v1", b, "decrypt", c), "vault.example.com:8200", "/v1/"+strings.Trim(b, "/")+"/decrypt/"+c)
		}
		if azure.Check(AzureKVEntry{VaultURL: a, Name: b, Version: c}) == nil {
			sent(t, strings.TrimSuffix(a, "/"), "/keys/"+url.PathEscape(b)+"/"+url.PathEscape(c)+"/decrypt", "prod.vault.azure.net",
				"/keys/"+b+"/"+c+"/decrypt")
		}
		if account.Check(KMSEntry{ARN: a, Role: b, AWSProfile: c}) == nil {
			parts := strings.Split(a, ":")
			if b != "" || c != "" || len(parts) != 6 || parts[4] != "111122223333" {
				t.Fatalf("%q, %q, %q may be used", a, b, c)
			}
			sent(t, "https://kms."+parts[3]+".amazonaws.com", "/", "kms."+parts[3]+".amazonaws.com", "/")
		}
		if gcp.Check(GCPKMSEntry{ResourceID: a}) == nil {
			sent(t, "https://cloudkms.googleapis.com", "/v1/"+a, "cloudkms.googleapis.com", "/v1/"+a)
			if p := path.Clean(a); p != a || !strings.HasPrefix(p, "projects/p/") {
				t.Fatalf("%q may be used", a)
			}
		}
		checkList(t, none, a, b, c)
	})
}

// sent makes a request of an address and a path as clients do, and tells where
// it would go.
func sent(t *testing.T, address, below, host, path string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, strings.TrimSuffix(address, "/")+below, nil)
	if err != nil {
		t.Fatalf("%q%q passes and is no URL: %v", address, below, err)
	}
	u := req.URL
	if u.Scheme != "https" || !strings.EqualFold(u.Host, host) || u.User != nil || u.Path != path || u.EscapedPath() != path || u.RawQuery != "" || u.Fragment != "" {
		t.Fatalf("%q, %q passes and leads to %q", address, below, u)
	}
}

// checkList takes the fuzzer's texts for a list and for what it is asked.
func checkList(t *testing.T, defaults AllowList, text, pattern, value string) {
	if strings.Contains(value, "://") {
		defaults = AllowForUser(value)
	}
	l, err := ParseAllowList(text+"\npgp="+pattern, defaults)
	if err != nil {
		if msg := err.Error(); !utf8.ValidString(msg) || strings.Contains(msg, "\n") {
			t.Fatalf("error %q", msg)
		}
		return
	}
	again, err := ParseAllowList(l.String(), AllowList{})
	if err != nil || again.String() != l.String() {
		t.Fatalf("%q read again: %q, %v", l, again, err)
	}
	e := KMSEntry{ARN: arn1, AWSProfile: value}
	err = allowed(t, "kms=*").Check(e)
	if value == "" || err == nil {
		return
	}
	item := err.(*NotAllowedError).Item()
	if item == "" {
		return
	}
	l, err = ParseAllowList(item, AllowList{})
	if err != nil || l.String() != item || len(l.patterns) != 1 || l.allows(AllowProfile, value+"x") || len(value) <= maxAllowedBytes && !l.allows(AllowProfile, value) {
		t.Fatalf("item %q allows %v, %v", item, l, err)
	}
}
