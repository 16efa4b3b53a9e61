// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
)

// eventually waits for a condition.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("condition was never met")
		}
	}
}

// mustNotLeak fails when the text of v, in any form, holds 8 characters in a
// row of a canary, or of its hex or base64.
func mustNotLeak(t *testing.T, v any, canaries ...string) {
	t.Helper()
	const window = 8
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		text := fmt.Sprintf(verb, v)
		for _, c := range canaries {
			forms := []string{c, strings.ToLower(c), hex.EncodeToString([]byte(c)),
				strings.ToUpper(hex.EncodeToString([]byte(c))), base64.StdEncoding.EncodeToString([]byte(c)),
				strings.Trim(fmt.Sprintf("%d", []byte(c)), "[]")}
			for _, form := range forms {
				for i := 0; i+window*2 <= len(form); i++ {
					if w := form[i : i+window*2]; len(form) > len(c)+1 && strings.Contains(text, w) {
						t.Fatalf("%s leaks (encoded): %s", verb, text)
					}
				}
			}
			for i := 0; i+window <= len(c); i++ {
				if strings.Contains(strings.ToUpper(text), strings.ToUpper(c[i:i+window])) {
					t.Fatalf("%s leaks: %s", verb, text)
				}
			}
		}
	}
}

// keyPart is what must not show: an identity without its public prefix.
func keyPart(id Identity) string {
	return strings.TrimPrefix(strings.TrimPrefix(id.Reveal(), "AGE-SECRET-KEY-PQ-1"), "AGE-SECRET-KEY-1")
}

func TestIdentitiesAreHidden(t *testing.T) {
	for _, id := range []Identity{newX25519(t), newHybrid(t)} {
		type outer struct {
			Public  Identity
			private Identity
			list    []Identity
		}
		o := outer{id, id, []Identity{id}}
		s := Sources{Identities: []Identity{id}, LookupEnv: env(map[string]string{envKey: id.Reveal()})}
		u := NewUnwrapper(s)
		if _, err := u.Unwrap(t.Context(), wrap(t, id.Recipient(), make([]byte, 32))); err != nil {
			t.Fatal(err)
		}
		f, err := s.loadAge()
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []any{id, &id, *id.key, id.key, o, &o, s, &s, u, *u, f, *f.ids[0], []any{id}, map[string]any{"a": id}} {
			mustNotLeak(t, v, keyPart(id))
			if b, err := json.Marshal(v); err == nil && strings.Contains(string(b), keyPart(id)[:8]) {
				t.Errorf("JSON leaks: %s", b)
			}
		}
	}
}

// brokenInputs are texts that hold a key where none can be used.
func brokenInputs(t *testing.T, id Identity, sshKey string) map[string]string {
	t.Helper()
	key, canary := id.Reveal(), keyPart(id)
	return map[string]string{
		"typo":            key[:len(key)-1] + swap(strings.ToLower(key[len(key)-1:])),
		"checksum":        key[:30] + strings.ToUpper(swap(strings.ToLower(key[30:31]))) + key[31:],
		"bad character":   key[:30] + "b" + key[31:],
		"separator":       key[:40] + "1" + key[41:],
		"lower case":      strings.ToLower(key),
		"missing prefix":  key[4:],
		"data part alone": canary,
		"quoted":          `"` + key + `"`,
		"assignment":      "SOPS_AGE_KEY=" + key,
		"yaml":            "key: " + key,
		"with comma":      key + "," + key,
		"plugin prefix":   "AGE-PLUGIN-" + canary + "-1" + canary,
		"pq prefix":       "AGE-SECRET-KEY-PQ-1" + canary,
		"control bytes":   key + "\x00\x1b[2J",
		"not UTF-8":       key + "\xff",
		"ssh":             strings.Replace(sshKey, "OPENSSH", "FOO", 1),
		"ssh cut off":     sshKey[:len(sshKey)/2],
		"pem of key":      "-----BEGIN " + key + "-----\n" + canary + "\n-----END " + key + "-----\n",
		"armor of key":    "-----BEGIN AGE ENCRYPTED FILE-----\n" + key + "\n-----END AGE ENCRYPTED FILE-----\n",
		"age header":      "age-encryption.org/v1\n-> " + key + "\n" + key + "\n--- " + key + "\n",
		"armored header":  armored(t, []byte("age-encryption.org/v1\n-> "+key+" "+key+"\n"+key+"\n--- "+key+"\n")),
		"stanza type":     encryptFor(t, nil, fakeRecipient{{Type: key, Args: []string{canary}, Body: []byte(canary)}}),
	}
}

// Errors for broken inputs of every sort hold no part of a key.
func TestErrorsHoldNoKeys(t *testing.T) {
	id := newX25519(t)
	canary := keyPart(id)
	_, sshKey := newSSH(t, SSHEd25519, "")
	sshBody := strings.Join(strings.Split(strings.TrimSpace(string(sshKey)), "\n")[1:4], "")
	enc := wrap(t, id.Recipient(), make([]byte, 32)).Enc
	for name, text := range brokenInputs(t, id, string(sshKey)) {
		t.Run(name, func(t *testing.T) {
			check := func(what string, err error) {
				t.Helper()
				if err == nil {
					return
				}
				mustNotLeak(t, err, canary, sshBody)
				mustNotLeak(t, errors.Unwrap(err), canary, sshBody)
				t.Logf("%s: %v", what, err)
			}
			_, err := ParseRecipient(text)
			check("as recipient", err)
			_, err = ParseIdentity(text)
			check("as identity", err)
			other := keys.AgeEntry{Recipient: newX25519(t).Recipient(), Enc: enc}
			for what, s := range map[string]Sources{
				"file":     {Files: []string{tempFile(t, text)}},
				"path":     {Files: []string{filepath.Join(t.TempDir(), "x"), text}},
				"bad path": {Files: []string{text}},
				"variables": {LookupEnv: env(map[string]string{
					envKey: text, envKeyFile: text, envSSHKeyFile: text, envSSHKeyCmd: text, envKeyCmd: text})},
				"output": {LookupEnv: env(map[string]string{envKeyCmd: "cat '" + tempFile(t, text) + "'"})},
			} {
				_, err = NewUnwrapper(s).Unwrap(t.Context(), other)
				check(what, err)
			}
			u := NewUnwrapper(Sources{Identities: []Identity{id}})
			_, err = u.Unwrap(t.Context(), keys.AgeEntry{Recipient: id.Recipient(), Enc: text})
			check("as entry", err)
			_, err = u.Unwrap(t.Context(), keys.AgeEntry{Recipient: text, Enc: enc})
			check("as recipient of an entry", err)
		})
	}
}
