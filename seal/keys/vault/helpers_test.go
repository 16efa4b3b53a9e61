// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/vaulttest"
	"github.com/signet-secrets/signet/seal/keys"
)

const testSecret = "canary0123456789ABCDEF-not-a-key" // 32 bytes

// start returns a server with the key transit/keys/app, and an environment
// without Vault's variables but for its root token.
func start(t testing.TB) *vaulttest.Server {
	t.Helper()
	clearEnvironment(t)
	t.Setenv(envToken, vaulttest.RootToken)
	s := vaulttest.Start(t)
	s.CreateKey("transit", "app")
	return s
}

func clearEnvironment(t testing.TB) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", envAllowlist} {
		t.Setenv(name, "")
	}
	for _, setting := range os.Environ() {
		if name, _, _ := strings.Cut(setting, "="); strings.HasPrefix(name, "VAULT_") {
			t.Setenv(name, "")
		}
	}
}

// app is transit/keys/app of a server.
func app(s *vaulttest.Server) keys.VaultEntry {
	return keys.VaultEntry{Address: s.URL, EnginePath: "transit", KeyName: "app"}
}

// wrap wraps testSecret with a key, and leaves no trace in the server's requests.
func wrap(t testing.TB, to keys.VaultEntry) keys.VaultEntry {
	t.Helper()
	e, err := New(Options{}).Wrap(t.Context(), to, []byte(testSecret))
	if err != nil {
		t.Fatal(err)
	}
	return e.(keys.VaultEntry)
}

// mustFail checks the form that every error has, and returns it.
func mustFail(t testing.TB, err error, want string) *keys.CallError {
	t.Helper()
	call := new(keys.CallError)
	if !errors.As(err, &call) {
		t.Fatalf("got %v, want a *keys.CallError", err)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("got %q, want something with %q", err, want)
	}
	noSecretIn(t, err.Error()+call.Hint)
	return call
}

// noSecretIn looks for the secret and for tokens of the test server.
func noSecretIn(t testing.TB, text string) {
	t.Helper()
	for _, form := range []string{"canary", "Y2FuYXJ5", hex.EncodeToString([]byte("canary")), "hvs.EXAMPLE",
		base64.StdEncoding.EncodeToString([]byte("hvs.EXAM"))} {
		if strings.Contains(text, form) {
			t.Errorf("%q holds a secret", text)
		}
	}
	if strings.ContainsAny(text, "\n\x1b\x00") || len(text) > 2000 {
		t.Errorf("unfit text %q", text)
	}
}

func writeFile(t testing.TB, path string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
