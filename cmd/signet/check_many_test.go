// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckTenThousand protects large repositories: among 10,000 files, of which
// 2,000 are sealed, the one leak is found, on disk and in the index, and nothing else.
// How long that takes is for the benchmark to say.
func TestCheckTenThousand(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes 10,000 files")
	}
	signet := buildSignet(t)
	dir := isolate(t)
	layFiles(t, dir, corpusKeys(t), 10_000)
	check := func(args ...string) (string, error) {
		cmd := exec.Command(signet, append([]string{"check"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.Output()
		return string(out), err
	}
	if out, err := check("."); err != nil || out != "" {
		t.Errorf("a clean repository: %v\n%.2000s", err, out)
	}
	const leak = "apps/app-0777/plain-7.yaml"
	writeTestFile(t, filepath.Join(dir, leak), "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: prod}\nstringData: {password: hunter2}\n")
	if out, err := exec.Command("git", "-C", dir, "add", leak).CombinedOutput(); err != nil {
		t.Fatalf("git add: %v\n%s", err, out)
	}
	for _, args := range [][]string{{"."}, {"--staged=all"}} {
		out, err := check(args...)
		if err == nil || strings.Count(out, ": clear-secret: ") != 1 || !strings.HasPrefix(out, leak) {
			t.Errorf("%q: %v, want a finding in %s\n%.2000s", args, err, leak, out)
		}
	}
}

// layFiles writes a repository of n files.
func layFiles(t *testing.T, dir string, keys map[string]string, n int) {
	t.Helper()
	must := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s %q: %v\n%s", name, args, err, out)
		}
	}
	writeTestFile(t, filepath.Join(dir, ".sops.yaml"), "creation_rules:\n  - age: "+keys["HYBRID"]+"\n")
	sealed := mustRun(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: prod}\nstringData: {password: hunter2}\n",
		"seal", "--age", keys["HYBRID"], "-")
	deployment := "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n" +
		strings.Repeat("      - name: web\n        image: example.com/web:1.4.2\n        envFrom: [{secretRef: {name: db}}]\n", 20)
	template := "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n" + strings.Repeat("  k: {{ .Values.k | b64enc }}\n", 10)
	for i := range n {
		app := fmt.Sprintf("apps/app-%04d", i/10)
		name, text := fmt.Sprintf("plain-%d.yaml", i%10), deployment
		switch i % 20 {
		case 1, 5, 11, 15:
			name, text = fmt.Sprintf("sealed-%d.yaml", i%10), sealed
		case 2, 12:
			name, text = "kustomization.yaml", "resources: [plain-0.yaml, sealed-1.yaml]\n"
		case 3:
			name, text = "secret.yaml.tmpl", template
		case 4:
			name, text = "README.md", "# an app\n"
		}
		writeTestFile(t, filepath.Join(dir, app, name), text)
	}
	must("git", "-C", dir, "init", "-q")
	must("git", "-C", dir, "add", ".")
}
