// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"bytes"
	"encoding/base64"
	"sync"
	"testing"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
)

func TestRoundTrip(t *testing.T) {
	server := newServer(t)
	s := newService(t, server, Options{})
	for _, tt := range []struct {
		name   string
		secret []byte
	}{
		{"data key", keys.GenerateDataKey().Bytes()},
		{"share", append(keys.GenerateDataKey().Bytes(), 7)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := time.Now().UTC().Truncate(time.Second)
			given := bytes.Clone(tt.secret)
			e := wrap(t, s, testKey, tt.secret)
			if !bytes.Equal(given, tt.secret) {
				t.Error("Wrap changed the secret")
			}
			if e.ResourceID != testKey {
				t.Errorf("resource id is %q", e.ResourceID)
			}
			if _, err := base64.StdEncoding.Strict().DecodeString(e.Enc); err != nil {
				t.Errorf("enc is not standard base64: %v", err)
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

// One call is one request, and no more connections are made than calls are
// under way.
func TestOneRequestPerCall(t *testing.T) {
	server := newServer(t)
	s := newService(t, server, Options{})
	e := wrap(t, s, testKey, patterned(32))
	if _, err := s.Unwrap(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if n := server.count(); n != 2 {
		t.Errorf("%d requests for a Wrap and an Unwrap, want 2", n)
	}
	if server.requests[0].RemoteAddr != server.requests[1].RemoteAddr {
		t.Error("the second call made a connection of its own")
	}
}

func TestConcurrentUse(t *testing.T) {
	server := newServer(t)
	s := newService(t, server, Options{})
	server.inject(failing(503, "UNAVAILABLE", "", "try again"), resetting)
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			secret := keys.GenerateDataKey().Bytes()
			e, err := s.Wrap(t.Context(), keys.GCPKMSEntry{ResourceID: testKey}, secret)
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
}

// What a damaged or lying answer says is not taken for a success.
func TestAnswersAreChecked(t *testing.T) {
	server := newServer(t)
	s := newService(t, server, Options{Attempts: 1})
	e := wrap(t, s, testKey, patterned(32))
	for _, tt := range []struct {
		name    string
		wrap    bool
		change  func(map[string]any)
		want    string
		isFinal bool
	}{
		{"wrapped for another key", true, func(a map[string]any) { a["name"] = otherKey + "/cryptoKeyVersions/1" }, "of another key", false},
		{"wrapped without a key", true, func(a map[string]any) { delete(a, "name") }, "of another key", false},
		{"longer key name", true, func(a map[string]any) { a["name"] = testKey + "x/cryptoKeyVersions/1" }, "of another key", false},
		{"secret not verified", true, func(a map[string]any) { delete(a, "verifiedPlaintextCrc32c") }, "damaged on its way to", false},
		{"ciphertext damaged", true, func(a map[string]any) { a["ciphertext"] = "AAAA" }, "damaged on its way from", false},
		{"no ciphertext", true, func(a map[string]any) { a["ciphertext"] = ""; a["ciphertextCrc32c"] = "0" }, "damaged on its way from", false},
		{"secret damaged", false, func(a map[string]any) { a["plaintextCrc32c"] = "1" }, "damaged on its way from", false},
		{"no secret", false, func(a map[string]any) { delete(a, "plaintext"); delete(a, "plaintextCrc32c") }, "has 0 bytes", true},
		{"short secret", false, func(a map[string]any) { a["plaintext"] = "AAAA"; delete(a, "plaintextCrc32c") }, "has 3 bytes", true},
		{"not base64", false, func(a map[string]any) { a["plaintext"] = "!" }, "none of Cloud KMS", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server.inject(answering(server, tt.change))
			var err error
			if tt.wrap {
				_, err = s.Wrap(t.Context(), keys.GCPKMSEntry{ResourceID: testKey}, patterned(32))
			} else {
				_, err = s.Unwrap(t.Context(), e)
			}
			call := callError(t, err)
			mustContain(t, call.Error(), tt.want)
			if call.Permanent != tt.isFinal {
				t.Errorf("permanent is %v", call.Permanent)
			}
		})
	}
}
