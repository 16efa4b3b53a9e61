// SPDX-License-Identifier: Apache-2.0

package gitrepo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// everything asks a repository everything, and returns the answers as text.
func everything(t *testing.T, r *Repo) string {
	t.Helper()
	var b strings.Builder
	tell := func(what string, answer any, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		fmt.Fprintf(&b, "%s: %v\n", what, answer)
	}
	again, err := Open(t.Context(), filepath.Join(r.Root(), "dir"))
	tell("Open", again != nil && again.Root() == r.Root(), err)
	tracked, err := r.Tracked(t.Context())
	tell("Tracked", tracked, err)
	staged, err := r.Staged(t.Context())
	tell("Staged", contents(t, r, staged), err)
	index, err := r.Index(t.Context())
	tell("Index", contents(t, r, index), err)
	onDisk, err := r.OnDisk(t.Context())
	tell("OnDisk", onDisk, err)
	tree, err := r.Tree(t.Context(), "HEAD~1")
	tell("Tree", contents(t, r, tree), err)
	for v, err := range r.History(t.Context()) {
		tell("History", v, err)
	}
	attributes, err := r.Attributes(t.Context(), []string{"diff"}, "a.x")
	tell("Attributes", attributes, err)
	return b.String()
}

// TestHostileConfig protects whoever looks at the work of somebody else: nothing
// that a repository names is run, and nothing it sets changes an answer.
func TestHostileConfig(t *testing.T) {
	r := newRepo(t)
	commit(t, r, "a.x", "one", "dir/b.x", "b", ".gitattributes", "*.x diff=evil filter=evil merge=evil\n")
	git(t, r.Root(), "checkout", "-q", "-b", "side")
	commit(t, r, "side", "x")
	git(t, r.Root(), "checkout", "-q", "main")
	commit(t, r, "a.x", "two")
	git(t, r.Root(), "merge", "-q", "--no-edit", "side")
	write(t, r, "a.x", "three")
	git(t, r.Root(), "mv", "dir/b.x", "dir/c.x")
	git(t, r.Root(), "add", "-A")
	want := everything(t, r)

	ran := filepath.Join(t.TempDir(), "ran")
	script := filepath.Join(t.TempDir(), "evil")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho \"$0 $*\" >> "+ran+"\ncat\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	hooks := t.TempDir()
	for _, hook := range []string{"post-index-change", "pre-commit", "reference-transaction", "post-checkout"} {
		if err := os.Symlink(script, filepath.Join(hooks, hook)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"core.fsmonitor", "diff.external", "diff.evil.command", "diff.evil.textconv", "filter.evil.clean", "filter.evil.smudge",
		"filter.evil.process", "core.pager", "pager.log", "pager.diff", "gpg.program", "core.sshCommand", "core.askPass", "core.editor",
		"merge.evil.driver", "uploadpack.packObjectsHook", "core.gitProxy"} {
		git(t, r.Root(), "config", name, script)
	}
	for name, value := range map[string]string{
		"core.hooksPath": hooks, "log.showSignature": "true", "log.diffMerges": "combined", "color.ui": "always", "diff.relative": "true",
		"diff.noprefix": "true", "diff.renames": "copies", "log.follow": "true", "core.abbrev": "5", "core.quotePath": "true",
		"diff.orderFile": "dir/c.x", "format.pretty": "fuller", "log.date": "human", "core.untrackedCache": "true", "log.decorate": "full",
		"alias.ls-files": "!" + script, "log.mailmap": "true", "status.showUntrackedFiles": "no", "diff.ignoreSubmodules": "none",
	} {
		git(t, r.Root(), "config", name, value)
	}
	t.Setenv("GIT_EXTERNAL_DIFF", script)
	t.Setenv("GIT_PAGER", script)
	t.Setenv("GIT_ICASE_PATHSPECS", "1")
	os.Remove(ran)
	if diff := cmp.Diff(want, everything(t, r)); diff != "" {
		t.Errorf("other answers (-want +got):\n%s", diff)
	}
	if text, err := os.ReadFile(ran); err == nil {
		t.Errorf("was run:\n%s", text)
	}
	before, err := os.ReadFile(filepath.Join(r.GitDir(), "index"))
	if err != nil {
		t.Fatal(err)
	}
	everything(t, r)
	if after, err := os.ReadFile(filepath.Join(r.GitDir(), "index")); err != nil || string(after) != string(before) {
		t.Errorf("the index was written: %v", err)
	}
	// The script does run, where git is not told otherwise.
	git(t, r.Root(), "diff", "--cached")
	if _, err := os.Stat(ran); err != nil {
		t.Errorf("nothing is run in any case: %v", err)
	}
}

// TestNothingIsFetched protects against programs and hosts that the repository of
// a clone without all content names.
func TestNothingIsFetched(t *testing.T) {
	r := newRepo(t)
	commit(t, r, "a", "x", "b", "y")
	git(t, r.Root(), "config", "uploadpack.allowFilter", "true")
	clone := filepath.Join(t.TempDir(), "clone")
	git(t, r.Root(), "clone", "-q", "--no-local", "--no-checkout", "--filter=blob:none", "file://"+r.Root(), clone)
	part := open(t, clone)
	tree, err := part.Tree(t.Context(), "HEAD")
	if err != nil || len(tree) != 2 {
		t.Fatalf("%v, %v", tree, err)
	}
	b, err := part.Blobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if text, err := b.Read(tree[0].OID, 10); err == nil {
		t.Errorf("fetched %q", text)
	}
	b.Close()
	if got := git(t, clone, "cat-file", "-p", tree[0].OID); got != "x" {
		t.Errorf("git itself does not fetch: %q", got)
	}
}

// TestErrorsAreHarmless protects terminals and logs from what git repeats.
func TestErrorsAreHarmless(t *testing.T) {
	r := newRepo(t)
	_, err := r.output(t.Context(), "log", "\x1b[31mevil\nsecond", "--")
	if err == nil || strings.ContainsAny(err.Error(), "\x1b\n") || !strings.HasPrefix(err.Error(), "git log: ") {
		t.Errorf("got %v", err)
	}
	if got := printable(strings.Repeat("x", 1000)); len(got) > 400 {
		t.Errorf("%d bytes", len(got))
	}
}
