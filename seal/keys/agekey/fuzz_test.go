// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"bytes"
	"strings"
	"testing"

	"filippo.io/age/plugin"
	"github.com/signet-secrets/signet/seal/keys"
)

// FuzzUnwrap feeds foreign text to the reader of entries. Whatever opens is
// what was sealed, since nobody but the seeds can encrypt to the identity.
func FuzzUnwrap(f *testing.F) {
	id := newX25519(f)
	secret := []byte("0123456789abcdef0123456789abcdef")
	good := wrap(f, id.Recipient(), secret)
	ed, _ := newSSH(f, SSHEd25519, "")
	u := NewUnwrapper(Sources{Identities: []Identity{id}})
	f.Add(id.Recipient(), good.Enc)
	f.Add(id.Recipient(), "\r\n"+strings.ReplaceAll(good.Enc, "\n", "\r\n"))
	f.Add(id.Recipient(), strings.TrimSpace(good.Enc)+"x")
	f.Add(ed, wrap(f, ed, secret).Enc)
	f.Add(newHybrid(f).Recipient(), good.Enc)
	f.Add(id.Recipient(), encryptFor(f, secret, scryptRecipient(f, "x")))
	f.Add(plugin.EncodeRecipient("x", nil), encryptFor(f, nil, stanza("x", 1, 0)))
	f.Add("", "")
	f.Fuzz(func(t *testing.T, recipient, enc string) {
		got, err := u.Unwrap(t.Context(), keys.AgeEntry{Recipient: recipient, Enc: enc})
		if err == nil && !bytes.Equal(got, secret) {
			t.Errorf("opened something else")
		}
		if err != nil && (got != nil || strings.ContainsAny(err.Error(), "\x00\x1b") || len(err.Error()) > 2000) {
			t.Errorf("unfit error %q", err)
		}
	})
}
