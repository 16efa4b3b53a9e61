// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/testtool"
)

// migrateSetUp makes the repository that docs/migrate.md takes for granted: SOPS
// files in apps, a build with KSOPS, and a SealedSecret of Bitnami with the keys
// of its controller in $CERT and $KEYS.
const migrateSetUp = `
git init -q -b main
signet key generate --classic -o ~/.config/sops/age/keys.txt
cat > .sops.yaml <<EOF
creation_rules:
  - path_regex: ^(apps|ksops/secrets)/
    encrypted_regex: ^(data|stringData)$
    age: $(sed -n 's/^# public key: //p' ~/.config/sops/age/keys.txt)
EOF
mkdir -p apps ksops/secrets bitnami
secret() { printf 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: prod\n  annotations: {%s}\nstringData: {password: correct horse %s}\n' "$1" "$2" "$1"; }
secret db 'note: kept' > apps/db.yaml
sops encrypt -i apps/db.yaml
secret cache 'kustomize.config.k8s.io/needs-hash: "true"' > ksops/secrets/cache.enc.yaml
sops encrypt -i ksops/secrets/cache.enc.yaml
echo 'generators: [secret-generator.yaml]' > ksops/kustomization.yaml
cat > ksops/secret-generator.yaml <<EOF
apiVersion: viaduct.ai/v1
kind: ksops
metadata:
  name: secrets
  annotations:
    config.kubernetes.io/function: |
      exec:
        path: ksops
files:
- secrets/cache.enc.yaml
EOF
secret shop '' | kubeseal --cert "$CERT" -o yaml > bitnami/db.yaml
cp "$KEYS" ~/sealed-secrets-keys.yaml
git add . && git commit -qm 'as it was'
`

// shellBlocks returns the shell blocks of a Markdown text that can run in a
// test, and how many others there are: those that a line introduces which begins
// with "On a cluster".
func shellBlocks(text string) (script string, elsewhere int) {
	in, skip, before := false, false, ""
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		switch {
		case in && trimmed == "```":
			in = false
		case in && !skip:
			script += line
		case in:
		case trimmed == "```sh":
			in, skip = true, strings.HasPrefix(before, "On a cluster") && strings.HasSuffix(before, ":")
			if skip {
				elsewhere++
			}
		case trimmed != "":
			before = trimmed
		}
	}
	return script, elsewhere
}

// TestMigrationGuide runs the commands of docs/migrate.md literally, in a
// repository such as it describes.
func TestMigrationGuide(t *testing.T) {
	root := testtool.Root(t)
	bin := t.TempDir()
	for _, name := range []string{"signet", "signet-kustomize"} {
		built := testtool.Run(t, testtool.Cmd{Path: "go", Args: []string{"build", "-o", bin + string(os.PathSeparator), "./cmd/" + name}, Dir: root, Timeout: 10 * time.Minute})
		if built.ExitCode != 0 {
			t.Fatalf("go build ./cmd/%s: %s", name, built.Stderr)
		}
	}
	for _, name := range []string{"sops", "kubeseal", "kustomize"} {
		if err := os.Symlink(testtool.Path(t, name), filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	keys := filepath.Join(bitnamiGoldens(t), "keys", "rsa2048-")
	dir := isolate(t)
	env := []string{
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "CERT=" + keys + "certificate.pem", "KEYS=" + keys + "secret.yaml",
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com",
		"GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com",
	}
	script, elsewhere := shellBlocks(readTestFile(t, filepath.Join(root, "docs", "migrate.md")))
	if elsewhere != 3 {
		t.Errorf("%d blocks for a cluster, want 3", elsewhere)
	}
	run := func(script string) string {
		t.Helper()
		r := testtool.Run(t, testtool.Cmd{Path: "bash", Args: []string{"-euo", "pipefail", "-c", script}, Dir: dir, Env: env, Timeout: 5 * time.Minute})
		if r.ExitCode != 0 {
			t.Fatalf("exit code %d of\n%s\nstdout:\n%.3000s\nstderr:\n%.3000s", r.ExitCode, script, r.Stdout, r.Stderr)
		}
		return string(r.Stdout)
	}
	run(migrateSetUp)
	out := run(script)
	for text, times := range map[string]int{"all documents open\n": 2, "sops opens it\n": 1, ": converted to ": 4, "correct horse": 0} {
		if n := strings.Count(out, text); n != times {
			t.Errorf("%q is printed %d times, want %d:\n%s", text, n, times, out)
		}
	}
	if n := strings.Count("\n"+out, "\n1\n"); n != 2 {
		t.Errorf("%d builds have one Secret, want 2:\n%s", n, out)
	}
	if opened := run("signet unseal --age-key-file ~/signet.txt sealed ksops/sealed"); strings.Count(opened, "kind: Secret\n") != 3 {
		t.Errorf("what is left does not open:\n%s", opened)
	}
	if history := run("git status --short; git log -p --all --text"); strings.Contains(history, "correct horse") {
		t.Error("a value is in the history")
	}
}
