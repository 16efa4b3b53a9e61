// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/vaulttest"
	"github.com/signet-secrets/signet/seal/keys"
)

// The token is that of VAULT_TOKEN, else of ~/.vault-token, as of the moment of
// the call.
func TestToken(t *testing.T) {
	server := start(t)
	file := filepath.Join(os.Getenv("HOME"), ".vault-token")
	s := New(Options{})
	used := func() string {
		t.Helper()
		if _, err := s.Wrap(t.Context(), app(server), []byte(testSecret)); err != nil {
			t.Error(err)
		}
		return server.Requests()[len(server.Requests())-1].Token
	}
	first, second := server.NewToken(appPolicy()), server.NewToken(appPolicy())
	writeFile(t, file, []byte(" "+first+"\n"))
	if got := used(); got != vaulttest.RootToken {
		t.Errorf("got %q with %s", got, envToken)
	}
	t.Setenv(envToken, "")
	if got := used(); got != first {
		t.Errorf("got %q with a file", got)
	}
	writeFile(t, file, []byte(second))
	if got := used(); got != second {
		t.Errorf("got %q with a new file", got)
	}
}

func appPolicy() map[string][]string {
	return map[string][]string{"transit/encrypt/app": {"update"}, "transit/decrypt/app": {"update"}}
}

// Without a token the server is asked all the same, since an agent may add one.
func TestNoToken(t *testing.T) {
	server := start(t)
	good := wrap(t, app(server))
	t.Setenv(envToken, "")
	t.Setenv(envAgentAddr, "http://127.0.0.1:1")
	before := len(server.Requests())
	_, err := New(Options{Address: "https://vault.example.com/"}).Unwrap(t.Context(), good)
	c := mustFail(t, err, "there is no token: looked in VAULT_TOKEN (not set), ~/.vault-token (not there)")
	if !c.Permanent || !errors.Is(err, keys.ErrNoIdentity) {
		t.Errorf("got %+v", c)
	}
	for _, want := range []string{"vault login -address=" + server.URL, "the one for https://vault.example.com,", envAgentAddr + " is not followed"} {
		if !strings.Contains(c.Hint, want) {
			t.Errorf("no %q in %q", want, c.Hint)
		}
	}
	requests := server.Requests()[before:]
	if len(requests) != 1 || requests[0].Header["X-Vault-Token"] != nil {
		t.Errorf("got %+v", requests)
	}
	server.Answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"data":{"ciphertext":"vault:v1:AAAA"}}`)) // as an agent would
	})
	if _, err := New(Options{}).Wrap(t.Context(), good, []byte(testSecret)); err != nil {
		t.Error(err)
	}
}

// Settings that cannot be used are named, and nothing of them is shown.
func TestBadSettings(t *testing.T) {
	server := start(t)
	good := wrap(t, app(server))
	missing := filepath.Join(t.TempDir(), "missing")
	noPEM := writeFile(t, filepath.Join(t.TempDir(), "dir", "file"), []byte("canary"))
	tests := []struct {
		name string
		set  []string // names and values
		want string
	}{
		{"token with line break", []string{envToken, "hvs.EXAMPLE\ncanary"}, "VAULT_TOKEN: holds a character that is in no token"},
		{"no CA file", []string{envCACert, missing}, "VAULT_CACERT: no such file"},
		{"no CA in file", []string{envCACert, noPEM}, "VAULT_CACERT: holds no PEM certificate"},
		{"no CA", []string{envCACertText, "canary"}, "VAULT_CACERT_BYTES: holds no PEM certificate"},
		{"no CA directory", []string{envCAPath, missing}, "VAULT_CAPATH: no such file"},
		{"no CA in directory", []string{envCAPath, filepath.Dir(noPEM)}, "VAULT_CAPATH: holds no PEM certificate"},
		{"certificate without key", []string{envClientCert, noPEM}, "VAULT_CLIENT_CERT and VAULT_CLIENT_KEY: must be set both"},
		{"no certificate file", []string{envClientCert, missing, envClientKey, noPEM}, "VAULT_CLIENT_CERT or VAULT_CLIENT_KEY: no such file"},
		{"no certificate", []string{envClientCert, noPEM, envClientKey, noPEM}, "VAULT_CLIENT_CERT or VAULT_CLIENT_KEY: hold no"},
		{"skip verify", []string{envSkipVerify, "canary"}, "VAULT_SKIP_VERIFY: is neither"},
		{"proxy", []string{envProxyAddr, "canary"}, "VAULT_PROXY_ADDR: is no URL"},
		{"older proxy", []string{envHTTPProxy, "://canary"}, "VAULT_HTTP_PROXY: is no URL"},
		{"namespace", []string{envNamespace, "canary\r\nX: y"}, "VAULT_NAMESPACE: is no name"},
		{"headers", []string{envHeaders, "canary"}, "VAULT_HEADERS: is no JSON"},
		{"header of Vault", []string{envHeaders, `{"x-vault-token":"canary"}`}, "VAULT_HEADERS: has a header that cannot be sent"},
		{"header with line break", []string{envHeaders, `{"A":"canary\nB: c"}`}, "VAULT_HEADERS: has a header that cannot be sent"},
		{"allow-list", []string{envAllowlist, "https://a.example,,"}, "SOPS_HC_VAULT_ALLOWLIST: has an empty item"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for i := 0; i < len(tt.set); i += 2 {
				t.Setenv(tt.set[i], tt.set[i+1])
			}
			checkSetting(t, server, good, tt.want)
		})
	}
	t.Setenv(envToken, "")
	file := filepath.Join(os.Getenv("HOME"), ".vault-token")
	writeFile(t, file, []byte(strings.Repeat("a", maxTokenBytes+1)))
	checkSetting(t, server, good, "~/.vault-token: is larger than 65536 bytes")
	writeFile(t, file, []byte("two words"))
	checkSetting(t, server, good, "~/.vault-token: holds a character")
	os.Remove(file)
	os.Mkdir(file, 0o700)
	checkSetting(t, server, good, "~/.vault-token: is a directory")
}

func checkSetting(t *testing.T, server *vaulttest.Server, e keys.VaultEntry, want string) {
	t.Helper()
	before := len(server.Requests())
	_, err := New(Options{}).Unwrap(t.Context(), e)
	c := mustFail(t, err, want)
	if place, _, _ := strings.Cut(want, ":"); !c.Permanent || !strings.HasPrefix(c.Hint, "correct "+place) {
		t.Errorf("got %+v", c)
	}
	if n := len(server.Requests()) - before; n != 0 {
		t.Errorf("%d requests", n)
	}
}

// What surrounds Vault is taken from the environment, where a request goes to is not.
func TestEnvironment(t *testing.T) {
	server := start(t)
	elsewhere := vaulttest.Start(t)
	t.Run("addresses", func(t *testing.T) {
		t.Setenv("VAULT_ADDR", elsewhere.URL)
		t.Setenv(envAgentAddr, elsewhere.URL)
		wrap(t, app(server))
		if n := len(elsewhere.Requests()); n != 0 {
			t.Errorf("%d requests to another address", n)
		}
	})
	t.Run("headers", func(t *testing.T) {
		t.Setenv(envHeaders, `{"cf-access-client-id":"1","User-Agent":"x"}`)
		wrap(t, app(server))
		h := server.Requests()[len(server.Requests())-1].Header
		if h.Get("Cf-Access-Client-Id") != "1" || h.Get("User-Agent") != "x" || h.Get("X-Vault-Request") != "true" {
			t.Errorf("got %v", h)
		}
	})
	t.Run("namespace", func(t *testing.T) {
		server.SetNamespace("team")
		defer server.SetNamespace("")
		_, err := New(Options{}).Wrap(t.Context(), app(server), []byte(testSecret))
		mustFail(t, err, "404")
		t.Setenv(envNamespace, "team/")
		wrap(t, app(server))
		_, err = New(Options{}).Unwrap(t.Context(), withEnc(keys.VaultEntry{Address: server.URL, EnginePath: "none", KeyName: "app"}, goodEnc))
		if c := mustFail(t, err, "404"); !strings.HasSuffix(c.Hint, ", in the namespace team/") {
			t.Errorf("got %q", c.Hint)
		}
	})
	for _, name := range []string{envProxyAddr, envHTTPProxy} {
		t.Run(name, func(t *testing.T) {
			seen := make(chan string, 9)
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen <- r.URL.String()
				w.WriteHeader(http.StatusTeapot)
			}))
			defer proxy.Close()
			t.Setenv(name, proxy.URL)
			_, err := New(Options{}).Wrap(t.Context(), app(server), []byte(testSecret))
			mustFail(t, err, "418")
			if got := <-seen; got != server.URL+"/v1/transit/encrypt/app" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// The allow-list of SOPS takes away what it takes away from SOPS.
func TestAllowlist(t *testing.T) {
	server := start(t)
	tests := []struct {
		name, list string
		allowed    bool
	}{
		{"not set", "", true},
		{"all", "all", true},
		{"none", "none", false},
		{"the server", server.URL, true},
		{"the server, slash", server.URL + "/", true},
		{"among others", "https://a.example, " + server.URL + " ", true},
		{"another one", "https://a.example", false},
		{"beginning of the port", server.URL[:len(server.URL)-1], false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(envAllowlist, tt.list)
			before := len(server.Requests())
			_, err := New(Options{}).Wrap(t.Context(), app(server), []byte(testSecret))
			if tt.allowed {
				if err != nil {
					t.Error(err)
				}
				return
			}
			c := mustFail(t, err, "the server is not in SOPS_HC_VAULT_ALLOWLIST")
			if !c.Permanent || !strings.Contains(c.Hint, "add "+server.URL+" to SOPS_HC_VAULT_ALLOWLIST") || len(server.Requests()) != before {
				t.Errorf("got %+v", c)
			}
		})
	}
}

// Servers that there is no talking to are not asked twice.
func TestNoConnection(t *testing.T) {
	server := start(t)
	const closed = "http://127.0.0.1:1"
	secure := vaulttest.StartTLS(t)
	tests := []struct {
		name, address, want, hint string
		permanent                 bool
	}{
		{"refused", closed, "connection refused", "nothing listens there: vault status -address=" + closed, false},
		{"no such host", "https://vault.invalid", "vault.invalid", "cannot be reached", false},
		{"no TLS", strings.Replace(server.URL, "http:", "https:", 1), "HTTP response to HTTPS client", "the server has no TLS", true},
		{"TLS", strings.Replace(secure.URL, "https:", "http:", 1), "400 Bad Request: Client sent an HTTP request", "begins with https://", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := keys.VaultEntry{Address: tt.address, EnginePath: "transit", KeyName: "app"}
			_, err := New(Options{}).Wrap(t.Context(), e, []byte(testSecret))
			if c := mustFail(t, err, tt.want); c.Permanent != tt.permanent || !strings.Contains(c.Hint, tt.hint) {
				t.Errorf("got %+v", c)
			}
		})
	}
	if n := len(server.Requests()) + len(secure.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// New looks at nothing.
func TestNewIsIdle(t *testing.T) {
	server := start(t)
	t.Setenv(envCACert, "/nonexistent")
	s := New(Options{})
	t.Setenv(envCACert, "")
	if _, err := s.Wrap(t.Context(), app(server), []byte(testSecret)); err != nil {
		t.Error(err)
	}
}
