// SPDX-License-Identifier: Apache-2.0

package keys_test

import (
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"filippo.io/age/plugin"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
)

// TestAllowPluginAgrees holds the plugin that the allow-list sees against the
// one that package agekey would run. Where agekey refuses a recipient, the list
// may see anything.
func TestAllowPluginAgrees(t *testing.T) {
	tests := map[string]string{
		"upper case":       strings.ToUpper(plugin.EncodeRecipient("yubikey", []byte("x"))),
		"upper hybrid":     strings.ToUpper(hybrid(t)),
		"mixed case":       "age1YubiKey" + plugin.EncodeRecipient("yubikey", []byte("x"))[len("age1yubikey"):],
		"no plugin name":   "age11qqqqqqqq",
		"prefix alone":     "age1",
		"two prefixes":     "age1age1qqqqqqq",
		"hybrid and more":  plugin.EncodeRecipient("pq1x", []byte("x")),
		"tag and more":     plugin.EncodeRecipient("tag1x", []byte("x")),
		"not a tag":        plugin.EncodeRecipient("tag", []byte("x")),
		"empty":            "",
		"spaces":           "  ",
		"SSH with comment": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIsf7vVsT8jcIt0jdMBCDYFMEXwAUUyCZSQdQu3FTAPx age1x1qq",
	}
	for name, recipient := range wellFormed(t) {
		tests[name] = recipient
		tests[name+" in white space"] = " \t" + recipient + "\r\n"
		tests[name+" after a no-break space"] = "\u00a0" + recipient
	}
	for name, recipient := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := agekey.ParseRecipient(recipient)
			if err != nil {
				t.Logf("agekey refuses it: %v", err)
				return
			}
			seen := ""
			err = keys.AllowList{}.Check(keys.AgeEntry{Recipient: recipient})
			if no := new(keys.NotAllowedError); errors.As(err, &no) {
				seen = no.Value
			}
			if seen != r.PluginName() {
				t.Errorf("the allow-list sees the plugin %q, agekey %q", seen, r.PluginName())
			}
		})
	}
}

// wellFormed holds recipients that agekey must take.
func wellFormed(t *testing.T) map[string]string {
	classic, err := agekey.GenerateClassicIdentity()
	if err != nil {
		t.Fatal(err)
	}
	point, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	kem, err := mlkem.GenerateKey768()
	if err != nil {
		t.Fatal(err)
	}
	p := point.PublicKey().Bytes()
	all := map[string]string{
		"classic":    classic.Recipient(),
		"hybrid":     hybrid(t),
		"tag":        plugin.EncodeRecipient("tag", append([]byte{2 + p[64]&1}, p[1:33]...)),
		"hybrid tag": plugin.EncodeRecipient("tagpq", append(kem.EncapsulationKey().Bytes(), p...)),
	}
	for _, name := range []string{"yubikey", "se", "fido2-hmac", "1", "11", "x1", "1x", "pq2", "tags", "pqtag", "a.b_c+d-e", "..", "age1"} {
		all["plugin "+name] = plugin.EncodeRecipient(name, []byte("some data"))
	}
	for name, recipient := range all {
		if _, err := agekey.ParseRecipient(recipient); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return all
}

func hybrid(t *testing.T) string {
	id, err := agekey.GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id.Recipient()
}
