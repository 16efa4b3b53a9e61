// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A check of 10,000 files, of which 2,000 are sealed, takes as much processor time
// as a pre-commit hook may that nobody turns off, and not much more than five
// times as much as one of 2,000 files: it is not quadratic. Processor time is the
// best of three rounds, so that other programs do not count; how long it takes on
// an idle machine is for the benchmark to say.
func TestCheckTenThousand(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("it measures")
	}
	signet := buildSignet(t)
	keys := corpusKeys(t)
	dir := isolate(t)
	const few, many = 2_000, 10_000
	for _, n := range []int{few, many} {
		layFiles(t, filepath.Join(dir, fmt.Sprint(n)), keys, n)
	}
	for _, args := range [][]string{{"check", "."}, {"check", "--staged=all"}} {
		best := map[int]time.Duration{few: time.Hour, many: time.Hour}
		for range 3 {
			for n := range best {
				cmd := exec.Command(signet, args...)
				cmd.Dir = filepath.Join(dir, fmt.Sprint(n))
				cmd.Env = append(os.Environ(), "GOMAXPROCS=2")
				out, err := cmd.CombinedOutput()
				if err != nil || len(out) > 0 {
					t.Fatalf("%q: %v\n%.2000s", args, err, out)
				}
				best[n] = min(best[n], cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
			}
		}
		t.Logf("%q: %v of processor time, %v for %d files", args, best[many], best[few], few)
		if best[many] > 12*time.Second {
			t.Errorf("%q takes %v of processor time", args, best[many])
		}
		if best[many] > 12*best[few] {
			t.Errorf("%q takes %v for %d files, and %v for %d", args, best[few], few, best[many], many)
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
