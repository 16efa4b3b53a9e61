// SPDX-License-Identifier: Apache-2.0

package gitrepo

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func paths(blobs []Blob) []string {
	var all []string
	for _, b := range blobs {
		all = append(all, b.Path)
	}
	return slices.Sorted(slices.Values(all))
}

// TestOddNames protects every list from file names that look like options,
// patterns, revisions or borders.
func TestOddNames(t *testing.T) {
	r := newRepo(t)
	commit(t, r, "zz", "base")
	for _, name := range oddNames {
		write(t, r, name, "text of "+name)
	}
	git(t, r.Root(), "--literal-pathspecs", "add", "-A")
	want := slices.Sorted(slices.Values(oddNames))
	all := slices.Sorted(slices.Values(append(slices.Clone(oddNames), "zz")))
	check := func(what string, got, want []string, err error) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", what, err, diff)
		}
	}
	staged, err := r.Staged(t.Context())
	check("Staged", paths(staged), want, err)
	for _, text := range contents(t, r, staged) {
		if name, content, _ := strings.Cut(text, "=text of "); name != content {
			t.Errorf("%q has the content of %q", name, content)
		}
	}
	index, err := r.Index(t.Context())
	check("Index", paths(index), all, err)
	files, err := r.Tracked(t.Context(), ".")
	check("Tracked", files, all, err)
	git(t, r.Root(), "commit", "-q", "-m", "odd")
	tree, err := r.Tree(t.Context(), "HEAD")
	check("Tree", paths(tree), all, err)
	attributes, err := r.Attributes(t.Context(), []string{"merge"}, oddNames...)
	if len(attributes) != len(oddNames) || err != nil {
		t.Errorf("Attributes: %v, %v", attributes, err)
	}
	for _, name := range oddNames {
		write(t, r, name, "changed")
	}
	git(t, r.Root(), "--literal-pathspecs", "add", "-A")
	for _, name := range oddNames {
		one := []string{name}
		staged, err := r.Staged(t.Context(), name)
		check("Staged "+name, paths(staged), one, err)
		index, err := r.Index(t.Context(), name)
		check("Index "+name, paths(index), one, err)
		files, err := r.Tracked(t.Context(), name)
		check("Tracked "+name, files, one, err)
		tree, err := r.Tree(t.Context(), "HEAD", name)
		check("Tree "+name, paths(tree), one, err)
		var versions []string
		for v, err := range r.History(t.Context(), name) {
			if err != nil {
				t.Fatal(err)
			}
			versions = append(versions, v.Path)
		}
		check("History "+name, versions, one, nil)
	}
}

// TestStaged protects a commit hook: what is looked at is what will be
// committed, and nothing else.
func TestStaged(t *testing.T) {
	r := newRepo(t)
	write(t, r, "first", "x")
	git(t, r.Root(), "add", "first")
	got, err := r.Staged(t.Context())
	if diff := cmp.Diff([]string{"first=x"}, contents(t, r, got)); diff != "" || err != nil {
		t.Errorf("before the first commit: %v\n%s", err, diff)
	}
	commit(t, r, "same", "same", "changed", "old", "removed", "x", "moved/from", "a long text that is found again\n", "link", "x", "other", "x")
	write(t, r, "changed", "staged")
	write(t, r, "added", "added")
	for _, name := range []string{"removed", "link"} {
		if err := os.Remove(filepath.Join(r.Root(), name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("same", filepath.Join(r.Root(), "link")); err != nil {
		t.Fatal(err)
	}
	git(t, r.Root(), "mv", "moved/from", "moved/to")
	git(t, r.Root(), "add", "-A")
	git(t, r.Root(), "update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",module")
	write(t, r, "changed", "not staged")
	write(t, r, "other", "not staged")
	write(t, r, "untracked", "x")
	write(t, r, "intended", "x")
	git(t, r.Root(), "add", "-N", "intended")
	got, err = r.Staged(t.Context())
	want := []string{"added=added", "changed=staged", "moved/to=a long text that is found again\n"}
	if diff := cmp.Diff(want, contents(t, r, got)); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got, err := r.Staged(t.Context(), "moved", "added"); err != nil || len(got) != 2 {
		t.Errorf("of some paths: %v, %v", got, err)
	}
	index, err := r.Index(t.Context())
	if diff := cmp.Diff([]string{"added", "changed", "first", "intended", "moved/to", "other", "same"}, paths(index)); diff != "" || err != nil {
		t.Errorf("Index: %v (-want +got):\n%s", err, diff)
	}
}

// TestStagedInConflict leaves out what cannot be committed.
func TestStagedInConflict(t *testing.T) {
	r := newRepo(t)
	commit(t, r, "a", "base\n", "b", "base\n")
	git(t, r.Root(), "checkout", "-q", "-b", "side")
	commit(t, r, "a", "side\n", "c", "side\n")
	git(t, r.Root(), "checkout", "-q", "main")
	commit(t, r, "a", "main\n")
	if out, err := r.Command(t.Context(), "merge", "side").CombinedOutput(); err == nil {
		t.Fatalf("no conflict: %s", out)
	}
	staged, err := r.Staged(t.Context())
	index, err2 := r.Index(t.Context())
	files, err3 := r.Tracked(t.Context())
	unmerged, err4 := r.Unmerged(t.Context())
	others, err5 := r.Unmerged(t.Context(), "b", "c")
	got := [][]string{paths(staged), paths(index), files, unmerged, others}
	failed := errors.Join(err, err2, err3, err4, err5)
	if diff := cmp.Diff([][]string{{"c"}, {"b", "c"}, {"a", "b", "c"}, {"a"}, nil}, got); diff != "" || failed != nil {
		t.Errorf("%v (-want +got):\n%s", failed, diff)
	}
}

// TestTracked leaves out what git ignores, and what is no file.
func TestTracked(t *testing.T) {
	r := newRepo(t)
	commit(t, r, ".gitignore", "ignored\nnode_modules/\n", "a.yaml", "x", "gone", "x")
	write(t, r, "new.yaml", "x")
	write(t, r, "ignored", "x")
	write(t, r, "node_modules/x.yaml", "x")
	if err := os.Remove(filepath.Join(r.Root(), "gone")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a.yaml", filepath.Join(r.Root(), "link.yaml")); err != nil {
		t.Fatal(err)
	}
	nested := filepath.Join(r.Root(), "nested")
	git(t, r.Root(), "init", "-q", nested)
	got, err := r.Tracked(t.Context())
	if diff := cmp.Diff([]string{".gitignore", "a.yaml", "new.yaml"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got, err := r.Tracked(t.Context(), "missing"); len(got) > 0 || err != nil {
		t.Errorf("a path that is not there: %v, %v", got, err)
	}
}

// TestRevisions protects against names of revisions that are options.
func TestRevisions(t *testing.T) {
	r := newRepo(t)
	first := commit(t, r, "a", "old", "dir/b", "b")
	commit(t, r, "a", "new")
	git(t, r.Root(), "tag", "-a", "v1", "-m", "x", first)
	git(t, r.Root(), "update-ref", "refs/heads/--help", first) // git branch would refuse it
	for rev, want := range map[string]string{"HEAD": "new", "HEAD~1": "old", "v1": "old", "refs/heads/--help": "old", "main": "new", first[:10]: "old"} {
		blobs, err := r.Tree(t.Context(), rev, "a")
		if err != nil {
			t.Errorf("%s: %v", rev, err)
			continue
		}
		if diff := cmp.Diff([]string{"a=" + want}, contents(t, r, blobs)); diff != "" {
			t.Errorf("%s: %s", rev, diff)
		}
	}
	for _, rev := range []string{"", "--help", "--output=x", "-v", "missing", "HEAD:a", "HEAD..v1", "a\nb", "main\x00", ":/nothing", "^HEAD"} {
		if got, err := r.Tree(t.Context(), rev); !errors.As(err, new(*RevisionError)) || got != nil {
			t.Errorf("%q: %v, %v", rev, got, err)
		}
	}
	blobs, err := r.Tree(t.Context(), "HEAD", "dir")
	if diff := cmp.Diff([]string{"dir/b=b"}, contents(t, r, blobs)); diff != "" || err != nil {
		t.Errorf("a folder: %v, %s", err, diff)
	}
	if _, err := newRepo(t).Resolve(t.Context(), "HEAD"); !errors.As(err, new(*RevisionError)) {
		t.Errorf("before the first commit: %v", err)
	}
}

func TestIgnored(t *testing.T) {
	r := newRepo(t)
	commit(t, r, "a.log", "x", ".gitignore", "")
	write(t, r, ".gitignore", "*.log\n/deep/\n!kept.log\n")
	got, err := r.Ignored(t.Context(), "a.log", "b.log", "kept.log", "deep/x", "a\nb.log", "-x.log", ":(glob)x.log", ":!y.log", "*", "other")
	if diff := cmp.Diff([]string{"b.log", "deep/x", "a\nb.log", "-x.log", ":(glob)x.log", ":!y.log"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, paths := range [][]string{nil, {"other"}} {
		if got, err := r.Ignored(t.Context(), paths...); len(got) > 0 || err != nil {
			t.Errorf("%q: %q, %v", paths, got, err)
		}
	}
	if _, err := r.Ignored(t.Context(), "../outside"); err == nil {
		t.Error("a path outside of the repository has no error")
	}
}
