// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"path/filepath"
	"testing"

	"github.com/signet-secrets/signet/seal/keys"
)

func TestProtectedIdentityFile(t *testing.T) {
	id := newHybrid(t)
	text := []byte("# test key\n" + id.Reveal() + "\n")
	binary := encryptBinaryFor(t, text, scryptRecipient(t, "correct"))
	for name, file := range map[string]string{"binary": string(binary), "armored": "\n" + armored(t, binary)} {
		t.Run(name, func(t *testing.T) {
			p := &prompter{pass: "correct"}
			other := newX25519(t)
			path := tempFile(t, file)
			u := NewUnwrapper(Sources{Files: []string{path}, Identities: []Identity{other}, Prompt: p.prompt})
			if _, err := u.Unwrap(t.Context(), wrap(t, other.Recipient(), make([]byte, 32))); err != nil || p.count() != 0 {
				t.Errorf("%d prompts although another identity fits, %v", p.count(), err)
			}
			ed, _ := newSSH(t, SSHEd25519, "")
			if _, err := u.Unwrap(t.Context(), wrap(t, ed, make([]byte, 32))); !errors.Is(err, keys.ErrNoIdentity) || p.count() != 0 {
				t.Errorf("%d prompts for an SSH recipient, %v", p.count(), err)
			}
			for range 3 {
				if _, err := u.Unwrap(t.Context(), wrap(t, id.Recipient(), make([]byte, 32))); err != nil {
					t.Fatal(err)
				}
			}
			if want := "Enter passphrase for identity file " + quotePath(path) + ":"; p.count() != 1 || p.prompts[0] != want {
				t.Errorf("prompts are %q, want one %q", p.prompts, want)
			}
		})
	}
}

func TestProtectedIdentityFileFailures(t *testing.T) {
	id := newX25519(t)
	e := wrap(t, id.Recipient(), make([]byte, 32))
	file := encryptFor(t, []byte(id.Reveal()), scryptRecipient(t, "correct"))
	failing := func(string) ([]byte, error) { return nil, errors.New("typed hunter2, then gave up") }
	_, pluginID := pluginKey("signettest")
	tests := []struct {
		name, file string
		prompt     func(string) ([]byte, error)
		want       string
		none       bool // counts as no identity
	}{
		{"no prompt", file, nil, "nothing here can ask", true},
		{"wrong", file, (&prompter{pass: "wrong"}).prompt, "wrong passphrase", true},
		{"empty", file, (&prompter{}).prompt, "passphrase given is empty", true},
		{"given up", file, failing, "no passphrase was given", true},
		{"recipient inside", encryptFor(t, []byte(id.Recipient()), scryptRecipient(t, "x")), (&prompter{pass: "x"}).prompt,
			"decrypted, line 1: it is a recipient", true},
		{"nothing inside", encryptFor(t, nil, scryptRecipient(t, "x")), (&prompter{pass: "x"}).prompt, "no identity in it", true},
		{"plugin inside", encryptFor(t, []byte(pluginID), scryptRecipient(t, "x")), (&prompter{pass: "x"}).prompt, "not allowed", true},
		{"damaged", armored(t, append(dearmored(t, file), 0)), (&prompter{pass: "correct"}).prompt, "damaged", true},
		{"not a passphrase", encryptFor(t, nil, native(t, id.Recipient())), nil, "not with a passphrase", false},
		{"garbage", "age-encryption.org/v1\n", nil, "encrypted, but", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewUnwrapper(Sources{Files: []string{tempFile(t, tt.file)}, Prompt: tt.prompt}).Unwrap(t.Context(), e)
			mustContain(t, err, tt.want)
			mustNotLeak(t, err, "typed hunter2", keyPart(id))
			if errors.Is(err, keys.ErrNoIdentity) != tt.none {
				t.Errorf("%v: ErrNoIdentity is %v", err, !tt.none)
			}
		})
	}
}

// A command is run rather than the user asked.
func TestCommandBeforePrompt(t *testing.T) {
	id := newX25519(t)
	p := &prompter{pass: "correct"}
	u := NewUnwrapper(Sources{
		Files:     []string{tempFile(t, encryptFor(t, []byte(id.Reveal()), scryptRecipient(t, "correct")))},
		LookupEnv: env(map[string]string{envKeyCmd: "cat '" + tempFile(t, id.Reveal()) + "'"}),
		Prompt:    p.prompt,
	})
	if _, err := u.Unwrap(t.Context(), wrap(t, id.Recipient(), make([]byte, 32))); err != nil || p.count() != 0 {
		t.Errorf("%d prompts, %v", p.count(), err)
	}
}

// A wrong passphrase is not asked for again for each document.
func TestWrongPassphraseOnce(t *testing.T) {
	id := newX25519(t)
	ed, edKey := newSSH(t, SSHEd25519, "correct")
	p := &prompter{pass: "wrong"}
	u := NewUnwrapper(Sources{Prompt: p.prompt, Files: []string{
		tempFile(t, encryptFor(t, []byte(id.Reveal()), scryptRecipient(t, "correct"))), tempFile(t, string(edKey)),
	}})
	for range 2 {
		for _, r := range []string{id.Recipient(), ed} {
			_, err := u.Unwrap(t.Context(), wrap(t, r, make([]byte, 32)))
			mustContain(t, err, "wrong passphrase")
		}
	}
	if p.count() != 2 {
		t.Errorf("%d prompts, want 2", p.count())
	}
}

func TestProtectedSSHKey(t *testing.T) {
	for _, kind := range []Kind{SSHEd25519, SSHRSA} {
		t.Run(string(kind), func(t *testing.T) {
			recipient, key := newSSH(t, kind, "correct")
			other, _ := newSSH(t, SSHEd25519, "")
			path := tempFile(t, string(key))
			e := wrap(t, recipient, make([]byte, 32))
			p := &prompter{pass: "correct"}
			u := NewUnwrapper(Sources{LookupEnv: env(map[string]string{envSSHKeyFile: path}), Prompt: p.prompt})
			if _, err := u.Unwrap(t.Context(), wrap(t, other, make([]byte, 32))); !errors.Is(err, keys.ErrNoIdentity) || p.count() != 0 {
				t.Errorf("%d prompts for another key, %v", p.count(), err)
			}
			for range 2 {
				if _, err := u.Unwrap(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
			if want := "Enter passphrase for SSH key " + quotePath(path) + ":"; p.count() != 1 || p.prompts[0] != want {
				t.Errorf("prompts are %q, want one %q", p.prompts, want)
			}
			_, err := NewUnwrapper(Sources{Files: []string{path}}).Unwrap(t.Context(), e)
			mustContain(t, err, quotePath(path), "nothing here can ask")
			if errors.Is(err, keys.ErrNoIdentity) {
				t.Error("a key that matches counts as no identity")
			}
		})
	}
}

// Old PEM files do not hold the public key: it is read from beside them.
func TestProtectedOldPEM(t *testing.T) {
	recipient, _ := newSSH(t, SSHRSA, "")
	//lint:ignore SA1019 the format that is tested
	block, err := x509.EncryptPEMBlock(rand.Reader, "RSA PRIVATE KEY",
		x509.MarshalPKCS1PrivateKey(testRSAKey()), []byte("correct"), x509.PEMCipherAES256)
	if err != nil {
		t.Fatal(err)
	}
	path := write(t, filepath.Join(t.TempDir(), "id_rsa"), pem.EncodeToMemory(block))
	e := wrap(t, recipient, make([]byte, 32))
	s := Sources{LookupEnv: env(map[string]string{envSSHKeyFile: path}), Prompt: (&prompter{pass: "correct"}).prompt}
	_, err = NewUnwrapper(s).Unwrap(t.Context(), e)
	mustContain(t, err, quotePath(path+".pub"), "not found")
	write(t, path+".pub", []byte(recipient+"\n"))
	if _, err := NewUnwrapper(s).Unwrap(t.Context(), e); err != nil {
		t.Error(err)
	}
	s.LookupEnv = env(map[string]string{envSSHKeyCmd: "cat " + path})
	_, err = NewUnwrapper(s).Unwrap(t.Context(), e)
	mustContain(t, err, "without the public key")
}

// A prompt that nobody answers does not hold Unwrap when its context ends.
func TestPromptLeftBehind(t *testing.T) {
	id := newX25519(t)
	asked, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	u := NewUnwrapper(Sources{
		Files: []string{tempFile(t, encryptFor(t, []byte(id.Reveal()), scryptRecipient(t, "x")))},
		Prompt: func(string) ([]byte, error) {
			close(asked)
			<-release
			return nil, errors.New("too late")
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if _, err := u.Unwrap(ctx, wrap(t, id.Recipient(), make([]byte, 32))); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
