// SPDX-License-Identifier: Apache-2.0

package pgp

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
)

// What is wrapped is unwrapped again, for each kind of key and of secret, and
// the entry looks like one that SOPS writes.
func TestRoundTrip(t *testing.T) {
	newHome(t)
	curve, curveSub := newKey(t, "curve@example.com", noPassphrase, curveKey)
	rsa, _ := newKey(t, "rsa@example.com", noPassphrase, rsaKey)
	tests := []struct {
		name, fingerprint string
		secret            []byte
	}{
		{"curve25519", curve, []byte(testSecret)},
		{"share of a data key", curve, []byte(testSecret + "x")},
		{"zero bytes", curve, make([]byte, 32)},
		{"lower case", strings.ToLower(curve), []byte(testSecret)},
		{"one subkey", curveSub + "!", []byte(testSecret)},
		{"RSA", rsa, []byte(testSecret)},
	}
	s := New(Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			given := bytes.Clone(tt.secret)
			e, err := s.Wrap(t.Context(), keys.PGPEntry{Fingerprint: tt.fingerprint, Enc: "old"}, given)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(given, tt.secret) {
				t.Error("Wrap changed the secret")
			}
			checkEntry(t, e.(keys.PGPEntry), tt.fingerprint)
			got, err := s.Unwrap(t.Context(), e)
			if err != nil || !bytes.Equal(got, tt.secret) {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
		})
	}
}

func checkEntry(t *testing.T, e keys.PGPEntry, fingerprint string) {
	t.Helper()
	if e.Fingerprint != fingerprint {
		t.Errorf("got fingerprint %q, want %q", e.Fingerprint, fingerprint)
	}
	at, err := time.Parse(time.RFC3339, e.CreatedAt)
	if since := time.Since(at); err != nil || since < -time.Minute || since > time.Hour || !strings.HasSuffix(e.CreatedAt, "Z") {
		t.Errorf("created at %q: %v", e.CreatedAt, err)
	}
	if !strings.HasPrefix(e.Enc, armorBegin+"\n") || !strings.HasSuffix(e.Enc, "\n"+armorEnd) || strings.Contains(e.Enc, "\r") {
		t.Errorf("unlike SOPS: %q", e.Enc)
	}
}

// A message for several keys is opened with the one that is there.
func TestUnwrapSeveralKeys(t *testing.T) {
	other := newHome(t)
	missing, _ := newKey(t, "missing@example.com", noPassphrase, curveKey)
	public := gpg(t, nil, "--export", missing)
	newHome(t)
	mine, _ := newKey(t, "mine@example.com", noPassphrase, curveKey)
	gpg(t, public, "--import")
	for _, order := range [][]string{{missing, mine}, {mine, missing}} {
		enc := gpg(t, []byte(testSecret), "--armor", "--encrypt", "-r", order[0], "-r", order[1])
		got, err := New(Options{}).Unwrap(t.Context(), keys.PGPEntry{Fingerprint: mine, Enc: string(enc)})
		if err != nil || string(got) != testSecret {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
	}
	t.Setenv("GNUPGHOME", other)
	enc := wrap(t, missing).Enc
	if got, err := New(Options{}).Unwrap(t.Context(), keys.PGPEntry{Fingerprint: "0xDEADBEEF", Enc: enc}); err != nil || string(got) != testSecret {
		t.Errorf("the name of the key decides: got %d bytes, %v", len(got), err)
	}
}

// A public key that nobody has vouched for is wrapped for: its fingerprint says
// whose it is.
func TestWrapUntrusted(t *testing.T) {
	newHome(t)
	theirs, _ := newKey(t, "theirs@example.com", noPassphrase, curveKey)
	public := gpg(t, nil, "--export", theirs)
	newHome(t)
	gpg(t, public, "--import")
	wrap(t, theirs)
}

// Calls at the same time do not get into each other's way.
func TestConcurrent(t *testing.T) {
	newHome(t)
	fingerprint, _ := newKey(t, "many@example.com", noPassphrase, curveKey)
	s := New(Options{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			secret := bytes.Repeat([]byte{byte(i)}, 32)
			e, err := s.Wrap(t.Context(), keys.PGPEntry{Fingerprint: fingerprint}, secret)
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

// The program comes from Options, then from SOPS_GPG_EXEC, then from PATH, and
// the environment is looked at when it is used.
func TestProgram(t *testing.T) {
	newHome(t)
	fingerprint, _ := newKey(t, "program@example.com", noPassphrase, curveKey)
	broken := script(t, "exit 9\n")
	working := script(t, "exec gpg \"$@\"\n")
	to := keys.PGPEntry{Fingerprint: fingerprint}

	byDefault, byOption := New(Options{}), New(Options{Program: working})
	t.Setenv("SOPS_GPG_EXEC", broken)
	_, err := byDefault.Wrap(t.Context(), to, []byte(testSecret))
	mustFail(t, err, "exit code 9")
	if _, err := byOption.Wrap(t.Context(), to, []byte(testSecret)); err != nil {
		t.Error(err)
	}
	t.Setenv("SOPS_GPG_EXEC", working)
	if _, err := byDefault.Wrap(t.Context(), to, []byte(testSecret)); err != nil {
		t.Error(err)
	}
}
