// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/testtool"
)

// TestCases builds what is in testdata/<case>/tree/build with real programs and
// compares it with want.yaml there, or the messages with the lines of
// stderr.txt. Without want.yaml the build has to fail.
//
// A case whose name begins with legacy- runs as an exec plugin, with kustomize
// and with the kustomize in kubectl, which runs no other functions.
func TestCases(t *testing.T) {
	cases, err := filepath.Glob("testdata/*")
	mustDo(t, err)
	if len(cases) < 30 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, dir := range cases {
		name := filepath.Base(dir)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.copyTree(t, filepath.Join(dir, "tree"))
			programs := []string{"kustomize"}
			if strings.HasPrefix(name, "legacy-") {
				programs = append(programs, "kubectl")
			}
			for _, program := range programs {
				checkCase(t, dir, l.build(t, program, "build"))
			}
		})
	}
}

func checkCase(t *testing.T, dir string, got testtool.Result) {
	t.Helper()
	var said []string
	if text, err := os.ReadFile(filepath.Join(dir, "stderr.txt")); err == nil {
		said = strings.Split(strings.TrimSpace(string(text)), "\n")
	}
	want, err := os.ReadFile(filepath.Join(dir, "want.yaml"))
	if err != nil && (!*update || got.ExitCode != 0) {
		if len(said) == 0 {
			t.Fatalf("neither want.yaml nor stderr.txt\n%s", got.Stderr)
		}
		failsClosed(t, got, said...)
		return
	}
	if got.ExitCode != 0 {
		t.Fatalf("exit code %d\n%s", got.ExitCode, got.Stderr)
	}
	hides(t, string(got.Stderr))
	for _, line := range said {
		if !bytes.Contains(got.Stderr, []byte(line)) {
			t.Errorf("stderr does not say %q:\n%s", line, got.Stderr)
		}
	}
	if len(said) == 0 && len(got.Stderr) > 0 {
		t.Errorf("stderr: %s", got.Stderr)
	}
	if *update {
		mustDo(t, os.WriteFile(filepath.Join(dir, "want.yaml"), got.Stdout, 0o644))
	}
	if diff := cmp.Diff(string(want), string(got.Stdout)); diff != "" && !*update {
		t.Errorf("-want +got\n%s", diff)
	}
}
