// SPDX-License-Identifier: Apache-2.0

package gitrepo

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// isolated keeps the configuration of this machine out of a test.
func isolated(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"HOME": t.TempDir(), "GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "c", "GIT_COMMITTER_EMAIL": "c@example.com",
		"GIT_AUTHOR_DATE": "2026-01-31T09:30:00Z", "GIT_COMMITTER_DATE": "2026-01-31T09:30:00Z",
	} {
		t.Setenv(name, value)
	}
	for _, name := range []string{"GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"} { // of a hook that runs the tests
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
}

// newRepo makes an empty repository.
func newRepo(t *testing.T) *Repo {
	t.Helper()
	isolated(t)
	dir := t.TempDir()
	git(t, dir, "init", "-q", "-b", "main")
	return open(t, dir)
}

func open(t *testing.T, dir string) *Repo {
	t.Helper()
	r, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// git runs the real git as a user does.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return string(out)
}

func write(t *testing.T, r *Repo, name, text string) {
	t.Helper()
	file := filepath.Join(r.Root(), name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// commit writes files, given as name and text, and commits all.
func commit(t *testing.T, r *Repo, files ...string) string {
	t.Helper()
	for i := 0; i < len(files); i += 2 {
		write(t, r, files[i], files[i+1])
	}
	git(t, r.Root(), "add", "-A")
	git(t, r.Root(), "commit", "-q", "--allow-empty", "-m", "x")
	return strings.TrimSpace(git(t, r.Root(), "rev-parse", "HEAD"))
}

// contents reads blobs and writes them as "path=text".
func contents(t *testing.T, r *Repo, blobs []Blob) []string {
	t.Helper()
	b, err := r.Blobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}()
	var all []string
	for _, blob := range blobs {
		text, err := b.Read(blob.OID, 1<<20)
		if err != nil {
			t.Fatalf("%q: %v", blob.Path, err)
		}
		all = append(all, fmt.Sprintf("%s=%s", blob.Path, text))
	}
	return all
}

// oddNames are file names that are taken for something else sooner or later.
var oddNames = []string{
	"-rf", "--output=x", "--", ":(glob)*", ":!x", "*", "[ab]", "?", "a b", "a\nb", "\nb", "tab\tb", `"q"`, `back\slash`, "$HOME", "`id`",
	"ümläut", "\xff\xfe", "@", "HEAD", "deep/er/-x", ":100644 000000 x", "@abc 1",
}
