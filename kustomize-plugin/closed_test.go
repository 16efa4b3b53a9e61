// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys/agekey"
)

// bad is a lab with one SealedSecret, listed in both ways in which it can be
// opened.
func bad(t *testing.T) *lab {
	l := newLab(t)
	l.write(t, "generator/kustomization.yaml", "generators: [unseal.yaml]\n")
	l.write(t, "generator/unseal.yaml", unsealing("db.yaml"))
	l.write(t, "generator/db.yaml", l.sealed(t, "prod", "db"))
	l.write(t, "transformer/kustomization.yaml", "resources: [db.yaml]\ntransformers: [unseal.yaml]\n")
	l.write(t, "transformer/unseal.yaml", unsealing())
	l.write(t, "transformer/db.yaml", l.sealed(t, "prod", "db"))
	return l
}

// TestFailsClosed builds what cannot be opened: kustomize must fail, and print
// nothing that could be applied.
func TestFailsClosed(t *testing.T) {
	other, err := agekey.GenerateClassicIdentity()
	mustDo(t, err)
	tests := []struct {
		name string
		edit func(document string) string
		env  string
		want string
	}{
		{"wrong key", nil, identityIn + "=" + other.Reveal(), "db: open: "},
		{"no key", nil, identityIn + "=", "no identity"},
		{"panic", nil, faultIn + "=panic", "internal error: a panic in kustomize-plugin_test.panicking.Unwrap"},
		{"tampered scope", func(d string) string { return strings.ReplaceAll(d, "scope: prod/db", "scope: '*/*'") }, "", "binding"},
		{"tampered type", func(d string) string { return strings.Replace(d, "type: Opaque", "type: example.com/x", 1) }, "", "db: open: "},
		{"copied to another namespace", func(d string) string { return strings.Replace(d, "namespace: prod", "namespace: other", 1) }, "", "the document was sealed for prod/db, not for other/db"},
		{"cut off", func(d string) string { return d[:strings.Index(d, "    sops:")] }, "", "db: open: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := bad(t)
			for _, dir := range []string{"generator", "transformer"} {
				if test.edit != nil {
					path := filepath.Join(l.dir, dir, "db.yaml")
					before, err := os.ReadFile(path)
					mustDo(t, err)
					after := test.edit(string(before))
					if after == string(before) {
						t.Fatal("the test changes nothing")
					}
					mustDo(t, os.WriteFile(path, []byte(after), 0o644))
				} else if out := l.mustBuild(t, dir); !strings.Contains(out, inClear()) {
					t.Fatalf("does not open as it is:\n%s", out)
				}
				failsClosed(t, l.build(t, "kustomize", dir, test.env), test.want)
			}
		})
	}
}

// TestKeyServiceDown needs AWS KMS, which answers in several wrong ways.
func TestKeyServiceDown(t *testing.T) {
	srv := kmstest.Start(t, kmstest.Options{})
	for _, kv := range srv.Env() {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
	arn := srv.CreateKey(kmstest.Key{})
	l := newLab(t)
	l.write(t, "kustomization.yaml", "generators: [unseal.yaml]\n")
	l.write(t, "unseal.yaml", unsealing("db*.yaml"))
	for i := range 3 {
		l.write(t, fmt.Sprintf("db%d.yaml", i), l.sealedFor(t, arn, "prod", fmt.Sprintf("db%d", i)))
	}
	srv.ResetCounts()
	if out := l.mustBuild(t, "."); strings.Count(out, inClear()) != 3 {
		t.Fatalf("does not open as it is:\n%s", out)
	}
	if n := srv.Count("Decrypt"); n != 3 {
		t.Errorf("%d calls for 3 documents", n)
	}
	tests := []struct {
		name string
		make func()
		want string
	}{
		{"denied", func() { srv.Deny(kmstest.Denial{Operation: "Decrypt"}) }, "AccessDeniedException"},
		{"failing", func() { srv.AllowAll(); srv.SetFaults(kmstest.Faults{ServerError: 1}) }, "db0.yaml, document 1, prod/db0: open: "},
		{"disabled", func() { srv.SetFaults(kmstest.Faults{}); srv.SetState(arn, kmstest.Disabled) }, "DisabledException"},
		{"gone", srv.Close, "db2.yaml, document 1, prod/db2: open: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.make()
			failsClosed(t, l.build(t, "kustomize", "."), test.want)
		})
	}
}

// TestOneBadAmongMany has 200 good documents to be printed, and one that spoils
// them all.
func TestOneBadAmongMany(t *testing.T) {
	l := newLab(t)
	l.write(t, "kustomization.yaml", "generators: [unseal.yaml]\n")
	l.write(t, "unseal.yaml", unsealing("many/*.yaml"))
	for i := range 200 {
		l.write(t, fmt.Sprintf("many/%03d.yaml", i), l.sealed(t, "prod", fmt.Sprintf("s%03d", i)))
	}
	if out := l.mustBuild(t, "."); strings.Count(out, inClear()) != 200 {
		t.Fatalf("%d of 200 Secrets", strings.Count(out, inClear()))
	}
	l.write(t, "many/137.yaml", strings.Replace(l.sealed(t, "prod", "s137"), "type: Opaque", "type: example.com/x", 1))
	failsClosed(t, l.build(t, "kustomize", "."), "many/137.yaml, document 1, prod/s137: open: ")
}

// TestReadsBelowRootOnly names files that must not be read, and things that
// must not be waited for.
func TestReadsBelowRootOnly(t *testing.T) {
	const outside = "leads out of the directory that is read"
	tests := []struct {
		name  string
		files string
		make  func(dir string) error // dir is the kustomization
		want  string                 // "" if it can be read
	}{
		{"above", "../db.yaml", nil, outside},
		{"above and back", "../build/../db.yaml", nil, outside},
		{"above by a pattern", "../*.yaml", nil, outside},
		{"absolute", "/etc/passwd", nil, outside},
		{"symlink that leads out", "link.yaml", func(dir string) error { return os.Symlink("../db.yaml", filepath.Join(dir, "link.yaml")) }, outside},
		{"symlink that leads out, by a pattern", "li*.yaml", func(dir string) error { return os.Symlink("../db.yaml", filepath.Join(dir, "link.yaml")) }, outside},
		{"absolute symlink", "link.yaml", func(dir string) error {
			return os.Symlink(filepath.Join(dir, "db.yaml"), filepath.Join(dir, "link.yaml"))
		}, outside},
		{"folder that leads out", "sub/db.yaml", func(dir string) error { return os.Symlink("..", filepath.Join(dir, "sub")) }, outside},
		{"folder that leads out, by a pattern", "sub/*.yaml", func(dir string) error { return os.Symlink("..", filepath.Join(dir, "sub")) }, outside},
		{"symlink inside", "link.yaml", func(dir string) error { return os.Symlink("db.yaml", filepath.Join(dir, "link.yaml")) }, ""},
		{"folder inside", "sub/d?.yaml", func(dir string) error { return os.Symlink("real", filepath.Join(dir, "sub")) }, ""},
		{"named pipe", "pipe.yaml", func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o644) }, "pipe.yaml: read: is not a regular file"},
		{"named pipe, by a pattern", "p*.yaml", func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o644) }, "pipe.yaml: read: is not a regular file"},
		{"named pipe as a folder", "p*/*.yaml", func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644) }, "p*/*.yaml: read: no file matches"},
		{"named pipe as the last folder", "pipe/*.yaml", func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644) }, "read: no file matches"},
		{"folder", "real", nil, "real: read: is a directory"},
		{"link to itself", "link.yaml", func(dir string) error { return os.Symlink("link.yaml", filepath.Join(dir, "link.yaml")) }, "link.yaml: read: "},
		{"malformed pattern", "[.yaml", nil, "is a malformed pattern"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			document := l.sealed(t, "prod", "db")
			l.write(t, "db.yaml", document)
			l.write(t, "build/db.yaml", document)
			l.write(t, "build/real/db.yaml", document)
			l.write(t, "build/kustomization.yaml", "generators: [unseal.yaml]\n")
			l.write(t, "build/unseal.yaml", unsealing(test.files))
			if test.make != nil {
				mustDo(t, test.make(filepath.Join(l.dir, "build")))
			}
			got := l.build(t, "kustomize", "build")
			switch {
			case test.want != "":
				failsClosed(t, got, test.want)
			case got.ExitCode != 0 || !strings.Contains(string(got.Stdout), inClear()):
				t.Errorf("exit code %d\n%s", got.ExitCode, got.Stderr)
			}
		})
	}
}

// TestSkipped shows what the manual warns of: without --enable-exec kustomize
// leaves the function out and succeeds. If this fails, the manual can be
// changed.
func TestSkipped(t *testing.T) {
	l := bad(t)
	for dir, want := range map[string]string{"generator": "", "transformer": "kind: SealedSecret"} {
		for program, args := range map[string][]string{
			"kubectl":   {"kustomize", "--enable-alpha-plugins"},
			"kustomize": {"build", "--enable-alpha-plugins"},
		} {
			got := l.run(t, program, dir, args)
			if got.ExitCode != 0 || len(got.Stderr) > 0 || !strings.Contains(string(got.Stdout), want) || strings.Contains(string(got.Stdout), "kind: Secret") {
				t.Errorf("%s, %s: exit code %d\n%s%s", program, dir, got.ExitCode, got.Stdout, got.Stderr)
			}
			failsClosed(t, l.run(t, program, dir, args[:1]), "external plugins disabled")
		}
	}
}
