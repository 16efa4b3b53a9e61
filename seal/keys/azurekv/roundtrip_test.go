// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"bytes"
	"encoding/base64"
	"sync"
	"testing"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
)

func TestRoundTrip(t *testing.T) {
	a := newAzure(t)
	s := newService(t, a, Options{})
	slash, upper := documents(oldVersion), documents("")
	slash.VaultURL += "/"
	upper.VaultURL = "https://Signet-Demo.vault.azure.net"
	for _, tt := range []struct {
		name    string
		to      keys.AzureKVEntry
		secret  []byte
		version string
	}{
		{"data key for the newest version", documents(""), keys.GenerateDataKey().Bytes(), newVersion},
		{"share for a certain version", documents(oldVersion), append(keys.GenerateDataKey().Bytes(), 7), oldVersion},
		{"slash after the vault", slash, keys.GenerateDataKey().Bytes(), oldVersion},
		{"upper case in the vault", upper, keys.GenerateDataKey().Bytes(), newVersion},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := time.Now().UTC().Truncate(time.Second)
			given := bytes.Clone(tt.secret)
			e := wrap(t, s, tt.to, tt.secret)
			if !bytes.Equal(given, tt.secret) {
				t.Error("Wrap changed the secret")
			}
			if e.VaultURL != tt.to.VaultURL || e.Name != tt.to.Name || e.Version != tt.version {
				t.Errorf("got the key %s", e.ID())
			}
			if _, err := base64.RawURLEncoding.Strict().DecodeString(e.Enc); err != nil {
				t.Errorf("enc is not URL base64: %v", err)
			}
			created, err := time.Parse(time.RFC3339, e.CreatedAt)
			if err != nil || created.Location() != time.UTC || created.Before(before) || created.After(time.Now()) {
				t.Errorf("created_at is %q, %v", e.CreatedAt, err)
			}
			got, err := s.Unwrap(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, tt.secret) {
				t.Error("another secret came back")
			}
		})
	}
}

// Stock SOPS leaves the version out of entries of old; the newest one has to do.
func TestUnwrapWithoutVersion(t *testing.T) {
	a := newAzure(t)
	s := newService(t, a, Options{})
	e := wrap(t, s, documents(newVersion), patterned(32))
	e.Version = ""
	got, err := s.Unwrap(t.Context(), e)
	if err != nil || !bytes.Equal(got, patterned(32)) {
		t.Errorf("another secret came back: %v", err)
	}
}

// The challenge of a vault costs one request, not one for each call.
func TestOneRequestPerCall(t *testing.T) {
	a := newAzure(t)
	s := newService(t, a, Options{})
	e := wrap(t, s, documents(newVersion), patterned(32))
	before := a.count()
	for range 3 {
		if _, err := s.Unwrap(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if n := a.count() - before; before != 2 || n != 3 {
		t.Errorf("%d requests for the first call and %d for 3 more, want 2 and 3", before, n)
	}
}

func TestConcurrentUse(t *testing.T) {
	a := newAzure(t)
	isolate(t)
	servicePrincipal(t)
	s := New(Options{Transport: a.transport(t)})
	a.inject(failing(503, "ServiceUnavailable", "", "try again"), resetting)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			to, secret := documents(""), keys.GenerateDataKey().Bytes()
			if i%2 == 0 {
				to.VaultURL = "https://other-vault.vault.azure.net"
			}
			e, err := s.Wrap(t.Context(), to, secret)
			if err != nil {
				t.Error(err)
				return
			}
			got, err := s.Unwrap(t.Context(), e)
			if err != nil || !bytes.Equal(got, secret) {
				t.Errorf("another secret came back: %v", err)
			}
		})
	}
	wg.Wait()
	if a.tokens != 1 {
		t.Errorf("%d tokens were fetched for one identity and two vaults, want 1", a.tokens)
	}
}

// What a lying answer says is not taken for a success.
func TestAnswersAreChecked(t *testing.T) {
	a := newAzure(t)
	s := newService(t, a, Options{Attempts: 1})
	e := wrap(t, s, documents(newVersion), patterned(32))
	value := func(n int) func(map[string]any) {
		return func(answer map[string]any) { answer["value"] = base64.RawURLEncoding.EncodeToString(make([]byte, n)) }
	}
	kid := func(id string) func(map[string]any) { return func(answer map[string]any) { answer["kid"] = id } }
	inKey := func(name string, v any) func(map[string]any) {
		return func(answer map[string]any) { answer["key"].(map[string]any)[name] = v }
	}
	for _, tt := range []struct {
		name      string
		operation string
		change    func(map[string]any)
		want      string
		permanent bool
	}{
		{"wrapped with another version", "encrypt", kid(testVault + "/keys/documents/" + oldVersion), "of another key", false},
		{"wrapped with another key", "encrypt", kid(testVault + "/keys/other/" + newVersion), "of another key", false},
		{"wrapped in another vault", "encrypt", kid("https://other.vault.azure.net/keys/documents/" + newVersion), "of another key", false},
		{"wrapped with no key", "encrypt", func(m map[string]any) { delete(m, "kid") }, "of another key", false},
		{"odd key id", "encrypt", kid("https://signet-demo.vault.azure.net/keys/documents/../x"), "of another key", false},
		{"no ciphertext", "encrypt", value(0), "has 0 bytes", false},
		{"long ciphertext", "encrypt", value(maxEncBytes), "has 1024 bytes", false},
		{"unwrapped with another key", "decrypt", kid(testVault + "/keys/other/" + newVersion), "of another key", false},
		{"no secret", "decrypt", value(0), "has 0 bytes", true},
		{"long secret", "decrypt", value(64), "has 64 bytes", true},
		{"not base64", "decrypt", func(m map[string]any) { m["value"] = "!" }, "", false},
		{"newest of another key", "get", inKey("kid", testVault+"/keys/other/"+newVersion), "of another key", false},
		{"newest without a version", "get", inKey("kid", testVault+"/keys/documents/"), "of another key", false},
		{"elliptic curve", "get", inKey("kty", "EC"), "of type EC", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a.inject(answering(a, tt.change))
			var err error
			switch tt.operation {
			case "encrypt":
				_, err = s.Wrap(t.Context(), documents(newVersion), patterned(32))
			case "get":
				_, err = s.Wrap(t.Context(), documents(""), patterned(32))
			default:
				_, err = s.Unwrap(t.Context(), e)
			}
			call := callError(t, err)
			mustContain(t, call.Error(), tt.want)
			if call.Permanent != tt.permanent {
				t.Errorf("permanent is %v: %v", call.Permanent, err)
			}
		})
	}
}

// Key Vault would encrypt with a disabled key, and nobody could open that.
func TestDisabledKeyIsNotWrappedFor(t *testing.T) {
	a := newAzure(t)
	a.keys["documents"][1].disabled = true
	s := newService(t, a, Options{})
	_, err := s.Wrap(t.Context(), documents(""), patterned(32))
	call := callError(t, err)
	want := "wrap for azure_kv " + testVault + "/keys/documents/: its newest version is disabled: " + newVersion
	if call.Error() != want || !call.Permanent || len(a.seen) != 0 {
		t.Errorf("got %v, permanent %v, after %d encryptions", err, call.Permanent, len(a.seen))
	}
	mustContain(t, call.Hint, "az keyvault key set-attributes --vault-name signet-demo --name documents --version "+newVersion+" --enabled true")
}
