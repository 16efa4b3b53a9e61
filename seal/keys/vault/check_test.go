// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/seal/keys"
)

const goodEnc = "vault:v1:AAAA"

const (
	address = "https://vault.example.com:8200"
	engine  = "transit"
	key     = "app"
)

// checkTest is a name of a key, and what of it is malformed, if anything.
type checkTest struct {
	name, address, engine, key string
	want                       string
}

func (tt checkTest) run(t *testing.T) {
	err := Check(keys.VaultEntry{Address: tt.address, EnginePath: tt.engine, KeyName: tt.key})
	if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want+" is malformed") {
		t.Errorf("got %v, want %q", err, tt.want)
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []checkTest{
		{"plain", address, engine, key, ""},
		{"without port", "https://vault.example.com", engine, key, ""},
		{"slash", address + "/", engine, key, ""},
		{"http", "http://127.0.0.1:8200", engine, key, ""},
		{"IPv6", "https://[::1]:8200", engine, key, ""},
		{"nested", address, "team-a/b.c/transit_1", "K", ""},
		{"key", address, engine, "0a.b-c_", ""},

		{"no address", "", engine, key, "vault_address"},
		{"no scheme", "vault.example.com:8200", engine, key, "vault_address"},
		{"other scheme", "unix:///run/vault.sock", engine, key, "vault_address"},
		{"no host", "https://", engine, key, "vault_address"},
		{"port only", "https://:8200", engine, key, "vault_address"},
		{"user", "https://vault.example.com@evil.example", engine, key, "vault_address"},
		{"password", "https://a:b@vault.example.com", engine, key, "vault_address"},
		{"path", address + "/v1", engine, key, "vault_address"},
		{"two slashes", address + "//", engine, key, "vault_address"},
		{"query", address + "?x", engine, key, "vault_address"},
		{"fragment", address + "#x", engine, key, "vault_address"},
		{"empty port", "https://vault.example.com:", engine, key, "vault_address"},
		{"port 0", "https://vault.example.com:0", engine, key, "vault_address"},
		{"large port", "https://vault.example.com:65536", engine, key, "vault_address"},
		{"capitals in the scheme", "HTTPS://vault.example.com", engine, key, "vault_address"},
		{"other letters", "https://vault.exämple.com", engine, key, "vault_address"},
		{"escape", "https://vault%2eexample.com", engine, key, "vault_address"},
		{"backslash", `https://vault.example.com\@evil.example`, engine, key, "vault_address"},
		{"zone", "https://[fe80::1%25eth0]", engine, key, "vault_address"},
		{"white space", " " + address, engine, key, "vault_address"},
		{"line break", address + "\n", engine, key, "vault_address"},
		{"long host", "https://" + strings.Repeat("a", 300), engine, key, "vault_address"},
	} {
		t.Run(tt.name, tt.run)
	}
}

// No engine and no key leads to another path than its own.
func TestCheckPath(t *testing.T) {
	for _, tt := range []checkTest{
		{"no engine", address, "", key, "engine_path"},
		{"up", address, "../sys", key, "engine_path"},
		{"up inside", address, "a/../sys", key, "engine_path"},
		{"dot", address, "a/./b", key, "engine_path"},
		{"empty part", address, "a//b", key, "engine_path"},
		{"slash before", address, "/transit", key, "engine_path"},
		{"slash behind", address, "transit/", key, "engine_path"},
		{"escape in engine", address, "transit%2f..", key, "engine_path"},
		{"query in engine", address, "transit?x=", key, "engine_path"},
		{"long engine", address, strings.Repeat("a", 513), key, "engine_path"},

		{"no key", address, engine, "", "key_name"},
		{"up in key", address, engine, "..", "key_name"},
		{"way up in key", address, engine, "../../sys/seal", "key_name"},
		{"slash in key", address, engine, "a/b", "key_name"},
		{"dot first", address, engine, ".a", "key_name"},
		{"dash last", address, engine, "a-", "key_name"},
		{"query in key", address, engine, "a?b", "key_name"},
		{"long key", address, engine, strings.Repeat("a", 257), "key_name"},
	} {
		t.Run(tt.name, tt.run)
	}
}

// What is not well formed has nothing called.
func TestRefuses(t *testing.T) {
	server := start(t)
	s := New(Options{})
	with := func(change func(*keys.VaultEntry)) keys.VaultEntry {
		e := app(server)
		e.Enc = goodEnc
		change(&e)
		return e
	}
	enc := func(text string) keys.VaultEntry { return with(func(e *keys.VaultEntry) { e.Enc = text }) }
	for name, e := range map[string]keys.VaultEntry{
		"address": with(func(e *keys.VaultEntry) { e.Address += "/x" }),
		"engine":  with(func(e *keys.VaultEntry) { e.EnginePath = "transit/.." }),
		"key":     with(func(e *keys.VaultEntry) { e.KeyName = "../encrypt/app" }),
	} {
		_, err := s.Wrap(t.Context(), e, []byte(testSecret))
		if call := mustFail(t, err, "is malformed"); !call.Permanent || call.Operation != keys.Wrapping {
			t.Errorf("%s: got %+v", name, call)
		}
		_, err = s.Unwrap(t.Context(), e)
		if call := mustFail(t, err, "is malformed"); !call.Permanent || call.Operation != keys.Unwrapping {
			t.Errorf("%s: got %+v", name, call)
		}
	}
	for _, secret := range []string{"", testSecret[1:], testSecret + "xx"} {
		_, err := s.Wrap(t.Context(), app(server), []byte(secret))
		mustFail(t, err, "want 32 or 33")
	}
	for _, tt := range []struct{ enc, want string }{
		{"", "no wrapped key"},
		{strings.Repeat("A", maxEncBytes+1), "at most 8192"},
		{"AAAA", "malformed"}, {"vault:AAAA", "malformed"}, {"vault:v:AAAA", "malformed"}, {"vault:v-1:AAAA", "malformed"},
		{"vault:v+1:AAAA", "malformed"}, {"vault:v99999999999:AAAA", "malformed"}, {"vault:v1:", "malformed"},
		{"vault:v1:AAA", "malformed"}, {"vault:v1:AA==AA==", "malformed"}, {"vault:v1:AB==", "malformed"},
		{"vault:v1:AA\nAA", "malformed"}, {"vault:v1:AA-_", "malformed"}, {" " + goodEnc, "malformed"}, {goodEnc + "\n", "malformed"},
	} {
		_, err := s.Unwrap(t.Context(), enc(tt.enc))
		if call := mustFail(t, err, tt.want); !call.Permanent {
			t.Errorf("%q: got %+v", tt.enc, call)
		}
	}
	if _, err := s.Wrap(t.Context(), keys.AgeEntry{}, []byte(testSecret)); err == nil || !strings.Contains(err.Error(), `"age"`) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Unwrap(t.Context(), keys.AgeEntry{}); err == nil || !strings.Contains(err.Error(), `"age"`) {
		t.Errorf("got %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Unwrap(ended, enc(goodEnc)); !errors.Is(err, context.Canceled) || keys.Permanent(err) {
		t.Errorf("got %v", err)
	}
	if n := len(server.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// FuzzCheck: what Check accepts leads to exactly the request that it seems to.
func FuzzCheck(f *testing.F) {
	f.Add("https://vault.example.com:8200", "transit", "app", goodEnc)
	f.Add("http://[::1]/", "team/transit", "a.b-c", "vault:v12:AA==")
	f.Add("https://a@b/../c?d#e", "a/../b", "../../sys/seal", "vault:v1:")
	f.Fuzz(func(t *testing.T, address, engine, key, enc string) {
		e := keys.VaultEntry{Address: address, EnginePath: engine, KeyName: key, Enc: enc}
		if checkEnc(enc) == nil && (strings.ContainsAny(enc, " \r\n\"\\") || !strings.HasPrefix(enc, "vault:v")) {
			t.Errorf("accepted enc %q", enc)
		}
		if Check(e) != nil {
			return
		}
		text := request{entry: e, verb: "decrypt"}.url()
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		want := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/v1/" + engine + "/decrypt/" + key}
		if u.String() != want.String() || u.JoinPath().String() != text || strings.TrimSuffix(address, "/") != u.Scheme+"://"+u.Host {
			t.Errorf("%q leads to %q", text, u)
		}
	})
}
