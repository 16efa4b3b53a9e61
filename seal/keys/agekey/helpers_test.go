// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/signet-secrets/signet/seal/keys"
	"golang.org/x/crypto/ssh"
)

// All keys in these tests are made at test time and open nothing else.

// TestMain lets the test binary stand in for plugins (see plugin_test.go).
func TestMain(m *testing.M) {
	if name := filepath.Base(os.Args[0]); strings.HasPrefix(name, "age-plugin-") {
		os.Exit(fakePlugin(strings.TrimPrefix(name, "age-plugin-")))
	}
	os.Exit(m.Run())
}

func newX25519(t testing.TB) Identity {
	t.Helper()
	id, err := GenerateClassicIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func newHybrid(t testing.TB) Identity {
	t.Helper()
	id, err := GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// testRSAKey is shared because it takes long to make.
var testRSAKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// newSSH returns a recipient and a private key, protected unless pass is "".
func newSSH(t testing.TB, kind Kind, pass string) (recipient string, private []byte) {
	t.Helper()
	var key any = testRSAKey()
	var pub any = &testRSAKey().PublicKey
	if kind == SSHEd25519 {
		p, k, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		key, pub = k, p
	}
	sshPub, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	var block *pem.Block
	if pass == "" {
		block, err = ssh.MarshalPrivateKey(key, "test key")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "test key", []byte(pass))
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(sshPub))) + " test@example", pem.EncodeToMemory(block)
}

func write(t testing.TB, path string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func tempFile(t testing.TB, data string) string {
	t.Helper()
	return write(t, filepath.Join(t.TempDir(), "key.txt"), []byte(data))
}

func wrap(t testing.TB, recipient string, secret []byte) keys.AgeEntry {
	t.Helper()
	e, err := NewWrapper(nil).Wrap(t.Context(), keys.AgeEntry{Recipient: recipient}, secret)
	if err != nil {
		t.Fatal(err)
	}
	return e.(keys.AgeEntry)
}

// encryptFor returns an armored age file for any recipients.
func encryptFor(t testing.TB, secret []byte, recipients ...age.Recipient) string {
	t.Helper()
	return armored(t, encryptBinaryFor(t, secret, recipients...))
}

func encryptBinaryFor(t testing.TB, secret []byte, recipients ...age.Recipient) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := age.Encrypt(&b, recipients...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(secret); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func armored(t testing.TB, file []byte) string {
	t.Helper()
	var b bytes.Buffer
	w := armor.NewWriter(&b)
	if _, err := w.Write(file); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func dearmored(t testing.TB, enc string) []byte {
	t.Helper()
	file, err := io.ReadAll(armor.NewReader(strings.NewReader(enc)))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func scryptRecipient(t testing.TB, pass string) age.Recipient {
	t.Helper()
	r, err := age.NewScryptRecipient(pass)
	if err != nil {
		t.Fatal(err)
	}
	r.SetWorkFactor(10)
	return r
}

func native(t testing.TB, recipient string) age.Recipient {
	t.Helper()
	r, err := ParseRecipient(recipient)
	if err != nil {
		t.Fatal(err)
	}
	return r.native
}

// env is a LookupEnv over a map.
func env(m map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := m[name]
		return v, ok
	}
}

// prompter answers every prompt with pass and remembers the prompts.
type prompter struct {
	mu      sync.Mutex
	pass    string
	prompts []string
}

func (p *prompter) prompt(text string) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.prompts = append(p.prompts, text)
	return []byte(p.pass), nil
}

func (p *prompter) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.prompts)
}

func mustContain(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not say %q", err, p)
		}
	}
}
