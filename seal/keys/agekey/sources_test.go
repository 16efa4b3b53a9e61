// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"filippo.io/age/plugin"
	"github.com/google/go-cmp/cmp"
	"github.com/signet-secrets/signet/seal/keys"
)

// Each place alone is enough.
func TestEachSource(t *testing.T) {
	id := newX25519(t)
	ed, edKey := newSSH(t, SSHEd25519, "")
	rsa, rsaKey := newSSH(t, SSHRSA, "")
	home := t.TempDir()
	config := t.TempDir()
	write(t, filepath.Join(home, ".ssh", "id_rsa"), rsaKey)
	write(t, filepath.Join(config, "sops", "age", "keys.txt"), []byte("# comment\r\n\r\n"+id.Reveal()+"\r\n"))
	file, sshFile := tempFile(t, id.Reveal()), tempFile(t, string(edKey))
	edHome := t.TempDir()
	write(t, filepath.Join(edHome, ".ssh", "id_ed25519"), edKey)
	variables := func(kv ...string) Sources {
		m := map[string]string{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i]] = kv[i+1]
		}
		return Sources{LookupEnv: env(m)}
	}
	other := newHybrid(t)
	tests := []struct {
		name      string
		recipient string
		sources   Sources
	}{
		{"identities", id.Recipient(), Sources{Identities: []Identity{other, id}}},
		{"files", id.Recipient(), Sources{Files: []string{tempFile(t, other.Reveal()), file}}},
		{"SSH file", ed, Sources{Files: []string{sshFile}}},
		{"SOPS_AGE_KEY", id.Recipient(), variables(envKey, id.Reveal())},
		{"SOPS_AGE_KEY, newline", id.Recipient(), variables(envKey, other.Reveal()+"\n# x\n"+id.Reveal()+"\n")},
		{"SOPS_AGE_KEY, space", id.Recipient(), variables(envKey, other.Reveal()+" "+id.Reveal())},
		{"SOPS_AGE_KEY_FILE", id.Recipient(), variables(envKeyFile, file)},
		{"SOPS_AGE_KEY_CMD", id.Recipient(), variables(envKeyCmd, "cat '"+file+"'")},
		{"keys.txt", id.Recipient(), Sources{ConfigDir: config}},
		{"SOPS_AGE_SSH_PRIVATE_KEY_FILE", ed, variables(envSSHKeyFile, sshFile)},
		{"SOPS_AGE_SSH_PRIVATE_KEY_CMD", ed, variables(envSSHKeyCmd, "cat '"+sshFile+"'")},
		{"id_ed25519", ed, Sources{HomeDir: edHome}},
		{"id_rsa", rsa, Sources{HomeDir: home}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			secret := keys.GenerateDataKey().Bytes()
			e := wrap(t, tt.recipient, secret)
			got, err := NewUnwrapper(tt.sources).Unwrap(t.Context(), e)
			if err != nil || !bytes.Equal(got, secret) {
				t.Fatalf("got %d bytes, %v", len(got), err)
			}
		})
	}
}

// What is broken does no harm when something else fits.
func TestBrokenPlacesStandAside(t *testing.T) {
	id := newX25519(t)
	ed, edKey := newSSH(t, SSHEd25519, "")
	home, config := t.TempDir(), t.TempDir()
	write(t, filepath.Join(home, ".ssh", "id_rsa"), []byte("-----BEGIN NOTHING-----\n"))
	write(t, filepath.Join(home, ".ssh", "id_ed25519"), edKey)
	write(t, filepath.Join(config, "sops", "age", "keys.txt"), []byte(id.Recipient()))
	s := Sources{
		Identities: []Identity{id},
		ConfigDir:  config,
		HomeDir:    home,
		LookupEnv: env(map[string]string{
			envKey: "nonsense", envKeyFile: filepath.Join(home, "missing"), envKeyCmd: "",
			envSSHKeyFile: home, envSSHKeyCmd: "exit-with-failure",
		}),
	}
	for _, r := range []string{id.Recipient(), ed} {
		if _, err := NewUnwrapper(s).Unwrap(t.Context(), wrap(t, r, make([]byte, 32))); err != nil {
			t.Error(err)
		}
	}
}

func TestNoIdentityPlaces(t *testing.T) {
	home, config := t.TempDir(), t.TempDir()
	write(t, filepath.Join(home, ".ssh", "id_ed25519"), []byte("-----BEGIN NOTHING-----\n"))
	keysTxt := write(t, filepath.Join(config, "sops", "age", "keys.txt"), []byte("# none\n"))
	file := tempFile(t, newX25519(t).Reveal())
	s := Sources{
		Files: []string{file}, ConfigDir: config, HomeDir: home,
		LookupEnv: env(map[string]string{envKey: "", envKeyFile: file + "x", envKeyCmd: "sh -c 'exit 3'"}),
	}
	ed, _ := newSSH(t, SSHEd25519, "")
	_, err := NewUnwrapper(s).Unwrap(t.Context(), wrap(t, ed, make([]byte, 32)))
	none := new(NoIdentityError)
	if !errors.As(err, &none) {
		t.Fatal(err)
	}
	want := []Place{
		{quotePath(file), "1 identity"},
		{"SOPS_AGE_KEY", "set but empty"},
		{"SOPS_AGE_KEY_FILE=" + quotePath(file+"x"), "not found"},
		{quotePath(keysTxt), "no identity in it"},
		{"SOPS_AGE_SSH_PRIVATE_KEY_FILE", "not set"},
		{quotePath(filepath.Join(home, ".ssh", "id_ed25519")),
			"not a private SSH key that age can use (ed25519 or RSA, OpenSSH or PEM)"},
		{quotePath(filepath.Join(home, ".ssh", "id_rsa")), "not found"},
		{"SOPS_AGE_KEY_CMD", "the command ended with exit status 3"},
		{"SOPS_AGE_SSH_PRIVATE_KEY_CMD", "not set"},
	}
	if diff := cmp.Diff(want, none.Places); diff != "" {
		t.Error(diff)
	}
	mustContain(t, err, "no matching identity; looked in ", "SOPS_AGE_KEY (set but empty), ")
}

// Files that were named must work, whatever else is at hand.
func TestExplicitFiles(t *testing.T) {
	id := newX25519(t)
	e := wrap(t, id.Recipient(), make([]byte, 32))
	unreadable := tempFile(t, id.Reveal())
	if err := os.Chmod(unreadable, 0); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, path, want string }{
		{"missing", filepath.Join(t.TempDir(), "missing"), "not found"},
		{"directory", t.TempDir(), "directory"},
		{"unreadable", unreadable, "permission denied"},
		{"empty", tempFile(t, "# nothing"), "no identity in it"},
		{"recipient", tempFile(t, "\n"+id.Recipient()), "line 2: it is a recipient (a public key)"},
		{"SSH recipient", tempFile(t, "ssh-ed25519 AAAA"), "it is a recipient (a public key)"},
		{"malformed", tempFile(t, id.Reveal()+"A"), "line 1: it is malformed"},
		{"too long", tempFile(t, string(make([]byte, maxKeyFileBytes+1))), "longer than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name == "unreadable" && os.Getuid() == 0 {
				t.Skip("root reads everything")
			}
			u := NewUnwrapper(Sources{Identities: []Identity{id}, Files: []string{tt.path}})
			_, err := u.Unwrap(t.Context(), e)
			mustContain(t, err, "age key file", quotePath(tt.path), tt.want)
			if errors.Is(err, keys.ErrNoIdentity) {
				t.Error("counts as no identity")
			}
		})
	}
}

// Nothing is read before the first Unwrap that needs it, and nothing twice.
func TestLaziness(t *testing.T) {
	id := newX25519(t)
	ed, edKey := newSSH(t, SSHEd25519, "")
	home := t.TempDir()
	file := filepath.Join(home, "key.txt")
	var mu sync.Mutex
	looked := map[string]int{}
	u := NewUnwrapper(Sources{
		Files:   []string{file},
		HomeDir: home,
		LookupEnv: func(name string) (string, bool) {
			mu.Lock()
			defer mu.Unlock()
			looked[name]++
			return "", false
		},
	})
	if len(looked) != 0 {
		t.Error("NewUnwrapper looks at the environment")
	}
	write(t, file, []byte(id.Reveal())) // only now
	e := wrap(t, id.Recipient(), make([]byte, 32))
	if _, err := u.Unwrap(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{envKeyCmd, envSSHKeyCmd, envSSHKeyFile} {
		if looked[name] != 0 {
			t.Errorf("%s was looked at without need", name)
		}
	}
	before := looked[envKey]
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Unwrap(t.Context(), e); err != nil || looked[envKey] != before {
		t.Errorf("places are read twice: %v", err)
	}
	write(t, filepath.Join(home, ".ssh", "id_ed25519"), edKey) // only now
	if _, err := u.Unwrap(t.Context(), wrap(t, ed, make([]byte, 32))); err != nil {
		t.Error(err)
	}
}

func TestConcurrentUse(t *testing.T) {
	dir := t.TempDir()
	log := write(t, filepath.Join(dir, "log"), nil)
	id, cmdID, secretID := newX25519(t), newHybrid(t), newX25519(t)
	ed, edKey := newSSH(t, SSHEd25519, "correct")
	cmdFile := tempFile(t, cmdID.Reveal())
	p := &prompter{pass: "correct"}
	u := NewUnwrapper(Sources{
		Files: []string{
			tempFile(t, id.Reveal()), tempFile(t, string(edKey)),
			tempFile(t, string(encryptBinaryFor(t, []byte(secretID.Reveal()), scryptRecipient(t, "correct")))),
		},
		LookupEnv: env(map[string]string{envKeyCmd: "sh -c 'echo x >>" + log + "; cat " + cmdFile + "'"}),
		Prompt:    p.prompt,
	})
	var wg sync.WaitGroup
	for _, r := range []string{id.Recipient(), cmdID.Recipient(), secretID.Recipient(), ed} {
		secret := keys.GenerateDataKey().Bytes()
		e := wrap(t, r, secret)
		for range 8 {
			wg.Go(func() {
				got, err := u.Unwrap(t.Context(), e)
				if err != nil || !bytes.Equal(got, secret) {
					t.Errorf("got %d bytes, %v", len(got), err)
				}
			})
		}
	}
	wg.Wait()
	if p.count() != 2 {
		t.Errorf("%d prompts, want one for each of two keys: %q", p.count(), p.prompts)
	}
	b, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if want := "x\nx\nx\n"; string(b) != want { // not for the recipient of the file at hand
		t.Errorf("the command ran %d times, want 3", len(b)/2)
	}
}

func TestFromEnvironment(t *testing.T) {
	home, config := t.TempDir(), t.TempDir()
	id := newX25519(t)
	write(t, filepath.Join(config, "sops", "age", "keys.txt"), []byte(id.Reveal()))
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", config)
	for _, name := range []string{envKey, envKeyFile, envKeyCmd, envSSHKeyFile, envSSHKeyCmd} {
		t.Setenv(name, "")
	}
	if runtime.GOOS == "windows" {
		t.Skip("the directories come from other variables")
	}
	s := FromEnvironment()
	if s.HomeDir != home || s.ConfigDir != config || s.Prompt != nil || s.Plugins != (*plugin.ClientUI)(nil) {
		t.Errorf("got %q, %q", s.HomeDir, s.ConfigDir)
	}
	if _, err := NewUnwrapper(s).Unwrap(t.Context(), wrap(t, id.Recipient(), make([]byte, 32))); err != nil {
		t.Error(err)
	}
}
