// SPDX-License-Identifier: Apache-2.0

package userkeys

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// isolate is testtool.Isolate, and moves to an empty repository, whose path it
// returns.
func isolate(t *testing.T) string {
	t.Helper()
	testtool.Isolate(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, ".git"), "")
	t.Chdir(dir)
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// identity returns a new age key pair and a file with its private half.
func identity(t *testing.T) (agekey.Identity, string) {
	t.Helper()
	id, err := agekey.GenerateClassicIdentity()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "keys.txt")
	write(t, path, string(id.File(time.Unix(0, 0))))
	return id, path
}

func recipients(recipient string) keys.Recipients {
	return keys.Recipients{Groups: []keys.Group{{keys.AgeEntry{Recipient: recipient}}}}
}

// sealingKey writes a SealingKey that an age identity opens, and returns its
// recipient.
func sealingKey(t *testing.T, path, name, openedBy string) string {
	t.Helper()
	id, _ := identity(t)
	wrapper, err := Sources{}.Wrapper()
	if err != nil {
		t.Fatal(err)
	}
	result, err := seal.NewKey(t.Context(), seal.KeyOptions{
		Name: name, Namespaces: []string{sopsdoc.Any}, Identity: id, Recipients: recipients(openedBy), Wrapper: wrapper, Now: time.Unix(0, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := manifest.EncodeYAML(manifest.Root(result.Node))
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(text))
	return id.Recipient()
}

const secret = `apiVersion: v1
kind: Secret
metadata: {name: db, namespace: prod}
stringData: {password: correct horse battery staple}
`

// contains fails the test if text lacks a part.
func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q lacks %q", text, part)
		}
	}
}
