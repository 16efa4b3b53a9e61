// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/tree"
	kustomizeplugin "github.com/signet-secrets/signet/kustomize-plugin"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/unseal"
)

// A small folder cannot keep a build busy: not with the same pattern many times,
// which is looked for once, not with many patterns, and not with links to itself.
func TestPatternsAreBounded(t *testing.T) {
	l := newLab(t)
	for i := range 500 {
		l.write(t, fmt.Sprintf("f%03d.yaml", i), "a: b\n")
	}
	var many strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&many, "- f*%d*\n", 10_000+i)
	}
	for i := range 10 {
		mustDo(t, os.Symlink(".", filepath.Join(l.dir, fmt.Sprintf("l%d", i))))
	}
	config := strings.TrimSuffix(unsealing(), "\n") + "\nfiles:\n"
	for _, test := range []struct {
		name, patterns, want string
		tooMuch              bool
	}{
		{name: "the same", patterns: strings.Repeat("- 'f*'\n", 60_000), want: "f000.yaml, document 1: read: is no Kubernetes object"},
		{name: "many", patterns: "- 'f*'\n" + many.String(), want: ": read: ", tooMuch: true},
		{name: "links to itself", patterns: "- '*/*/*/*/*/*/*/*/*/*/nothing'\n", want: "*/nothing: read: too many files and directories", tooMuch: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			err := l.function().Run(context.Background(), strings.NewReader(resourceList(config+test.patterns)), &out)
			if err == nil || !strings.Contains(err.Error(), test.want) || errors.Is(err, tree.ErrTooMuch) != test.tooMuch || out.Len() > 0 {
				t.Fatalf("error %.300v, want %q", err, test.want)
			}
			if hint := kustomizeplugin.Hint(err); test.tooMuch && !strings.Contains(hint, "narrower") {
				t.Errorf("hint %q", hint)
			}
		})
	}
}

// The limit of bytes is for all files together, and says so.
func TestFilesAreBounded(t *testing.T) {
	l := newLab(t)
	for name, size := range map[string]int64{"a.yaml": 1, "b.yaml": manifest.MaxStreamBytes} {
		l.write(t, name, "")
		mustDo(t, os.Truncate(filepath.Join(l.dir, name), size))
	}
	refuses(t, &l.function().Function, unsealing("*.yaml"), "b.yaml: read: the files have more than 67108864 bytes together")
}

// A run that is interrupted looks for no files and reads none.
func TestInterruptedBeforeReading(t *testing.T) {
	l := newLab(t)
	l.write(t, "db.yaml", "a: b\n")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, config := range []string{unsealing("*.yaml"), ksopsConfig + "files: [db.yaml]\n"} {
		err := l.function().Run(ctx, strings.NewReader(resourceList(config)), new(bytes.Buffer))
		if !errors.As(err, new(*kustomizeplugin.UntriedError)) || strings.Contains(err.Error(), "read") {
			t.Errorf("error %v", err)
		}
	}
}

// A program may set a limit of namespaces. It holds for SOPS files as it does
// for every caller of package unseal: none is opened unless it is permitted,
// and then only where it says where it belongs.
func TestNamespaceLimit(t *testing.T) {
	l := newLab(t)
	const secret = "apiVersion: v1\nkind: Secret\nmetadata:\n    name: db\n    namespace: prod\nstringData:\n    password: " + canary + "\n"
	text := string(l.sops(t, "db.yaml", []byte(secret)))
	renamed := strings.Replace(text, "namespace: prod", "generateName: prod", 1)
	if renamed == text {
		t.Fatalf("the metadata is written otherwise:\n%s", text)
	}
	l.write(t, "db.yaml", text)
	l.write(t, "renamed.yaml", renamed)
	l.write(t, "sealed.yaml", l.sealed(t, "prod", "db"))
	ksops := func(file string) string { return ksopsConfig + "files: [" + file + "]\n" }
	tests := []struct {
		name, config string
		limit        string
		unscoped     bool
		want         string // "": it opens
	}{
		{"SealedSecret", unsealing("sealed.yaml"), "prod", false, ""},
		{"SealedSecret of another", unsealing("sealed.yaml"), "team-b", false, `"team-b" was asked for`},
		{"SOPS", unsealing("db.yaml"), "prod", false, "a SOPS document has no scope"},
		{"SOPS of another", unsealing("renamed.yaml"), "team-b", false, "a SOPS document has no scope"},
		{"SOPS, permitted", unsealing("db.yaml"), "prod", true, ""},
		{"SOPS of another, permitted", unsealing("renamed.yaml"), "team-b", true, "metadata.namespace is missing"},
		{"ksops", ksops("db.yaml"), "prod", false, "a SOPS document has no scope"},
		{"ksops of another", ksops("renamed.yaml"), "team-b", false, "a SOPS document has no scope"},
		{"ksops, permitted", ksops("db.yaml"), "prod", true, "a SOPS document has no scope"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := l.function()
			f.Options = func(string) (unseal.Options, error) {
				return unseal.Options{Unwrapper: f, Namespace: test.limit, Namespaces: []string{test.limit}, Unscoped: test.unscoped}, nil
			}
			if test.want == "" {
				if out := f.mustRun(t, resourceList(test.config)); !strings.Contains(out, inClear()) {
					t.Errorf("not opened:\n%s", out)
				}
				return
			}
			refuses(t, &f.Function, test.config, test.want)
			if n := f.calls.Load(); n > 0 {
				t.Errorf("%d keys were used", n)
			}
		})
	}
}
