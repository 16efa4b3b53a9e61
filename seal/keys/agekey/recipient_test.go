// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"strings"
	"testing"

	"filippo.io/age/plugin"
	"golang.org/x/crypto/ssh"
)

// newTag returns a tag recipient, whose private half is thrown away.
func newTag(t testing.TB, hybrid bool) string {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point := key.PublicKey().Bytes() // 4, x, y
	if !hybrid {
		return plugin.EncodeRecipient("tag", append([]byte{2 + point[64]&1}, point[1:33]...))
	}
	kem, err := mlkem.GenerateKey768()
	if err != nil {
		t.Fatal(err)
	}
	return plugin.EncodeRecipient("tagpq", append(kem.EncapsulationKey().Bytes(), point...))
}

func sshLine(t testing.TB, pub any) string {
	t.Helper()
	p, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(p)))
}

func TestParseRecipient(t *testing.T) {
	ed, _ := newSSH(t, SSHEd25519, "")
	rsaLine, _ := newSSH(t, SSHRSA, "")
	tests := []struct {
		name      string
		text      string
		kind      Kind
		plugin    string
		pq, known bool
	}{
		{"X25519", newX25519(t).Recipient(), X25519, "", false, true},
		{"hybrid", newHybrid(t).Recipient(), Hybrid, "", true, true},
		{"tag", newTag(t, false), Tag, "", false, true},
		{"hybrid tag", newTag(t, true), TagHybrid, "", true, true},
		{"plugin", plugin.EncodeRecipient("signettest", make([]byte, 16)), Plugin, "signettest", false, false},
		{"ssh-ed25519", ed, SSHEd25519, "", false, true},
		{"ssh-rsa", rsaLine, SSHRSA, "", false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := ParseRecipient("\t" + tt.text + " \n")
			if err != nil {
				t.Fatal(err)
			}
			if r.String() != tt.text || r.Kind() != tt.kind || r.PluginName() != tt.plugin {
				t.Errorf("got %q, %q, %q", r, r.Kind(), r.PluginName())
			}
			if pq, known := r.PostQuantum(); pq != tt.pq || known != tt.known {
				t.Errorf("PostQuantum is %v, %v", pq, known)
			}
		})
	}
}

func TestParseRecipientRefuses(t *testing.T) {
	good := newX25519(t).Recipient()
	ed, edKey := newSSH(t, SSHEd25519, "")
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	small := &rsa.PublicKey{N: new(big.Int).Rsh(testRSAKey().N, 1024), E: testRSAKey().E}
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty", " ", []string{"empty"}},
		{"typo", good[:20] + swap(good[20:21]) + good[21:], []string{`"age1`, "checksum"}},
		{"cut off", good[:len(good)-3], []string{`"age1`, "checksum"}},
		{"hybrid cut off", newHybrid(t).Recipient()[:1900], []string{`"age1pq1`, "checksum"}},
		{"mixed case", good[:30] + strings.ToUpper(good[30:]), []string{"mixed case"}},
		{"unknown prefix", "gpg:0123abcd", []string{`"gpg:0123abcd"`, "unknown prefix"}},
		{"two", good + "," + good, []string{"age1"}},
		{"identity", newX25519(t).Reveal(), []string{"private key"}},
		{"identity in lower case", strings.ToLower(newHybrid(t).Reveal()), []string{"private key"}},
		{"SSH private key", string(edKey), []string{"private key"}},
		{"two lines", ed + "\n" + ed, []string{"more than one line"}},
		{"SSH options", `ssh-x="y" ` + ed, []string{"not an SSH public key"}},
		{"SSH garbage", "ssh-ed25519 AAAA", []string{"not an SSH public key"}},
		{"SSH type that lies", strings.Replace(ed, "ssh-ed25519", "ssh-rsa", 1), []string{"not an SSH public key"}},
		{"ECDSA", "ssh-" + sshLine(t, &ec.PublicKey), []string{"not an SSH public key"}},
		{"small RSA", sshLine(t, small), []string{"too small"}},
		{"too long", ed + strings.Repeat(" x", maxRecipientBytes), []string{"bytes long"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseRecipient(tt.text)
			mustContain(t, err, tt.want...)
			if err != nil && len(err.Error()) > 300 {
				t.Errorf("error has %d bytes", len(err.Error()))
			}
		})
	}
}

// swap returns another letter of the bech32 alphabet.
func swap(s string) string {
	if s == "q" {
		return "p"
	}
	return "q"
}

func TestTagRecipients(t *testing.T) {
	for _, hybrid := range []bool{false, true} {
		a, b := newTag(t, hybrid), newTag(t, hybrid)
		e := wrap(t, a, make([]byte, 32)) // without any plugin
		_, err := NewUnwrapper(Sources{}).Unwrap(t.Context(), e)
		mustContain(t, err, "no matching identity")
		e.Recipient = b
		_, err = NewUnwrapper(Sources{}).Unwrap(t.Context(), e)
		mustContain(t, err, "another key")
	}
}
