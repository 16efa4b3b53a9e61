// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/internal/testtool"
)

// operationsSetUp makes the repository that docs/operations.md takes for granted,
// with a remote: a SealingKey that $ARN and a key for emergencies open, and Mina.
const operationsSetUp = `
git init -q --bare -b main ~/origin.git
git init -q -b main && git remote add origin ~/origin.git
signet key generate -o ~/.config/sops/age/keys.txt
signet key generate -o ~/break-glass.txt
public() { sed -n 's/^# public key: //p' "$1"; }
prod=$(signet key create prod --kms "$ARN" --age "$(public ~/break-glass.txt)")
cat > .sops.yaml <<EOF
creation_rules:
  - age:
      - $prod  # SealingKey prod
      - $(public ~/.config/sops/age/keys.txt)  # Mina
EOF
mkdir prod
for name in db cache; do
  echo -n "correct horse $name" | signet seal --name $name -n prod --from-file=password=- -o prod/$name.yaml
done
git add . && git commit -qm 'as it was' && git push -q -u origin main
`

// operations runs parts of the guide.
type operations struct {
	dir string
	env []string
}

func newOperations(t *testing.T) *operations {
	t.Helper()
	bin := t.TempDir()
	built := testtool.Run(t, testtool.Cmd{
		Path: "go", Args: []string{"build", "-o", bin + string(os.PathSeparator), "./cmd/signet"},
		Dir: testtool.Root(t), Timeout: 10 * time.Minute,
	})
	if built.ExitCode != 0 {
		t.Fatalf("go build ./cmd/signet: %s", built.Stderr)
	}
	return &operations{dir: isolate(t), env: []string{
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "STRIPE_KEY=correct horse stripe",
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com",
		"GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com", "AWS_EC2_METADATA_DISABLED=true",
	}}
}

// run returns what a script prints, stderr included.
func (o *operations) run(t *testing.T, script string, env ...string) string {
	t.Helper()
	r := testtool.Run(t, testtool.Cmd{
		Path: "bash", Args: []string{"-euo", "pipefail", "-c", "exec 2>&1\n" + script},
		Dir: o.dir, Env: append(o.env[:len(o.env):len(o.env)], env...), Timeout: 5 * time.Minute,
	})
	if r.ExitCode != 0 {
		t.Fatalf("exit code %d of\n%s\n%.8000s", r.ExitCode, script, r.Stdout)
	}
	return string(r.Stdout)
}

// TestOperationsGuide runs the commands of docs/operations.md literally: those of
// ordinary days with the key of Mina, the recovery with Git and KMS alone, and the
// one after it with Git and the key for emergencies alone.
func TestOperationsGuide(t *testing.T) {
	guide := readTestFile(t, filepath.Join(testtool.Root(t), "docs", "operations.md"))
	o := newOperations(t)
	kms := kmstest.Start(t, kmstest.Options{})
	arn := kms.CreateKey(kmstest.Key{})
	guide = strings.ReplaceAll(guide, "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", arn)
	days, disaster, found := strings.Cut(guide, "\n## Disaster recovery\n")
	recovery, rest, found2 := strings.Cut(disaster, "\n### With the key for emergencies\n")
	emergency, after, found3 := strings.Cut(rest, "\n## What to back up\n")
	if !found || !found2 || !found3 {
		t.Fatal("a heading is missing")
	}

	o.run(t, operationsSetUp, append(kms.Env(), "ARN="+arn)...)
	breakGlass := "break_glass=$(sed -n 's/^# public key: //p' ~/break-glass.txt)\n"
	out := o.run(t, breakGlass+blocksToRun(t, days, 11, 0)+"\n"+blocksToRun(t, after, 1, 0), kms.Env()...)
	for text, times := range map[string]int{
		": rewrap: + age1pq1": 2, ": rotate: - age1pq1": 2, // both documents, in the dry runs
		"2 rewrapped, 0 up to date, 0 failed": 1, "2 rotated, 0 up to date, 0 failed": 2,
		"could read 2 values in 2 documents": 2, "correct horse": 0,
	} {
		if n := strings.Count(out, text); n != times {
			t.Errorf("%q is printed %d times, want %d:\n%s", text, n, times, out)
		}
	}
	o.offboarded(t)

	home := t.TempDir()
	alone := []string{"HOME=" + home, "XDG_CONFIG_HOME=" + home, "REPOSITORY=" + os.Getenv("HOME") + "/origin.git"}
	if out := o.run(t, blocksToRun(t, recovery, 1, 1), append(alone, kms.Env()...)...); strings.Count("\n"+out, "\nok ") != 4 {
		t.Errorf("recovered from Git and KMS: want three documents and a SealingKey:\n%s", out)
	}
	kms.Close()
	o.run(t, "cp ~/break-glass.txt "+home)
	if out := o.run(t, blocksToRun(t, emergency, 1, 0), alone...); strings.Count("\n"+out, "\nok ") != 4 {
		t.Errorf("recovered with the key for emergencies: want three documents and a SealingKey:\n%s", out)
	}
}

// blocksToRun returns the shell blocks of a text that can run, and checks how many
// they are, and how many others.
func blocksToRun(t *testing.T, text string, run, elsewhere int) string {
	t.Helper()
	script, others := shellBlocks(text)
	if n := strings.Count(text, "```sh\n") - others; n != run || others != elsewhere {
		t.Errorf("%d blocks to run and %d for a cluster, want %d and %d", n, others, run, elsewhere)
	}
	return script
}

// offboarded checks what is left: Jon opens nothing, no value is in the history,
// and the password is another.
func (o *operations) offboarded(t *testing.T) {
	t.Helper()
	home := t.TempDir()
	o.run(t, "cp ~/jon.txt "+home)
	if out := o.run(t, "! signet unseal --age-key-file ~/jon.txt prod/cache.yaml", "HOME="+home, "XDG_CONFIG_HOME="+home); !strings.Contains(out, "no key could unwrap the data key") {
		t.Errorf("with the key of Jon:\n%s", out)
	}
	if got := o.run(t, "signet get prod/db.yaml password"); len(got) != 32 { // 24 bytes in base64
		t.Errorf("the new password has %d characters", len(got))
	}
	if history := o.run(t, "git status --short; git log -p --all --text"); strings.Contains(history, "correct horse") {
		t.Error("a value is in the history")
	}
}
