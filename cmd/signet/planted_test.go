// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/keys"
)

// TestPlantedSealingKeys bounds what a repository full of SealingKeys for one
// recipient makes of each error.
func TestPlantedSealingKeys(t *testing.T) {
	srv, arn := newKMS(t)
	recipient := newSealingKey(t, "prod", arn, "--namespaces", "elsewhere")
	sealed := mustRun(t, secretStream(t, manySecrets(5)), "seal", "--age", recipient, "-")
	key := readTestFile(t, userkeys.SealingKeyDir+"/prod.yaml")
	for i := range 3 {
		writeTestFile(t, filepath.Join(userkeys.SealingKeyDir, fmt.Sprintf("a%d.yaml", i)), strings.Repeat(key+"---\n", 150))
	}
	srv.ResetCounts()
	got := runSignet(t, sealed, "unseal", "-")
	failsClosed(t, got, "which 8 SealingKeys have", "may not open documents of namespace prod")
	const most = 5 * (100 + 3) // details of each, with error, hint and "and 5 more lines"
	if lines := strings.Count(got.stderr, "\n"); lines > most {
		t.Errorf("%d lines of errors", lines)
	}
	if n := srv.Count(""); n != 0 {
		t.Errorf("%d calls", n)
	}
}

// TestManySealingKeyFiles protects every command from a folder that is too
// large to be read, without failing those that need nothing in it.
func TestManySealingKeyFiles(t *testing.T) {
	_, arn := newKMS(t)
	recipient := newSealingKey(t, "prod", arn)
	sealed := mustRun(t, secretStream(t, manySecrets(1)), "seal", "--kms", arn, "-")
	keyed := mustRun(t, secretStream(t, manySecrets(1)), "seal", "--age", recipient, "-")
	if err := os.Rename(userkeys.SealingKeyDir+"/prod.yaml", userkeys.SealingKeyDir+"/z.yaml"); err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		writeTestFile(t, filepath.Join(userkeys.SealingKeyDir, fmt.Sprintf("a%d.yaml", i)), "# "+strings.Repeat("x", 1<<20-10)+"\n")
	}
	got := runSignet(t, sealed, "unseal", "-")
	if got.code != 0 || !strings.Contains(got.stderr, "passed over, and so are the SealingKeys after it") {
		t.Errorf("exit %d\n%s", got.code, got.stderr)
	}
	failsClosed(t, runSignet(t, keyed, "unseal", "-"), "passed over", "no matching identity")
	mustRun(t, keyed, "unseal", "--sealing-key", userkeys.SealingKeyDir+"/z.yaml", "-")
}

// TestCallsOfOneDocument bounds the calls that one document causes together
// with the SealingKeys that it needs.
func TestCallsOfOneDocument(t *testing.T) {
	srv, arn := newKMS(t)
	var arns, recipients []string
	for range 20 {
		arns = append(arns, srv.CreateKey(kmstest.Key{}))
	}
	for i := range 4 {
		recipients = append(recipients, newSealingKey(t, fmt.Sprintf("k%d", i), strings.Join(arns, ","), "--classic"))
	}
	sealed := mustRun(t, secretStream(t, manySecrets(1)), "seal", "--kms", arn, "--age", strings.Join(recipients, ","), "-")
	srv.Deny(kmstest.Denial{Operation: "Decrypt"})
	srv.ResetCounts()
	failsClosed(t, runSignet(t, sealed, "unseal", "-"), fmt.Sprintf("%d keys were tried, the others were not", keys.MaxCalls))
	// A SealingKey that fails counts beside the calls for it.
	if n := srv.Count("Decrypt"); n > keys.MaxCalls || n < keys.MaxCalls-len(recipients) {
		t.Errorf("%d calls, want up to %d", n, keys.MaxCalls)
	}
}

// TestExportIsNotForSignet protects the namespaces of a SealingKey from the
// variable that lets stock sops open documents: signet, which reads it too,
// must not get the identity past its own checks.
func TestExportIsNotForSignet(t *testing.T) {
	program := buildSignet(t) // needs the working directory that newKMS leaves
	srv, arn := newKMS(t)
	recipient := newSealingKey(t, "limited", arn, "--namespaces", "elsewhere")
	sealed := mustRun(t, secretStream(t, manySecrets(1)), "seal", "--age", recipient, "-")
	for _, command := range []string{" key export", " key export limited"} {
		t.Run(command, func(t *testing.T) {
			t.Setenv("SOPS_AGE_KEY_CMD", program+command)
			srv.ResetCounts()
			failsClosed(t, runSignet(t, sealed, "unseal", "-"), "may not open documents of namespace prod")
			if n := srv.Count(""); n != 0 {
				t.Errorf("%d calls", n)
			}
		})
	}
	got := runSignet(t, "", "key", "export")
	if got.code != exitcode.Failed || got.stdout != "" || !strings.Contains(got.stderr, "signet key export limited") {
		t.Errorf("exit %d, stdout %q\n%s", got.code, got.stdout, got.stderr)
	}
	if out := mustRun(t, "", "key", "export", "limited"); !strings.Contains(out, "AGE-SECRET-KEY-PQ-1") {
		t.Error("the named key is not exported")
	}
}

// TestAllowListThatCannotBeRead fails closed where somebody wanted a list.
func TestAllowListThatCannotBeRead(t *testing.T) {
	srv, arn := newKMS(t)
	sealed := mustRun(t, secretStream(t, manySecrets(1)), "seal", "--kms", arn, "-")
	config := t.TempDir()
	tests := []struct {
		name    string
		prepare func(t *testing.T)
		says    string // "" if the document opens
	}{
		{"none", func(t *testing.T) { t.Setenv("XDG_CONFIG_HOME", config) }, ""},
		{"link that leads nowhere", func(t *testing.T) {
			t.Setenv("XDG_CONFIG_HOME", config)
			if err := os.Mkdir(config+"/signet", 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("/nonexistent/list", config+"/signet/allow-keys"); err != nil {
				t.Fatal(err)
			}
		}, "allow-keys: no such file or directory"},
		{"relative configuration directory", func(t *testing.T) { t.Setenv("XDG_CONFIG_HOME", "relative") }, "read $XDG_CONFIG_HOME: is not an absolute path"},
		{"no home", func(t *testing.T) { t.Setenv("XDG_CONFIG_HOME", ""); t.Setenv("HOME", "") }, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.prepare(t)
			srv.ResetCounts()
			got := runSignet(t, sealed, "unseal", "-")
			if test.says == "" {
				if got.code != 0 {
					t.Errorf("exit %d\n%s", got.code, got.stderr)
				}
				return
			}
			if got.code == 0 || got.stdout != "" || !strings.Contains(got.stderr, test.says) || srv.Count("") != 0 {
				t.Errorf("exit %d, %d calls\n%s", got.code, srv.Count(""), got.stderr)
			}
		})
	}
}
