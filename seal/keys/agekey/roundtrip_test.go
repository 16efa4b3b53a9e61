// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/signet-secrets/signet/seal/keys"
)

func TestRoundTrip(t *testing.T) {
	classic, hybrid := newX25519(t), newHybrid(t)
	ed, edKey := newSSH(t, SSHEd25519, "")
	rsa, rsaKey := newSSH(t, SSHRSA, "")
	tests := []struct {
		name      string
		recipient string
		file      []byte
		kind      Kind
	}{
		{"X25519", classic.Recipient(), classic.File(time.Now()), X25519},
		{"hybrid", hybrid.Recipient(), hybrid.File(time.Now()), Hybrid},
		{"ssh-ed25519", ed, edKey, SSHEd25519},
		{"ssh-rsa", rsa, rsaKey, SSHRSA},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			secret := keys.GenerateDataKey().Bytes()
			e := wrap(t, " "+tt.recipient+"\n", secret)
			if e.Recipient != tt.recipient {
				t.Errorf("recipient is %q, want %q", e.Recipient, tt.recipient)
			}
			if r, err := ParseRecipient(e.Recipient); err != nil || r.Kind() != tt.kind {
				t.Errorf("kind is %q, %v, want %q", r.Kind(), err, tt.kind)
			}
			u := NewUnwrapper(Sources{Files: []string{tempFile(t, string(tt.file))}})
			got, err := u.Unwrap(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, secret) {
				t.Error("another secret came back")
			}
		})
	}
}

// The layout is that of stock SOPS: armor with 64 columns and one newline at the end.
func TestWrapLayout(t *testing.T) {
	e := wrap(t, newX25519(t).Recipient(), make([]byte, 32))
	want := regexp.MustCompile(`\A-----BEGIN AGE ENCRYPTED FILE-----\n([A-Za-z0-9+/=]{64}\n)*[A-Za-z0-9+/=]{1,64}\n` +
		`-----END AGE ENCRYPTED FILE-----\n\z`)
	if !want.MatchString(e.Enc) {
		t.Errorf("unexpected layout:\n%s", e.Enc)
	}
}

func TestWrapRefuses(t *testing.T) {
	good := newX25519(t).Recipient()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name   string
		ctx    context.Context
		to     keys.Entry
		secret []byte
		want   string
	}{
		{"other type", t.Context(), keys.PGPEntry{}, make([]byte, 32), `"pgp"`},
		{"empty secret", t.Context(), keys.AgeEntry{Recipient: good}, nil, "0 bytes"},
		{"long secret", t.Context(), keys.AgeEntry{Recipient: good}, make([]byte, MaxSecretBytes+1), "4097 bytes"},
		{"bad recipient", t.Context(), keys.AgeEntry{Recipient: good + "q"}, make([]byte, 32), "checksum"},
		{"cancelled", cancelled, keys.AgeEntry{Recipient: good}, make([]byte, 32), "canceled"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewWrapper(nil).Wrap(tt.ctx, tt.to, tt.secret)
			mustContain(t, err, tt.want)
		})
	}
}

func TestIdentityFile(t *testing.T) {
	for _, tt := range []struct {
		name               string
		generate           func() (Identity, error)
		recipient, private string
	}{
		{"hybrid", GenerateIdentity, "age1pq1", "AGE-SECRET-KEY-PQ-1"},
		{"classic", GenerateClassicIdentity, "age1", "AGE-SECRET-KEY-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id, err := tt.generate()
			if err != nil {
				t.Fatal(err)
			}
			created := time.Date(2026, 1, 2, 15, 4, 5, 0, time.FixedZone("", 3600))
			want := "# created: 2026-01-02T15:04:05+01:00\n# public key: " + id.Recipient() + "\n" + id.Reveal() + "\n"
			if diff := cmp.Diff(want, string(id.File(created))); diff != "" {
				t.Error(diff)
			}
			if !strings.HasPrefix(id.Recipient(), tt.recipient) || !strings.HasPrefix(id.Reveal(), tt.private) {
				t.Errorf("unexpected kind: %s", id.Recipient())
			}
			back, err := ParseIdentity(want)
			if err != nil || back.Recipient() != id.Recipient() || back.Reveal() != id.Reveal() {
				t.Errorf("ParseIdentity does not give it back: %v", err)
			}
		})
	}
}

func TestParseIdentityRefuses(t *testing.T) {
	a, b := newX25519(t), newX25519(t)
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "# nothing\n\n", "0 identities"},
		{"two", a.Reveal() + "\n" + b.Reveal(), "2 identities"},
		{"recipient", a.Recipient(), "it is a recipient"},
		{"typo", a.Reveal()[:len(a.Reveal())-1] + "B", "malformed"},
		{"other", "hunter2", "line 1: it is not an age identity"},
		{"plugin", "AGE-PLUGIN-X-1QQQQ", "for a plugin"},
		{"binary", "\xff\xfe", "UTF-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseIdentity(tt.text)
			mustContain(t, err, tt.want)
		})
	}
}

func TestNoIdentity(t *testing.T) {
	e := wrap(t, newX25519(t).Recipient(), make([]byte, 32))
	for _, s := range []Sources{{}, {Identities: []Identity{newX25519(t), newHybrid(t)}}} {
		_, err := NewUnwrapper(s).Unwrap(t.Context(), e)
		none := new(NoIdentityError)
		if !errors.Is(err, keys.ErrNoIdentity) || !errors.As(err, &none) || none.Recipient != e.Recipient {
			t.Errorf("got %v, want a NoIdentityError", err)
		}
	}
}
