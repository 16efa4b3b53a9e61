// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/seal/keys"
)

func TestCheckAccepts(t *testing.T) {
	for _, e := range []keys.AzureKVEntry{
		documents(""),
		documents(newVersion),
		{VaultURL: "https://a-1.vault.azure.cn/", Name: "A-1"},
		{VaultURL: "https://hsm.managedhsm.usgovcloudapi.net", Name: strings.Repeat("k", 127)},
		{VaultURL: "https://v.vault.region.stack.example.com", Name: "k"},
	} {
		if err := Check(e); err != nil {
			t.Errorf("%s: %v", e.ID(), err)
		}
	}
	// One vault is one host to those who compare and remember it.
	k, err := parseKey(keys.AzureKVEntry{VaultURL: "https://Signet-Demo.Vault.Azure.Net/", Name: "documents"})
	if err != nil || k.host != testHost {
		t.Errorf("host is %q, %v", k.host, err)
	}
}

// malformed are entries that must not become part of a request.
func malformed() map[string]keys.AzureKVEntry {
	all := map[string]keys.AzureKVEntry{}
	for name, url := range map[string]string{
		"no vault":          "",
		"http":              "http://signet-demo.vault.azure.net",
		"upper-case scheme": "HTTPS://signet-demo.vault.azure.net",
		"no host":           "https://",
		"no scheme":         "signet-demo.vault.azure.net",
		"port":              testVault + ":443",
		"user":              "https://user@signet-demo.vault.azure.net",
		"path":              testVault + "/keys",
		"two slashes":       testVault + "//",
		"query":             testVault + "?x",
		"fragment":          testVault + "#x",
		"backslash":         `https://evil.example\.vault.azure.net`,
		"escape":            "https://evil%2evault.azure.net",
		"space":             testVault + " ",
		"line break":        testVault + "\n",
		"not ASCII":         "https://sígnet.vault.azure.net",
		"IPv4":              "https://169.254.169.254",
		"IPv6":              "https://[::1]",
		"number":            "https://0.0.0.0x7f",
		"localhost":         "https://localhost",
		"two labels":        "https://vault.net",
		"empty label":       "https://signet-demo..vault.azure.net",
		"dot at the end":    testVault + ".",
		"dot before":        "https://.vault.azure.net",
		"hyphen":            "https://-demo.vault.azure.net",
		"long label":        "https://" + strings.Repeat("a", 64) + ".vault.azure.net",
		"long host":         "https://" + strings.Repeat("a.", 130) + "net",
		"shell":             "https://$(id).vault.azure.net",
	} {
		e := documents(newVersion)
		e.VaultURL = url
		all["vault: "+name] = e
	}
	for name, key := range map[string]string{
		"none": "", "dots": "..", "slash": "a/b", "under score": "a_b", "long": strings.Repeat("k", 128),
		"query": "a?b", "escape": "a%2f", "not ASCII": "ä", "line break": "a\n",
	} {
		e := documents(newVersion)
		e.Name = key
		all["name: "+name] = e
	}
	for name, version := range map[string]string{
		"short": "0", "long": newVersion + "0", "dots": strings.Repeat(".", 32), "slash": strings.Repeat("/", 32), "hyphen": strings.Repeat("-", 32),
	} {
		all["version: "+name] = documents(version)
	}
	return all
}

// What is malformed causes no call, and the error repeats nothing of it.
func TestMalformedEntriesMakeNoCall(t *testing.T) {
	a := newAzure(t)
	s := newService(t, a, Options{})
	good := wrap(t, s, documents(newVersion), patterned(32))
	before := a.count()
	check := func(t *testing.T, err error) {
		t.Helper()
		if call := callError(t, err); !call.Permanent || call.Hint != "" {
			t.Errorf("permanent is %v, hint %q", call.Permanent, call.Hint)
		}
		if n := a.count(); n != before {
			t.Errorf("%d requests were made", n-before)
		}
	}
	for name, e := range malformed() {
		t.Run(name, func(t *testing.T) {
			if Check(e) == nil {
				t.Error("Check accepts it")
			}
			_, err := s.Wrap(t.Context(), e, patterned(32))
			check(t, err)
			e.Enc = good.Enc
			_, err = s.Unwrap(t.Context(), e)
			check(t, err)
		})
	}
	for name, enc := range map[string]string{
		"empty":           "",
		"not base64":      "not base64!",
		"standard base64": "+/+/",
		"padding":         base64.URLEncoding.EncodeToString(make([]byte, 256)),
		"trailing bits":   "AAB",
		"line break":      good.Enc[:20] + "\n" + good.Enc[20:],
		"space":           good.Enc + " ",
		"too long":        strings.Repeat("A", maxEncBytes+4),
	} {
		t.Run("enc: "+name, func(t *testing.T) {
			e := documents(newVersion)
			e.Enc = enc
			_, err := s.Unwrap(t.Context(), e)
			check(t, err)
		})
	}
	for name, secret := range map[string][]byte{"none": nil, "short": patterned(31), "long": patterned(34)} {
		t.Run("secret: "+name, func(t *testing.T) {
			_, err := s.Wrap(t.Context(), documents(""), secret)
			check(t, err)
		})
	}
	t.Run("other type", func(t *testing.T) {
		if _, err := s.Wrap(t.Context(), keys.AgeEntry{}, patterned(32)); err == nil || a.count() != before {
			t.Errorf("got %v after %d requests", err, a.count()-before)
		}
		if _, err := s.Unwrap(t.Context(), keys.AgeEntry{}); err == nil || a.count() != before {
			t.Errorf("got %v after %d requests", err, a.count()-before)
		}
	})
}

// No texts make the parser accept what changes the host or path of a request.
func FuzzParseKey(f *testing.F) {
	f.Add(testVault, "documents", newVersion)
	for _, e := range malformed() {
		f.Add(e.VaultURL, e.Name, e.Version)
	}
	f.Fuzz(func(t *testing.T, vault, name, version string) {
		k, err := parseKey(keys.AzureKVEntry{VaultURL: vault, Name: name, Version: version})
		if err != nil {
			return
		}
		if !strings.EqualFold(strings.TrimSuffix(vault, "/"), k.url()) || k.name != name || k.version != version {
			t.Errorf("%q, %q, %q was read as %v", vault, name, version, k)
		}
		if strings.ContainsAny(k.host+name+version, "/\\?#@:% \n[]$`'\"") || strings.Contains(k.host+name+version, "..") {
			t.Errorf("%q, %q, %q was accepted", vault, name, version)
		}
	})
}
