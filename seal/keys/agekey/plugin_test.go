// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"
	"filippo.io/age/plugin"
	"github.com/signet-secrets/signet/seal/keys"
)

// pluginLog is the variable with the file to which the fake plugins add a byte
// each time one is started.
const pluginLog = "SIGNET_TEST_PLUGIN_LOG"

// fakePlugin is the main function of age-plugin-<name>.
func fakePlugin(name string) int {
	if f, err := os.OpenFile(os.Getenv(pluginLog), os.O_APPEND|os.O_WRONLY, 0); err == nil {
		_, _ = f.WriteString("x")
		_ = f.Close()
	}
	if name == "signethang" {
		_, _ = io.Copy(io.Discard, os.Stdin) // until the client is gone
		return 1
	}
	p, err := plugin.New(name)
	if err != nil {
		return 1
	}
	p.HandleRecipient(func(data []byte) (age.Recipient, error) { return toyKey{name, data}, nil })
	p.HandleIdentity(func(data []byte) (age.Identity, error) { return toyKey{name, data}, nil })
	return p.Main()
}

// toyKey is a recipient and its identity: it adds a constant to the file key.
type toyKey struct {
	name string
	data []byte
}

const pluginCanary = "CANARYCANARYCANARYCANARYCANARY"

func (k toyKey) stanza(fileKey []byte) *age.Stanza {
	h := sha256.Sum256(k.data)
	body := make([]byte, len(fileKey))
	for i := range body {
		body[i] = fileKey[i] ^ h[i]
	}
	return &age.Stanza{Type: k.name, Args: []string{hex.EncodeToString(h[28:])}, Body: body}
}

func (k toyKey) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	s := k.stanza(fileKey)
	switch k.name {
	case "signettwo":
		return []*age.Stanza{s, s}, nil
	case "signetnative":
		s.Type = "X25519"
	}
	return []*age.Stanza{s}, nil
}

func (k toyKey) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if k.name == "signetfail" {
		return nil, errors.New("no token inserted " + pluginCanary + " AGE-PLUGIN-SIGNETFAIL-1" + pluginCanary)
	}
	for _, s := range stanzas {
		if want := k.stanza(make([]byte, 16)); s.Type == want.Type && s.Args[0] == want.Args[0] {
			return k.stanza(s.Body).Body, nil
		}
	}
	return nil, age.ErrIncorrectIdentity
}

// installPlugins puts the test binary on PATH under the names, and returns a
// function that counts how often one was started.
func installPlugins(t *testing.T, names ...string) func() int {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, n := range names {
		if err := os.Symlink(self, filepath.Join(dir, "age-plugin-"+n)); err != nil {
			t.Fatal(err)
		}
	}
	log := tempFile(t, "")
	t.Setenv(pluginLog, log)
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return func() int {
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return len(b)
	}
}

func pluginKey(name string) (recipient, identity string) {
	data := make([]byte, 16)
	rand.Read(data)
	return plugin.EncodeRecipient(name, data), plugin.EncodeIdentity(name, data)
}

func TestPluginRoundTrip(t *testing.T) {
	started := installPlugins(t, "signettest")
	recipient, identity := pluginKey("signettest")
	secret := []byte("secret of the plugin test")
	e, err := NewWrapper(&plugin.ClientUI{}).Wrap(t.Context(), keys.AgeEntry{Recipient: recipient}, secret)
	if err != nil {
		t.Fatal(err)
	}
	native := newX25519(t)
	u := NewUnwrapper(Sources{
		Files:   []string{tempFile(t, identity+"\n"+native.Reveal())},
		Plugins: &plugin.ClientUI{},
	})
	got, err := u.Unwrap(t.Context(), e)
	if err != nil || !bytes.Equal(got, secret) {
		t.Fatalf("got %q, %v", got, err)
	}
	before := started()
	if _, err := u.Unwrap(t.Context(), wrap(t, native.Recipient(), secret)); err != nil {
		t.Fatal(err)
	}
	if started() != before {
		t.Error("the plugin was started although a native identity fits")
	}
	_, other := pluginKey("signettest")
	u = NewUnwrapper(Sources{Files: []string{tempFile(t, other)}, Plugins: &plugin.ClientUI{}})
	if _, err := u.Unwrap(t.Context(), e); !errors.Is(err, keys.ErrNoIdentity) {
		t.Errorf("another plugin identity: got %v, want ErrNoIdentity", err)
	}
}

func TestPluginsNotAllowed(t *testing.T) {
	started := installPlugins(t, "signettest")
	recipient, identity := pluginKey("signettest")
	_, err := NewWrapper(nil).Wrap(t.Context(), keys.AgeEntry{Recipient: recipient}, make([]byte, 32))
	mustContain(t, err, `plugin "signettest"`, "not allowed")

	e := keys.AgeEntry{Recipient: recipient, Enc: encryptFor(t, make([]byte, 32), toyKey{"signettest", nil})}
	native := newX25519(t)
	u := NewUnwrapper(Sources{Files: []string{tempFile(t, identity+"\n"+native.Reveal())}})
	_, err = u.Unwrap(t.Context(), e)
	mustContain(t, err, `plugin "signettest"`, "not allowed")
	if !errors.Is(err, keys.ErrNoIdentity) {
		t.Errorf("%v does not wrap ErrNoIdentity", err)
	}
	if _, err := u.Unwrap(t.Context(), wrap(t, native.Recipient(), make([]byte, 32))); err != nil {
		t.Errorf("native identity beside that of a plugin: %v", err)
	}
	if n := started(); n != 0 {
		t.Errorf("a plugin was started %d times", n)
	}
}

func TestPluginFailures(t *testing.T) {
	installPlugins(t, "signettwo", "signetnative", "signetfail")
	w := NewWrapper(&plugin.ClientUI{})
	for _, tt := range []struct{ name, want string }{
		{"signettwo", "2 recipient stanzas"},
		{"signetnative", "plugin recipient does not write"},
		{"signetmissing", "age-plugin-signetmissing is not in PATH"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			recipient, _ := pluginKey(tt.name)
			_, err := w.Wrap(t.Context(), keys.AgeEntry{Recipient: recipient}, make([]byte, 32))
			mustContain(t, err, tt.want)
		})
	}
	t.Run("unwrap", func(t *testing.T) {
		recipient, identity := pluginKey("signetfail")
		e, err := w.Wrap(t.Context(), keys.AgeEntry{Recipient: recipient}, make([]byte, 32))
		if err != nil {
			t.Fatal(err)
		}
		s := Sources{Files: []string{tempFile(t, identity)}, Plugins: &plugin.ClientUI{}}
		_, err = NewUnwrapper(s).Unwrap(t.Context(), e)
		mustContain(t, err, "age-plugin-signetfail", "no token inserted", "[...]")
		mustNotLeak(t, err, pluginCanary)
		if errors.Is(err, keys.ErrNoIdentity) {
			t.Error("the failure of the plugin named by the entry counts as no identity")
		}
		// For the recipient of somebody else the same failure is only a note.
		_, err = NewUnwrapper(s).Unwrap(t.Context(), wrap(t, newX25519(t).Recipient(), make([]byte, 32)))
		mustContain(t, err, "no token inserted")
		mustNotLeak(t, err, pluginCanary)
		if !errors.Is(err, keys.ErrNoIdentity) {
			t.Errorf("%v does not wrap ErrNoIdentity", err)
		}
	})
}

func TestPluginLeftBehind(t *testing.T) {
	started := installPlugins(t, "signethang")
	recipient, _ := pluginKey("signethang")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := NewWrapper(&plugin.ClientUI{}).Wrap(ctx, keys.AgeEntry{Recipient: recipient}, make([]byte, 32))
		done <- err
	}()
	eventually(t, func() bool { return started() > 0 })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
