// SPDX-License-Identifier: Apache-2.0

package gitrepo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// changed lists the files that differ between the index and the work tree, as
// "path: old -> new" with "none" for what is not there.
func changed(t *testing.T, r *Repo, paths ...string) []string {
	t.Helper()
	index, err := r.Index(t.Context(), paths...)
	if err != nil {
		t.Fatal(err)
	}
	disk, err := r.OnDisk(t.Context(), paths...)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, c := range Changes(index, disk) {
		all = append(all, c.Path)
		if c.HasNew {
			text, err := r.ReadFile(c.Path, 1<<20)
			if err != nil {
				t.Error(err)
			}
			all[len(all)-1] += "=" + string(text)
		}
	}
	return all
}

// TestOnDisk compares the work tree as git does, but without its help.
func TestOnDisk(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			isolated(t)
			dir := t.TempDir()
			git(t, dir, "init", "-q", "-b", "main", "--object-format="+format)
			r := open(t, dir)
			commit(t, r, "same", "same", "empty", "", "changed", "old", "gone", "x", "sparse", "x", "assumed", "x", "link", "x", "dir/inside", "x", "sub/x", "x")
			if got := changed(t, r); got != nil {
				t.Errorf("nothing was changed, but: %q", got)
			}
			git(t, dir, "update-index", "--skip-worktree", "sparse")
			git(t, dir, "update-index", "--assume-unchanged", "assumed")
			for _, name := range []string{"gone", "sparse", "link", "dir/inside", "dir"} {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
			write(t, r, "assumed", "other")
			write(t, r, "changed", "new")
			write(t, r, "dir", "a file in place of a folder")
			if err := os.Symlink("same", filepath.Join(dir, "link")); err != nil {
				t.Fatal(err)
			}
			write(t, r, "untracked", "x")
			want := []string{"changed=new", "dir/inside", "gone", "link"}
			if diff := cmp.Diff(want, changed(t, r)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want[:1], changed(t, r, "changed", "same")); diff != "" {
				t.Errorf("of some paths (-want +got):\n%s", diff)
			}
		})
	}
}

// TestReadFile reads regular files of the work tree and nothing else.
func TestReadFile(t *testing.T) {
	r := newRepo(t)
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "x"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	commit(t, r, "file", "text", "sub/x", "inside", "dir/x", "x")
	if err := os.RemoveAll(filepath.Join(r.Root(), "sub")); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"sub": outside, "link": "file"} {
		if err := os.Symlink(to, filepath.Join(r.Root(), link)); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := r.ReadFile("file", 4); string(text) != "text" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := r.ReadFile("file", 3); !errors.Is(err, ErrTooLarge) {
		t.Errorf("more than the limit: %v", err)
	}
	for _, path := range []string{"missing", "sub/x", "link", "dir", "file/x", "../x", filepath.Join(outside, "x")} {
		if text, err := r.ReadFile(path, 100); !errors.Is(err, fs.ErrNotExist) || text != nil {
			t.Errorf("%s: %q, %v", path, text, err)
		}
	}
	if diff := cmp.Diff([]string{"sub/x"}, changed(t, r)); diff != "" {
		t.Errorf("behind a link (-want +got):\n%s", diff)
	}
}

// TestChanges tells what is in one of two lists only, or not the same.
func TestChanges(t *testing.T) {
	got := Changes([]Blob{{"same", "1"}, {"b", "1"}, {"gone", "1"}}, []Blob{{"same", "1"}, {"b", "2"}, {"a", "1"}, {"unread", ""}})
	want := []Change{{"a", "", "1", false, true}, {"b", "1", "2", true, true}, {"gone", "1", "", true, false}, {"unread", "", "", false, true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestHostileWorkTree protects whoever compares the files of somebody else's clone:
// of a file that has the time of the index git compares the content, through the
// filters of the configuration, and in submodules it looks with theirs.
func TestHostileWorkTree(t *testing.T) {
	r := newRepo(t)
	ran := filepath.Join(t.TempDir(), "ran")
	module := filepath.Join(r.Root(), "module")
	git(t, r.Root(), "init", "-q", module)
	for _, dir := range []string{module, r.Root()} {
		in := open(t, dir)
		write(t, in, ".gitattributes", "*.x filter=evil\n")
		write(t, in, "a.x", "text")
		git(t, dir, "add", ".")
		git(t, dir, "commit", "-q", "-m", "x")
		git(t, dir, "config", "filter.evil.clean", "echo "+filepath.Base(dir)+" >> "+ran+"; cat")
		racy(t, in)
	}
	os.Remove(ran)
	if got := changed(t, r); got != nil {
		t.Errorf("nothing was changed, but: %q", got)
	}
	write(t, r, "a.x", "other")
	if diff := cmp.Diff([]string{"a.x=other"}, changed(t, r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if text, err := os.ReadFile(ran); err == nil {
		t.Errorf("was run in:\n%s", text)
	}
	// Git itself does run them.
	write(t, r, "a.x", "text")
	racy(t, r)
	if out, err := r.Command(t.Context(), "diff-files", "--raw").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(ran)
	if err != nil || !strings.Contains(string(text), "module\n") || !strings.Contains(string(text), filepath.Base(r.Root())+"\n") {
		t.Errorf("nothing is run in any case: %q, %v", text, err)
	}
}

// racy gives a.x and the index the same time, as if git had just added it.
func racy(t *testing.T, r *Repo) {
	t.Helper()
	file, index := filepath.Join(r.Root(), "a.x"), filepath.Join(r.GitDir(), "index")
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(file, at, at); err != nil {
		t.Fatal(err)
	}
	git(t, r.Root(), "update-index", "--refresh", "-q")
	if err := os.Chtimes(index, at, at); err != nil {
		t.Fatal(err)
	}
}
