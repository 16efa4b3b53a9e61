// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"github.com/signet-secrets/signet/seal/manifest"
)

const clearSecretText = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: hunter2}\n"

func git(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
}

// checkFiles runs check and returns the files of its findings.
func checkFiles(t *testing.T, args ...string) []string {
	t.Helper()
	o := runSignet(t, "", append([]string{"check", "--output", "json"}, args...)...)
	var found []finding
	if err := json.Unmarshal([]byte(o.stdout), &found); err != nil {
		t.Fatalf("%v, exit %d\n%s", err, o.code, o.stderr)
	}
	files := []string{}
	for _, f := range found {
		if f.Level != levelNote {
			files = append(files, f.File)
		}
	}
	return files
}

func wantFiles(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("findings in %q, want %q", got, want)
	}
}

// laySpecialFiles writes a tree of pipes, devices and links, and a folder that
// some of them lead to.
func laySpecialFiles(t *testing.T) (outside string) {
	t.Helper()
	outside = t.TempDir()
	isolate(t)
	writeTestFile(t, filepath.Join(outside, "db.yaml"), clearSecretText)
	writeTestFile(t, "kustomization.yaml", "secretGenerator:\n- name: a\n  files: [pipe.yaml, null, zero]\n  envs: [pipe.env]\n")
	writeTestFile(t, "chart/templates/a.yaml", "# Secret {{ .x }}\n")
	sealed := mustRun(t, clearSecretText, "seal", "--age", newKeyFile(t).recipient, "-n", "prod", "-")
	writeTestFile(t, "sub/db.yaml", sealed)
	for _, name := range []string{"pipe.yaml", "pipe.env", "chart/Chart.yaml", unreadableRules} {
		makePipe(t, name)
	}
	for name, target := range map[string]string{
		"zero.yaml": "/dev/zero", "zero": "/dev/zero", "null": "/dev/null", "link.yaml": outside + "/db.yaml",
		"folder": outside, "loop": ".", "loop.yaml": "loop.yaml",
	} {
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	return outside
}

// unreadableRules are rules that a document has, and that are a pipe.
const unreadableRules = "sub/.sops.yaml"

func makePipe(t *testing.T, name string) {
	t.Helper()
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Pipes, devices and links in a tree are passed over, in and outside of Git, also
// where something refers to them.
func TestCheckSpecialFiles(t *testing.T) {
	laySpecialFiles(t)
	wantFiles(t, checkFiles(t, "."), unreadableRules)
	git(t, "init", "-q")
	git(t, "add", ".")
	wantFiles(t, checkFiles(t, "."), unreadableRules)
	wantFiles(t, checkFiles(t, "--staged=all"))
}

// A file in Git whose place something else has taken is passed over on the disk.
func TestCheckReplacedFiles(t *testing.T) {
	outside := laySpecialFiles(t)
	writeTestFile(t, "db.yaml", clearSecretText)
	writeTestFile(t, "web.yaml", clearSecretText)
	writeTestFile(t, "app/a.yaml", clearSecretText)
	git(t, "init", "-q")
	git(t, "add", ".")
	if err := errors.Join(os.Remove("db.yaml"), os.RemoveAll("app"), os.Symlink(outside, "app")); err != nil {
		t.Fatal(err)
	}
	makePipe(t, "db.yaml")
	wantFiles(t, checkFiles(t, "."), "web.yaml", unreadableRules)
	wantFiles(t, checkFiles(t, "--staged=all"), "app/a.yaml", "db.yaml", "web.yaml")
}

// A pipe that is named is read.
func TestCheckNamedPipe(t *testing.T) {
	isolate(t)
	makePipe(t, "pipe.yaml")
	wrote := make(chan error, 1)
	go func() { wrote <- os.WriteFile("pipe.yaml", []byte(clearSecretText), 0o600) }()
	wantFiles(t, checkFiles(t, "pipe.yaml"), "pipe.yaml")
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}

// Names of files, objects and keys that would steer a terminal or forge a line do
// not, in any output.
func TestCheckHostileNames(t *testing.T) {
	isolate(t)
	git(t, "init", "-q")
	name := "a\n\x1b[2Jforged.yaml, document 1: ok\x07\u202e.yaml"
	writeTestFile(t, name, "apiVersion: v1\nkind: Secret\nmetadata: {name: \"x\\e[31m\\nforged: line\"}\nstringData: {\"k\\e]0;t\\a\\nforged\": hunter2}\n")
	writeTestFile(t, "b\x1b]0;x\x07.yaml", "kind: Secret\na: [\n")
	git(t, "add", ".")
	writeTestFile(t, "-e.yaml", clearSecretText)
	for _, args := range [][]string{{"."}, {"--output", "sarif", "."}, {"--output", "json", "."}, {"--staged"}, {name}, {"--", "cat", name}} {
		o := runSignet(t, "", append([]string{"check"}, args...)...)
		steers := func(r rune) bool { return unicode.IsControl(r) || r == '\u202e' && !slices.Contains(args, "json") } // which is for programs
		for line := range strings.Lines(o.stdout + o.stderr) {
			if strings.HasPrefix(line, "forged") || strings.ContainsFunc(strings.TrimSuffix(line, "\n"), steers) {
				t.Errorf("check %q prints %q", args, line)
			}
		}
		if o.code == 0 && args[0] != "--" {
			t.Errorf("check %q finds nothing", args)
		}
	}
	// As a viewer of SARIF shows it, when the JSON is read.
	o := runSignet(t, "", "check", "--output", "sarif", ".")
	var log struct {
		Runs []struct {
			Results []struct {
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(o.stdout), &log); err != nil || len(log.Runs) != 1 || len(log.Runs[0].Results) != 3 {
		t.Fatalf("%v\n%s", err, o.stdout)
	}
	for _, r := range log.Runs[0].Results {
		for _, text := range []string{r.Message.Text, r.Locations[0].PhysicalLocation.ArtifactLocation.URI} {
			if strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("%q", text)
			}
		}
	}
}

// What is broken or unusual in a repository is an error with a cause or passed
// over as the help says, never a check of something else.
func TestCheckUnusualRepositories(t *testing.T) {
	t.Run("broken index", func(t *testing.T) {
		isolate(t)
		git(t, "init", "-q")
		writeTestFile(t, "db.yaml", clearSecretText)
		git(t, "add", ".")
		writeTestFile(t, ".git/index", "DIRC garbage")
		for _, args := range [][]string{{"check", "."}, {"check", "--staged"}, {"check", "--staged=all"}} {
			o := runSignet(t, "", args...)
			if o.code != 1 || o.stdout != "" || !strings.HasPrefix(o.stderr, "signet: error: ") || !strings.Contains(o.stderr, "index") {
				t.Errorf("%q: exit %d, %q\n%s", args, o.code, o.stdout, o.stderr)
			}
		}
		wantFiles(t, checkFiles(t, "--no-git", "."), "db.yaml")
	})
	t.Run("submodule", func(t *testing.T) {
		dir := isolate(t)
		writeTestFile(t, "other/db.yaml", clearSecretText)
		git(t, "-C", "other", "init", "-q")
		git(t, "-C", "other", "add", ".")
		git(t, "-C", "other", "commit", "-qm", "a")
		writeTestFile(t, "main/web.yaml", clearSecretText)
		git(t, "-C", "main", "init", "-q")
		git(t, "-C", "main", "submodule", "--quiet", "add", dir+"/other", "sub")
		git(t, "-C", "main", "add", ".")
		t.Chdir("main")
		wantFiles(t, checkFiles(t, "."), "web.yaml")
		wantFiles(t, checkFiles(t, "--staged=all"), "web.yaml")
		wantFiles(t, checkFiles(t, "sub"), "sub/db.yaml")
		wantFiles(t, checkFiles(t, "--no-git", "."), "sub/db.yaml", "web.yaml")
	})
	t.Run("pointer of LFS", func(t *testing.T) {
		isolate(t)
		git(t, "init", "-q")
		pointer := "version https://git-lfs.github.com/spec/v1\noid sha256:" + strings.Repeat("a", 64) + "\nsize 12345\n"
		writeTestFile(t, "Secret.yaml", pointer)
		git(t, "add", ".")
		wantFiles(t, checkFiles(t, "."))
		wantFiles(t, checkFiles(t, "--staged=all"))
	})
	t.Run("sparse index", func(t *testing.T) {
		isolate(t)
		git(t, "init", "-q")
		writeTestFile(t, "in/a.yaml", clearSecretText)
		writeTestFile(t, "out/deep/b.yaml", clearSecretText)
		git(t, "add", ".")
		git(t, "commit", "-qm", "a")
		git(t, "sparse-checkout", "set", "--cone", "--sparse-index", "in")
		wantFiles(t, checkFiles(t, "."), "in/a.yaml")
		wantFiles(t, checkFiles(t, "--staged=all"), "in/a.yaml", "out/deep/b.yaml")
	})
}

// Files that are made to take long take no longer than others of their size, and
// one that is too large is told of.
func TestCheckHostileContent(t *testing.T) {
	isolate(t)
	deep := 100_000
	files := map[string]string{
		"brackets.yaml": "kind: Secret\na: " + strings.Repeat("[", deep),
		"braces.yaml":   "kind: Secret\na: " + strings.Repeat("{a: ", deep),
		"object.json":   `{"kind": "Secret", "a": ` + strings.Repeat(`{"a":`, deep) + strings.Repeat("}", deep) + "}",
		"aliases.yaml":  "kind: Secret\na: &a [x, x]\n" + strings.Repeat("b: &a [*a, *a, *a]\n", 60),
		"script.sh":     "kubectl apply -f - <<EOF\nkind: Secret\n" + strings.Repeat("<<EOF $( ${' `\n", deep/10),
		"values.yaml":   "a: |\n  kind: Secret\n  stringData:\n    a: " + strings.Repeat("${'", deep) + "\n",
		"a.yaml.tmpl":   "kind: Secret\nstringData:\n  a: " + strings.Repeat("{{`", deep) + "\n",
		"texts.yaml":    textsInTexts(12),
	}
	for name, text := range files {
		writeTestFile(t, name, text)
	}
	o := runSignet(t, "", "check", "--output", "json", ".")
	if o.code != 1 || !json.Valid([]byte(o.stdout)) {
		t.Fatalf("exit %d\n%.2000s", o.code, o.stderr)
	}
	large, err := os.Create("large.json")
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	if err := large.Truncate(manifest.MaxStreamBytes + 1); err != nil { // a hole: it takes no room
		t.Fatal(err)
	}
	o = runSignet(t, "", "check", ".")
	if o.code != 1 || !strings.Contains(o.stdout, "large.json: unreadable: ") {
		t.Errorf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	if o = runSignet(t, "", "check", "large.json"); o.code != 1 || o.stdout != "" || !strings.Contains(o.stderr, "signet: error: large.json: read: ") {
		t.Errorf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
}

// textsInTexts is a Secret within a text within another one, and so on.
func textsInTexts(depth int) string {
	text := clearSecretText
	for range depth {
		text = "kind: ConfigMap\nmetadata: {name: Secret}\ndata:\n  a: |\n    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ") + "\n"
	}
	return text
}
