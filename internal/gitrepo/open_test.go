// SPDX-License-Identifier: Apache-2.0

package gitrepo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestOpen finds the repository from wherever a command is started.
func TestOpen(t *testing.T) {
	r := newRepo(t)
	commit(t, r, "sub/dir/file", "x")
	inner := filepath.Join(r.Root(), "sub", "dir")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(inner, link); err != nil {
		t.Fatal(err)
	}
	odd := filepath.Join(t.TempDir(), "line\nbreak")
	git(t, r.Root(), "worktree", "add", "-q", odd, "-b", "other")
	bare := t.TempDir()
	git(t, bare, "init", "-q", "--bare")
	tests := []struct {
		name, dir, root string
		err             error
	}{
		{"top", r.Root(), r.Root(), nil},
		{"below", inner, r.Root(), nil},
		{"through a link", link, r.Root(), nil},
		{"another work tree, with a line break", odd, odd, nil},
		{"in .git", filepath.Join(r.Root(), ".git"), "", ErrNoRepository},
		{"elsewhere", t.TempDir(), "", ErrNoRepository},
		{"bare", bare, "", ErrNoRepository},
		{"a file", filepath.Join(inner, "file"), "", ErrNoRepository},
		{"missing", filepath.Join(inner, "missing"), "", fs.ErrNotExist},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Open(t.Context(), tt.dir)
			if !errors.Is(err, tt.err) || (got == nil) != (tt.err != nil) {
				t.Fatalf("got %v, %v", got, err)
			}
			if err == nil && (got.Root() != tt.root || got.CommonDir() != filepath.Join(r.Root(), ".git")) {
				t.Errorf("root %q, common folder %q", got.Root(), got.CommonDir())
			}
		})
	}
	if r.GitDir() != filepath.Join(r.Root(), ".git") || open(t, odd).GitDir() == r.GitDir() {
		t.Errorf("folders of git: %q, %q", r.GitDir(), open(t, odd).GitDir())
	}
	t.Chdir(inner)
	if got := open(t, "."); got.Root() != r.Root() || got.CommonDir() != r.CommonDir() {
		t.Errorf("from the working directory: %q, %q", got.Root(), got.CommonDir())
	}
}

// TestOpenWithoutGit tells what is missing.
func TestOpenWithoutGit(t *testing.T) {
	isolated(t)
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if _, err := Open(t.Context(), dir); !errors.Is(err, ErrNoGit) {
		t.Errorf("got %v", err)
	}
	tests := []struct {
		version string
		old     bool
	}{
		{"2.29.9", true}, {"1.9.1", true}, {"nonsense", true}, {"2", true},
		{"2.30.0", false}, {"2.39.5 (Apple Git-154)", false}, {"2.47.1.windows.2", false}, {"3.0.0-rc1", false},
	}
	for _, tt := range tests {
		script := "#!/bin/sh\n[ \"$*\" = \"${*%version}version\" ] && echo 'git version " + tt.version + "' && exit\nexit 128\n"
		if err := os.WriteFile(filepath.Join(dir, "git"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), dir)
		if old := errors.As(err, new(*TooOldError)); old != tt.old || !old && !errors.Is(err, ErrNoRepository) {
			t.Errorf("%s: %v", tt.version, err)
		}
	}
}

// TestRel protects against paths that lead out of the repository.
func TestRel(t *testing.T) {
	r := newRepo(t)
	commit(t, r, "sub/file", "x")
	for name, target := range map[string]string{"inside": "sub", "out": t.TempDir(), "alias": "sub/file"} {
		if err := os.Symlink(target, filepath.Join(r.Root(), name)); err != nil {
			t.Fatal(err)
		}
	}
	root := filepath.Join(t.TempDir(), "root")
	if err := os.Symlink(r.Root(), root); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(r.Root(), "sub"))
	tests := []struct {
		name, want string
		err        error
	}{
		{"file", "sub/file", nil},
		{"missing", "sub/missing", nil},
		{"..", ".", nil},
		{".", "sub", nil},
		{"../..data", "..data", nil},
		{filepath.Join(root, "sub", "file"), "sub/file", nil},
		{root, ".", nil},
		{"../inside/file", "sub/file", nil},
		{"../alias", "alias", nil},
		{"../out/file", "", ErrOutside},
		{"../..", "", ErrOutside},
		{"../missing/file", "", fs.ErrNotExist},
	}
	for _, tt := range tests {
		if got, err := r.Rel(tt.name); got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%q: %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

// TestInHook protects commands that git runs: they see the index that is about
// to be committed, whatever folder they are asked about.
func TestInHook(t *testing.T) {
	r := newRepo(t)
	commit(t, r, "a", "old", "sub/b", "old")
	write(t, r, "a", "new")
	write(t, r, "sub/b", "new")
	git(t, r.Root(), "add", "a")
	index := filepath.Join(t.TempDir(), "index")
	text, err := os.ReadFile(filepath.Join(r.GitDir(), "index"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(index, text, 0o644); err != nil {
		t.Fatal(err)
	}
	git(t, r.Root(), "add", "sub/b")

	t.Chdir(r.Root())
	t.Setenv("GIT_DIR", ".git") // as git sets it for hooks
	for _, dir := range []string{".", "sub"} {
		in := open(t, dir)
		got, err := in.Staged(t.Context())
		if err != nil || len(got) != 2 || in.Root() != r.Root() {
			t.Errorf("%s: %v, %v, root %q", dir, got, err, in.Root())
		}
		rel, err := filepath.Rel(r.Root(), index)
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("GIT_INDEX_FILE", rel)
		if got, err := in.Staged(t.Context()); err != nil || len(got) != 1 || got[0].Path != "a" {
			t.Errorf("%s, with the index of a commit of some files: %v, %v", dir, got, err)
		}
		os.Unsetenv("GIT_INDEX_FILE")
	}
}
