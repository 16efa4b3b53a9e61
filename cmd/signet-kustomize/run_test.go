// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/testtool"
	kustomizeplugin "github.com/signet-secrets/signet/kustomize-plugin"
)

func TestUsage(t *testing.T) {
	isolate(t)
	tests := []struct {
		name string
		args []string
		root string // of a kustomization
		want string
	}{
		{"unknown command", []string{"instal", "x"}, "", `unknown command "instal"`},
		{"unknown flag", []string{"--legacy"}, "", `unknown command "--legacy"`},
		{"a terminal", nil, "", "a ResourceList is expected on stdin"},
		{"arguments of version", []string{"version", "x"}, "", `"x" is not expected here`},
		{"install nowhere", []string{"install"}, "", "name a directory to install to"},
		{"install to nothing", []string{"install", ""}, "", "name one directory"},
		{"install twice", []string{"install", "a", "b"}, "", "name one directory"},
		{"install with a flag", []string{"install", "--lagacy", "a"}, "", `unknown flag "--lagacy"`},
		{"plugin with arguments", []string{"config.yaml", "x"}, "/", "argsOneLiner"},
		{"private key", []string{"AGE-SECRET-KEY-1QQPQQPQQPQQPQQ"}, "", `unknown command "(a private key)"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(rootVariable, test.root)
			var out, stderr bytes.Buffer
			p := process{in: strings.NewReader(""), terminal: test.args == nil, out: &out, err: &stderr, options: userOptions(&stderr)}
			code := run(t.Context(), test.args, p)
			if test.args == nil {
				text, rest, _ := strings.Cut(stderr.String(), "verified.\n")
				if text+"verified.\n" != helpText {
					t.Errorf("no help:\n%s", text)
				}
				stderr = *bytes.NewBufferString(rest)
			}
			outcome{code, out.String(), stderr.String()}.failed(t, exitcode.Usage, "signet-kustomize: error: ", test.want, "signet-kustomize: hint: signet-kustomize --help tells more\n")
		})
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) > 0 {
		t.Errorf("files were made: %v, %v", entries, err)
	}
}

func TestHelpAndVersion(t *testing.T) {
	isolate(t)
	for _, args := range [][]string{{"help"}, {"--help"}, {"-h"}, {"install", "--help"}} {
		if o := runProgram(t, "", args...); o != (outcome{0, helpText, ""}) {
			t.Errorf("%q: %+v", args, o)
		}
	}
	for line := range strings.Lines(helpText) {
		if len(line) > 81 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
	for _, arg := range []string{"version", "--version"} {
		if o := runProgram(t, "", arg); o.code != 0 || o.stderr != "" || !strings.HasPrefix(o.stdout, "signet-kustomize ") || !strings.Contains(o.stdout, "\napi signet.dev/v1alpha1\nsops format ") {
			t.Errorf("%s: %+v", arg, o)
		}
	}
}

// Both protocols open a document with the user's own keys.
func TestOpens(t *testing.T) {
	root := isolate(t)
	document, keyFile := sealed(t)
	writeFile(t, "db.yaml", document, 0o600)
	config := filepath.Join(t.TempDir(), "config")
	writeFile(t, config, unsealConfig, 0o600)
	t.Setenv("SOPS_AGE_KEY_FILE", keyFile)
	o := runProgram(t, resourceList())
	if o.code != 0 || !strings.HasPrefix(o.stdout, "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n") || !strings.Contains(o.stdout, encodedValue) {
		t.Errorf("function: %+v", o)
	}
	t.Setenv(rootVariable, root)
	t.Chdir(t.TempDir())
	o = runProgram(t, "", config)
	if o.code != 0 || strings.Contains(o.stdout, "ResourceList") || !strings.Contains(o.stdout, encodedValue) {
		t.Errorf("plugin: %+v", o)
	}
}

func TestDoesNotOpen(t *testing.T) {
	isolate(t)
	document, keyFile := sealed(t)
	stays := func(text string) string { return text }
	tests := []struct {
		name  string
		env   string
		edit  func(string) string
		stdin string
		code  int
		want  []string
	}{
		{"no key", "", stays, resourceList(), exitcode.NotOpened, []string{"db.yaml, document 1, prod/db: open: ", "hint: the private key of one of these recipients opens it: name its file with $SOPS_AGE_KEY_FILE"}},
		{"moved", "SOPS_AGE_KEY_FILE=" + keyFile, func(s string) string { return strings.Replace(s, "namespace: prod", "namespace: test", 1) }, resourceList(), exitcode.NotOpened, []string{"hint: a document opens only where it was sealed for"}},
		{"changed", "SOPS_AGE_KEY_FILE=" + keyFile, func(s string) string { return strings.Replace(s, "type: Opaque", "type: a/b", 1) }, resourceList(), exitcode.NotOpened, []string{"hint: restore it from Git"}},
		{"malformed", "SOPS_AGE_KEY_FILE=" + keyFile, func(s string) string { return strings.Replace(s, "immutable: false", "immutable: 1", 1) }, resourceList(), exitcode.NotOpened, nil},
		{"List", "", func(string) string { return "apiVersion: v1\nkind: List\nitems: []\nsops: {mac: x}\n" }, resourceList(), exitcode.NotOpened, []string{"hint: open it with sops decrypt, take its items out of the List"}},
		{"no YAML", "", func(string) string { return "sops: {\n" }, resourceList(), exitcode.NotOpened, []string{"db.yaml, document 1: read: "}},
		{"unknown object", "", func(s string) string { return strings.Replace(s, "v1alpha1", "v9", 1) }, resourceList(), exitcode.NotOpened, []string{"read: unknown object signet.dev/v9 SealedSecret"}},
		{"no list", "", stays, "kind: List\n", exitcode.Failed, []string{"error: stdin: read: "}},
		{"empty", "", stays, "", exitcode.Failed, []string{"error: stdin: read: "}},
		{"no file", "", stays, strings.Replace(resourceList(), "db.yaml", "missing.yaml", 1), exitcode.Failed, []string{"missing.yaml: "}},
		{"bad allow-list", "SIGNET_ALLOW_KEYS=kms", stays, resourceList(), exitcode.Usage, []string{"error: read $SIGNET_ALLOW_KEYS: ", "hint: an allow-list holds items like"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if name, value, ok := strings.Cut(test.env, "="); ok {
				t.Setenv(name, value)
			}
			writeFile(t, "db.yaml", test.edit(document), 0o600)
			if test.name != "no key" && test.code == exitcode.NotOpened && readFile(t, "db.yaml") == document {
				t.Fatal("the edit changes nothing")
			}
			runProgram(t, test.stdin).failed(t, test.code, append(test.want, "signet-kustomize: error: ")...)
		})
	}
}

func TestFinish(t *testing.T) {
	opening := &report.PlacedError{File: "a.yaml", Document: 1, Operation: "open", Err: errors.New("why")}
	reading := &report.PlacedError{File: "a.yaml", Operation: "read", Err: errors.New("why")}
	tests := []struct {
		name string
		err  error
		code int
		want string
	}{
		{"nothing", nil, 0, ""},
		{"read", reading, exitcode.Failed, "signet-kustomize: error: a.yaml: read: why\n"},
		{"read and opened", errors.Join(reading, opening), exitcode.NotOpened, "signet-kustomize: error: a.yaml: read: why\nsignet-kustomize: error: a.yaml, document 1: open: why\n"},
		{"interrupted", errors.Join(&kustomizeplugin.UntriedError{Count: 3}), exitcode.Failed, "signet-kustomize: error: interrupted\n"},
		{"some not tried", errors.Join(opening, &kustomizeplugin.UntriedError{Count: 3}), exitcode.NotOpened, "signet-kustomize: error: a.yaml, document 1: open: why\nsignet-kustomize: error: and 3 more, not all of which were tried\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var stderr bytes.Buffer
			if code := (process{err: &stderr}).finish(test.err); code != test.code || stderr.String() != test.want {
				t.Errorf("exit %d\n%s", code, stderr.String())
			}
		})
	}
}

type full struct{}

func (full) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "/dev/stdout", Err: errors.New("no space left")}
}

// What cannot be written is an error: kustomize would go on with a part of it.
func TestStdoutFails(t *testing.T) {
	isolate(t)
	document, keyFile := sealed(t)
	writeFile(t, "db.yaml", document, 0o600)
	t.Setenv("SOPS_AGE_KEY_FILE", keyFile)
	var stderr bytes.Buffer
	code := run(t.Context(), nil, process{in: strings.NewReader(resourceList()), out: full{}, err: &stderr, options: userOptions(&stderr)})
	outcome{code, "", stderr.String()}.failed(t, exitcode.Failed, "signet-kustomize: error: write stdout: no space left\n")
}

// A panic must not look like a document that is opened, and not show what was
// in memory.
func TestPanic(t *testing.T) {
	isolate(t)
	document, _ := sealed(t)
	writeFile(t, "db.yaml", document, 0o600)
	tests := []struct {
		role string
		args []string
		want []string
	}{
		{"panic in options", nil, []string{"internal error: "}},
		{"panic in the program", []string{"version"}, []string{"internal error: a panic in cmd/signet-kustomize.panicking.Write\n"}},
	}
	for _, test := range tests {
		t.Run(test.role, func(t *testing.T) {
			r := testtool.Run(t, testtool.Cmd{Path: self(t), Args: test.args, Env: []string{roleVariable + "=" + test.role}, Stdin: []byte(resourceList())})
			outcome{r.ExitCode, string(r.Stdout), string(r.Stderr)}.failed(t, exitcode.Failed, append(test.want, "signet-kustomize: error: ")...)
			for _, never := range []string{"correct horse", "0x", "goroutine"} {
				if strings.Contains(string(r.Stderr), never) {
					t.Errorf("shows %s:\n%s", never, r.Stderr)
				}
			}
		})
	}
}
