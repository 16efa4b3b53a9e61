// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/plugin"
	"github.com/signet-secrets/signet/seal/keys"
)

// fakeRecipient writes the stanzas it is given.
type fakeRecipient []*age.Stanza

func (f fakeRecipient) Wrap([]byte) ([]*age.Stanza, error) { return f, nil }

func stanza(kind string, args, body int) fakeRecipient {
	s := &age.Stanza{Type: kind, Body: make([]byte, body)}
	for range args {
		s.Args = append(s.Args, "AAAAAA")
	}
	return fakeRecipient{s}
}

// Every refusal comes before any identity is loaded, and is not ErrNoIdentity.
func TestUnwrapRefuses(t *testing.T) {
	a, b := newX25519(t), newX25519(t)
	hybrid := newHybrid(t)
	ed, _ := newSSH(t, SSHEd25519, "")
	ed2, _ := newSSH(t, SSHEd25519, "")
	rsa, _ := newSSH(t, SSHRSA, "")
	plug := plugin.EncodeRecipient("signettest", make([]byte, 16))
	secret := make([]byte, 32)
	good := wrap(t, a.Recipient(), secret).Enc
	file := dearmored(t, good)
	tests := []struct {
		name, recipient, enc, want string
	}{
		{"empty", a.Recipient(), "", "ends too early"},
		{"garbage", a.Recipient(), "garbage", "a line is malformed"},
		{"binary age file", a.Recipient(), string(file), "a line is malformed"},
		{"armor of garbage", a.Recipient(), armored(t, []byte("garbage\n")), "header is malformed"},
		{"cut off", a.Recipient(), good[:len(good)-20], "malformed"},
		{"no end", a.Recipient(), good[:100], "not an armored age file"},
		{"bad base64", a.Recipient(), strings.Replace(good, "\nYWdl", "\nYW!l", 1), "base64"},
		{"trailing data", a.Recipient(), good + "x", "trailing data"},
		{"second file", a.Recipient(), good + good, "trailing data"},
		{"leading data", a.Recipient(), "x\n" + good, "a line is malformed"},
		{"oversize", a.Recipient(), good + strings.Repeat("\n", MaxEncBytes), "at most 65536"},
		{"two stanzas", a.Recipient(), encryptFor(t, secret, native(t, a.Recipient()), native(t, b.Recipient())), "2 recipient stanzas"},
		{"scrypt", a.Recipient(), encryptFor(t, secret, scryptRecipient(t, "x")), "passphrase (scrypt)"},
		{"scrypt, plugin", plug, encryptFor(t, secret, scryptRecipient(t, "x")), `"scrypt"`},
		{"hybrid for X25519", hybrid.Recipient(), good, `"X25519"`},
		{"X25519 for hybrid", a.Recipient(), wrap(t, hybrid.Recipient(), secret).Enc, `"mlkem768x25519"`},
		{"X25519 for SSH", ed, good, `"X25519"`},
		{"X25519 for plugin", plug, good, "does not write"},
		{"SSH for plugin", plug, wrap(t, ed, secret).Enc, "does not write"},
		{"ed25519 for RSA", rsa, wrap(t, ed, secret).Enc, `"ssh-ed25519"`},
		{"other SSH key", ed, wrap(t, ed2, secret).Enc, "another key"},
		{"unknown type", a.Recipient(), encryptFor(t, secret, stanza("grease-x", 0, 0)), `"grease-x"`},
		{"arguments", a.Recipient(), encryptFor(t, secret, stanza("X25519", 2, 32)), "2 arguments"},
		{"no arguments", ed, encryptFor(t, secret, stanza("ssh-ed25519", 0, 32)), "0 arguments"},
		{"body", a.Recipient(), encryptFor(t, secret, stanza("X25519", 1, 33)), "33 bytes"},
		{"RSA body", rsa, encryptFor(t, secret, stanza("ssh-rsa", 1, 32)), "32 bytes"},
		{"tag mark", newTag(t, false), encryptFor(t, secret, stanza("p256tag", 2, 32)), "another key"},
		{"bad recipient", "age1nothing", good, "age recipient"},
		{"no recipient", "", good, "empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := NewUnwrapper(Sources{LookupEnv: func(string) (string, bool) {
				t.Error("identities were looked for")
				return "", false
			}})
			_, err := u.Unwrap(t.Context(), keys.AgeEntry{Recipient: tt.recipient, Enc: tt.enc})
			mustContain(t, err, tt.want)
			if errors.Is(err, keys.ErrNoIdentity) {
				t.Error("a malformed entry counts as no identity")
			}
		})
	}
}

// The identity fits, and what it opens is damaged: no other identity is asked for.
func TestUnwrapDamaged(t *testing.T) {
	id := newX25519(t)
	file := dearmored(t, wrap(t, id.Recipient(), make([]byte, 32)).Enc)
	mac := bytes.Index(file, []byte("--- ")) + 4
	flip := func(at int) []byte { // it stays base64 where it was
		f := bytes.Clone(file)
		if f[at] == 'A' {
			f[at] = 'B'
		} else {
			f[at] = 'A'
		}
		return f
	}
	tests := []struct {
		name string
		enc  string
		want string
	}{
		{"header MAC", armored(t, flip(mac)), "header does not authenticate"},
		{"payload", armored(t, flip(len(file)-1)), "payload does not authenticate"},
		{"payload cut off", armored(t, file[:len(file)-1]), "does not authenticate"},
		{"no payload", armored(t, file[:bytes.LastIndexByte(file[:mac+45], '\n')+1]), "does not authenticate"},
		{"more payload", armored(t, append(bytes.Clone(file), 0)), "payload does not authenticate"},
		{"too long", encryptFor(t, make([]byte, MaxSecretBytes+1), native(t, id.Recipient())), "longer than 4096"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := NewUnwrapper(Sources{Identities: []Identity{id}})
			got, err := u.Unwrap(t.Context(), keys.AgeEntry{Recipient: id.Recipient(), Enc: tt.enc})
			mustContain(t, err, tt.want)
			if errors.Is(err, keys.ErrNoIdentity) || got != nil {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
		})
	}
	t.Run("low order share", func(t *testing.T) {
		s := fakeRecipient{{Type: "X25519", Args: []string{strings.Repeat("A", 43)}, Body: make([]byte, 32)}}
		u := NewUnwrapper(Sources{Identities: []Identity{id}})
		_, err := u.Unwrap(t.Context(), keys.AgeEntry{Recipient: id.Recipient(), Enc: encryptFor(t, nil, s)})
		if err == nil || errors.Is(err, keys.ErrNoIdentity) {
			t.Errorf("got %v, want a plain error", err)
		}
	})
}

// White space around the armor does no harm: YAML block scalars keep or drop it.
func TestUnwrapWhitespace(t *testing.T) {
	id := newX25519(t)
	e := wrap(t, id.Recipient(), make([]byte, 32))
	u := NewUnwrapper(Sources{Identities: []Identity{id}})
	for _, enc := range []string{strings.TrimSpace(e.Enc), "\n" + e.Enc + "\n\n", strings.ReplaceAll(e.Enc, "\n", "\r\n")} {
		if _, err := u.Unwrap(t.Context(), keys.AgeEntry{Recipient: e.Recipient, Enc: enc}); err != nil {
			t.Error(err)
		}
	}
}
