// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
)

// keyFile is an age identity in a file.
type keyFile struct {
	path      string
	recipient string
	identity  agekey.Identity
}

func newKeyFile(t testing.TB) keyFile {
	t.Helper()
	id, err := agekey.GenerateClassicIdentity()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "keys.txt")
	writeTestFile(t, path, string(id.File(time.Unix(0, 0))))
	return keyFile{path, id.Recipient(), id}
}

// isolate is testtool.Isolate, and moves to an empty directory, whose path it
// returns.
func isolate(t *testing.T) string {
	t.Helper()
	testtool.Isolate(t)
	dir := t.TempDir()
	t.Chdir(dir)
	return dir
}

// outcome is what a command line did.
type outcome struct {
	code           int
	stdout, stderr string
}

// runSignet runs a command line in this process.
func runSignet(t testing.TB, stdin string, args ...string) outcome {
	t.Helper()
	var out, err bytes.Buffer
	code := run(t.Context(), args, console{in: strings.NewReader(stdin), out: &out, err: &err})
	return outcome{code, out.String(), err.String()}
}

// mustRun is runSignet for a command line that has to succeed.
func mustRun(t testing.TB, stdin string, args ...string) string {
	t.Helper()
	o := runSignet(t, stdin, args...)
	if o.code != 0 {
		t.Fatalf("signet %.200q: exit %d\n%s", args, o.code, o.stderr)
	}
	return o.stdout
}

// buildSignet builds the program as it is released: what the race detector
// adds would spoil measurements of time and memory.
func buildSignet(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signet")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

func writeTestFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readTestFile(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// parseDocument parses one document, or fails the test.
func parseDocument(t testing.TB, text string) *yaml.Node {
	t.Helper()
	n, err := manifest.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	return n
}

// encodeLoose writes a tree as YAML without the checks of package manifest, so
// that it may be malformed in every way that YAML can write.
func encodeLoose(t testing.TB, n *yaml.Node) string {
	t.Helper()
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(n); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// nodes is a list of one document.
func nodes(n *yaml.Node) []*yaml.Node { return []*yaml.Node{n} }
