// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/unseal"
)

// The test binary is also the program: roleVariable says which part of it.
const (
	roleVariable = "SIGNET_TEST_ROLE"
	panicText    = "correct horse battery staple" // what a panic must not show
)

func TestMain(m *testing.M) {
	role, is := os.LookupEnv(roleVariable)
	if !is {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	p := process{in: os.Stdin, out: os.Stdout, err: os.Stderr, options: userOptions(os.Stderr)}
	switch role {
	case "panic in options":
		p.options = func(string, bool, *userkeys.Watch) (unseal.Options, error) { panic(panicText) }
	case "panic in the program":
		p.in = panicking{}
		p.out = panicking{}
	case "copy": // os.Args[1] to os.Args[2]
		_, err := copies{ctx: ctx, source: os.Args[1], notes: report.Printer{Program: program, W: os.Stderr}}.all(os.Args[2:])
		os.Exit(p.finish(err))
	}
	code := run(ctx, os.Args[1:], p)
	stop()
	os.Exit(code)
}

type panicking struct{}

func (panicking) Read([]byte) (int, error)  { panic([]byte(panicText)) }
func (panicking) Write([]byte) (int, error) { panic([]byte(panicText)) }

// self is this test binary.
func self(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// isolate is testtool.Isolate, and moves to an empty directory, which is the
// root of a kustomization, and whose path it returns.
func isolate(t *testing.T) string {
	t.Helper()
	testtool.Isolate(t)
	dir := t.TempDir()
	t.Chdir(dir)
	return dir
}

func writeFile(t testing.TB, path, text string, perm os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), perm); err != nil {
		t.Fatal(err)
	}
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// outcome is what a command line did.
type outcome struct {
	code           int
	stdout, stderr string
}

// runProgram runs a command line in this process.
func runProgram(t testing.TB, stdin string, args ...string) outcome {
	t.Helper()
	var out, err bytes.Buffer
	code := run(t.Context(), args, process{in: strings.NewReader(stdin), out: &out, err: &err, options: userOptions(&err)})
	return outcome{code, out.String(), err.String()}
}

// failed checks that a run failed with a code and an empty stdout, and said
// all of parts.
func (o outcome) failed(t testing.TB, code int, parts ...string) {
	t.Helper()
	if o.code != code || o.stdout != "" {
		t.Errorf("exit %d, want %d; %d bytes on stdout", o.code, code, len(o.stdout))
	}
	for _, part := range parts {
		if !strings.Contains(o.stderr, part) {
			t.Errorf("stderr lacks %q:\n%s", part, o.stderr)
		}
	}
	for line := range strings.Lines(o.stderr) {
		if !strings.HasPrefix(line, program+": ") && !strings.HasPrefix(line, "  ") {
			t.Errorf("a line of stderr without the program's name: %s", line)
		}
	}
}

const plainSecret = `apiVersion: v1
kind: Secret
metadata: {name: db, namespace: prod}
stringData: {password: correct horse battery staple}
`

// encodedValue is the value of plainSecret as it comes out.
const encodedValue = "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ=="

// sealed is plainSecret, sealed for a new identity, which lies in the file.
func sealed(t testing.TB) (document, keyFile string) {
	t.Helper()
	id, err := agekey.GenerateClassicIdentity()
	if err != nil {
		t.Fatal(err)
	}
	keyFile = filepath.Join(t.TempDir(), "keys.txt")
	writeFile(t, keyFile, string(id.File(time.Unix(0, 0))), 0o600)
	n, err := manifest.Parse([]byte(plainSecret))
	if err != nil {
		t.Fatal(err)
	}
	result, err := seal.Seal(t.Context(), n, nil, seal.Options{
		Recipients: keys.Recipients{Groups: []keys.Group{{keys.AgeEntry{Recipient: id.Recipient()}}}},
		Wrapper:    keys.Wrappers{keys.Age: agekey.NewWrapper(nil)},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := manifest.EncodeYAML(manifest.Root(result.Node))
	if err != nil {
		t.Fatal(err)
	}
	return string(text), keyFile
}

// unsealConfig is the configuration of a generator that opens db.yaml.
const unsealConfig = `apiVersion: signet.dev/v1alpha1
kind: Unseal
metadata:
  name: secrets
  annotations:
    config.kubernetes.io/function: "exec: {path: signet-kustomize}"
files: [db.yaml]
`

// resourceList is what kustomize sends to that generator.
func resourceList() string {
	indented := strings.ReplaceAll(strings.TrimSpace(unsealConfig), "\n", "\n  ")
	return "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\nfunctionConfig:\n  " + indented + "\n"
}

var _ io.ReadWriter = panicking{}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(fmt.Sprint("waited in vain until ", what))
		}
	}
}
