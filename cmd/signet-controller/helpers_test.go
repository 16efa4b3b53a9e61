// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/internal/testcluster"
	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal/keys/agekey"
)

// asProgram names the variable that makes the test binary another program: the
// controller itself, or one of children.
const asProgram = "TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	switch name := os.Getenv(asProgram); name {
	case "":
		os.Exit(m.Run())
	case "signet-controller":
		main()
	default:
		children()[name]()
	}
}

// outcome is what a command line did.
type outcome struct {
	code           int
	stdout, stderr string
}

// runController runs a command line in this process that ends before anything
// is started.
func runController(t testing.TB, environ []string, args ...string) outcome {
	t.Helper()
	var out, err bytes.Buffer
	p := process{out: &out, err: &err, environ: environ, namespaceFile: filepath.Join(t.TempDir(), "none")}
	code := run(t.Context(), args, p)
	return outcome{code, out.String(), err.String()}
}

// parse returns the options of a command line, with what is wrong with them.
func parse(t testing.TB, environ []string, args ...string) (*options, error) {
	t.Helper()
	o := &options{}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.add(flags)
	if err := flags.Parse(args); err != nil {
		return nil, flagError(err)
	}
	_, err := o.fromEnvironment(flags, environ)
	if err == nil {
		file := filepath.Join(t.TempDir(), "namespace")
		writeTestFile(t, file, "signet-system")
		err = o.finish(file)
	}
	return o, err
}

func mustParse(t testing.TB, args ...string) *options {
	t.Helper()
	o, err := parse(t, nil, args...)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return o
}

// child is a process of this test binary as another program.
type child struct {
	*testtool.Process
	cmd    *exec.Cmd
	stderr *testtool.Buffer
}

// startChild starts a program. It is killed when the test ends.
func startChild(t testing.TB, program string, env []string, args ...string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0], args...), stderr: &testtool.Buffer{}}
	c.cmd.Env = append(append(os.Environ(), env...), asProgram+"="+program)
	c.cmd.Stderr, c.cmd.Stdout = c.stderr, c.stderr
	var err error
	if c.Process, err = testtool.Start(c.cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.End(syscall.SIGKILL, patience) })
	return c
}

// patience is how long a test waits for what must happen.
const patience = 60 * time.Second

// exit waits for the end of the process and returns its exit code.
func (c *child) exit(t testing.TB) int {
	t.Helper()
	select {
	case <-c.Ended():
		return c.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		t.Fatalf("the process does not end:\n%s", c.stderr)
		return 0
	}
}

// says waits until the process has written text.
func (c *child) says(t testing.TB, text string) {
	t.Helper()
	eventually(t, func() bool {
		ended := !c.Running() // asked first: it may still say it before its end
		said := strings.Contains(c.stderr.String(), text)
		if ended && !said {
			t.Fatalf("the process ended without %q:\n%s", text, c.stderr)
		}
		return said
	})
}

// eventually waits for a condition.
func eventually(t testing.TB, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatal("it does not happen")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// newKMS starts a KMS that nothing but the environment of this process leads to.
func newKMS(t *testing.T) *kmstest.Server {
	t.Helper()
	srv := kmstest.Start(t, kmstest.Options{})
	setenv(t, srv.Env()...)
	return srv
}

func setenv(t *testing.T, env ...string) {
	t.Helper()
	for _, item := range env {
		name, value, _ := strings.Cut(item, "=")
		t.Setenv(name, value)
	}
}

// newKeyFile returns the path of a file with a new age identity, and the
// identity.
func newKeyFile(t testing.TB) (string, agekey.Identity) {
	t.Helper()
	id, err := agekey.GenerateClassicIdentity()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "keys.txt")
	writeTestFile(t, path, string(id.File(time.Unix(0, 0))))
	return path, id
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

// freeAddress returns an address that nobody listens at.
func freeAddress(t testing.TB) string {
	t.Helper()
	addresses, err := testcluster.FreeAddresses(1)
	if err != nil {
		t.Fatal(err)
	}
	return addresses[0]
}

// kubeconfig returns the path of a file that leads to an API server.
func kubeconfig(t testing.TB, url string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	writeTestFile(t, path, `apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "`+url+`"}}]
users: [{name: test, user: {token: correct-horse-battery-staple}}]
contexts: [{name: test, context: {cluster: test, user: test}}]
current-context: test
`)
	return path
}
