// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"bytes"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/vaulttest"
	"github.com/signet-secrets/signet/seal/keys"
)

// What is wrapped is unwrapped again, and the request is one of Vault's own.
func TestRoundTrip(t *testing.T) {
	server := start(t)
	server.MountTransit("team/one/transit")
	server.CreateKey("team/one/transit", "a_b.c-d_")
	tests := []struct {
		name   string
		to     keys.VaultEntry
		secret []byte
	}{
		{"data key", app(server), []byte(testSecret)},
		{"share of a data key", app(server), []byte(testSecret + "x")},
		{"zero bytes", app(server), make([]byte, 32)},
		{"nested engine", keys.VaultEntry{Address: server.URL, EnginePath: "team/one/transit", KeyName: "a_b.c-d_"}, []byte(testSecret)},
		{"slash", keys.VaultEntry{Address: server.URL + "/", EnginePath: "transit", KeyName: "app"}, []byte(testSecret)},
		{"was wrapped before", keys.VaultEntry{Address: server.URL, EnginePath: "transit", KeyName: "app", Enc: "x", CreatedAt: "x"}, []byte(testSecret)},
	}
	s := New(Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			given := bytes.Clone(tt.secret)
			wrapped, err := s.Wrap(t.Context(), tt.to, given)
			if err != nil {
				t.Fatal(err)
			}
			e := wrapped.(keys.VaultEntry)
			checkCreatedAt(t, e.CreatedAt)
			if !bytes.Equal(given, tt.secret) || !strings.HasPrefix(e.Enc, "vault:v1:") {
				t.Errorf("secret changed, or enc %q", e.Enc)
			}
			want := tt.to
			want.Enc, want.CreatedAt = e.Enc, e.CreatedAt
			if diff := cmp.Diff(want, e); diff != "" {
				t.Error(diff)
			}
			got, err := s.Unwrap(t.Context(), e)
			if err != nil || !bytes.Equal(got, tt.secret) {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
		})
	}
	last := server.Requests()[len(server.Requests())-1]
	if last.Method != "PUT" || last.Path != "/v1/transit/decrypt/app" || last.Header.Get("X-Vault-Request") != "true" || last.Namespace != "" {
		t.Errorf("got %+v", last)
	}
}

func checkCreatedAt(t *testing.T, text string) {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if since := time.Since(at); err != nil || since < -time.Minute || since > time.Hour || !strings.HasSuffix(text, "Z") {
		t.Errorf("created at %q: %v", text, err)
	}
}

// A secret stays readable when its key gets a new version.
func TestVersions(t *testing.T) {
	server := start(t)
	s := New(Options{})
	first := wrap(t, app(server))
	server.RotateKey("transit", "app")
	second := wrap(t, app(server))
	if !strings.HasPrefix(second.Enc, "vault:v2:") {
		t.Errorf("got enc %q", second.Enc)
	}
	for _, e := range []keys.VaultEntry{first, second} {
		if got, err := s.Unwrap(t.Context(), e); err != nil || string(got) != testSecret {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
	}
	server.SetMinDecryptionVersion("transit", "app", 2)
	_, err := s.Unwrap(t.Context(), first)
	if call := mustFail(t, err, "too old"); !call.Permanent || !strings.Contains(call.Hint, "min_decryption_version of transit/keys/app") {
		t.Errorf("got %+v", call)
	}
}

// Each way to name the CA works, and none is needed for nothing.
func TestTLS(t *testing.T) {
	clearEnvironment(t)
	t.Setenv(envToken, vaulttest.RootToken)
	server := vaulttest.StartTLS(t)
	server.CreateKey("transit", "app")
	file := writeFile(t, filepath.Join(t.TempDir(), "sub", "ca.pem"), server.CA)
	t.Run("unknown", func(t *testing.T) {
		_, err := New(Options{}).Wrap(t.Context(), app(server), []byte(testSecret))
		call := mustFail(t, err, "certificate")
		if !call.Permanent || !strings.Contains(call.Hint, envCACert) || len(server.Requests()) != 0 {
			t.Errorf("got %+v, %d requests", call, len(server.Requests()))
		}
	})
	for name, value := range map[string]string{
		envCACert: file, envCACertText: string(server.CA), envCAPath: filepath.Dir(filepath.Dir(file)), envSkipVerify: "true",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			wrap(t, app(server))
		})
	}
	t.Run("server name", func(t *testing.T) {
		t.Setenv(envCACert, file)
		t.Setenv(envServerName, "example.com") // is in the certificate of httptest
		wrap(t, app(server))
		t.Setenv(envServerName, "vault.example.org")
		_, err := New(Options{}).Wrap(t.Context(), app(server), []byte(testSecret))
		mustFail(t, err, "certificate")
	})
}

// Calls at the same time share the connections and do not mix up answers.
func TestConcurrent(t *testing.T) {
	server := start(t)
	s := New(Options{Timeout: time.Minute})
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			secret := bytes.Repeat([]byte{byte(i)}, 32)
			e, err := s.Wrap(t.Context(), app(server), secret)
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := s.Unwrap(t.Context(), e); err != nil || !bytes.Equal(got, secret) {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
		})
	}
	wg.Wait()
}
