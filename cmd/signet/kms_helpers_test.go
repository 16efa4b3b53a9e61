// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/manifest"
)

// newKMS starts a KMS with one key, whose ARN it returns, and moves to an empty
// repository where nothing but that KMS can be used.
func newKMS(t *testing.T) (srv *kmstest.Server, arn string) {
	t.Helper()
	isolate(t)
	if err := os.Mkdir(".git", 0o700); err != nil {
		t.Fatal(err)
	}
	srv = kmstest.Start(t, kmstest.Options{})
	setenv(t, srv.Env()...)
	setenv(t, "VAULT_ADDR=", "VAULT_TOKEN=", "GNUPGHOME=/nonexistent")
	unsetenv(t, userkeys.AllowVariable) // set to nothing it would allow nothing
	return srv, srv.CreateKey(kmstest.Key{})
}

func setenv(t *testing.T, env ...string) {
	t.Helper()
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
}

func unsetenv(t *testing.T, name string) {
	t.Helper()
	t.Setenv(name, "") // so that the test framework sets it back
	os.Unsetenv(name)
}

// newSealingKey makes a SealingKey in the repository and returns its recipient.
func newSealingKey(t *testing.T, name, arn string, args ...string) string {
	t.Helper()
	return strings.TrimSpace(mustRun(t, "", append([]string{"key", "create", name, "--kms", arn}, args...)...))
}

// manySecrets returns n Secrets that differ in all that they hold.
func manySecrets(n int) []*manifest.Secret {
	all := make([]*manifest.Secret, n)
	for i := range all {
		all[i] = &manifest.Secret{
			Name: fmt.Sprintf("s%03d", i), Namespace: "prod", Type: "Opaque",
			Labels:     map[string]string{"number": fmt.Sprint(i)},
			StringData: map[string]string{"password": fmt.Sprintf("correct horse battery staple %d", i)},
			Data:       map[string][]byte{"key": {byte(i), byte(i >> 8), 0xff}},
		}
	}
	return all
}

// secretStream writes Secrets as one stream.
func secretStream(t testing.TB, secrets []*manifest.Secret) string {
	t.Helper()
	texts := make([]string, len(secrets))
	for i, s := range secrets {
		texts[i] = writeSecret(t, s, false)
	}
	return strings.Join(texts, "---\n")
}

// documents takes a stream apart.
func documents(t testing.TB, stream string) []string {
	t.Helper()
	split, err := manifest.Split([]byte(stream))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, doc := range split.Documents {
		if doc.Index > 0 {
			all = append(all, strings.TrimPrefix(string(doc.Raw()), "---\n"))
		}
	}
	return all
}

// writeDocuments writes each document of a stream to a file of its own.
func writeDocuments(t testing.TB, dir, stream string) {
	t.Helper()
	for i, doc := range documents(t, stream) {
		writeTestFile(t, filepath.Join(dir, fmt.Sprintf("%03d.yaml", i)), doc)
	}
}

// sameSecrets compares an opened stream with what was sealed, Secret by Secret.
func sameSecrets(t testing.TB, stream string, want []*manifest.Secret) {
	t.Helper()
	got := documents(t, stream)
	if len(got) != len(want) {
		t.Fatalf("%d documents came out, want %d", len(got), len(want))
	}
	for i, doc := range got {
		sameSecret(t, doc, want[i])
	}
}

// failsClosed checks that a command refused to open: its exit code, and that
// it wrote nothing but messages, which contain every one of parts.
func failsClosed(t testing.TB, o outcome, parts ...string) {
	t.Helper()
	if o.code != exitcode.NotOpened || o.stdout != "" {
		t.Errorf("exit %d with %d bytes on stdout, want %d and none\n%.2000s", o.code, len(o.stdout), exitcode.NotOpened, o.stderr)
	}
	for _, part := range parts {
		if !strings.Contains(o.stderr, part) {
			t.Errorf("stderr does not contain %q:\n%.4000s", part, o.stderr)
		}
	}
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s never came true", what)
		}
	}
}

// noLeak returns a function that waits until there are no more goroutines than
// there are now.
func noLeak(t testing.TB) func() {
	t.Helper()
	before := runtime.NumGoroutine()
	return func() {
		t.Helper()
		deadline := time.Now().Add(20 * time.Second)
		for ; runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				stacks := make([]byte, 1<<20)
				t.Fatalf("%d goroutines, there were %d:\n%.20000s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
			}
		}
	}
}
