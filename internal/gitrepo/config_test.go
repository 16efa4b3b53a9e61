// SPDX-License-Identifier: Apache-2.0

package gitrepo

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConfig(t *testing.T) {
	r := newRepo(t)
	global := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(global, []byte("[merge \"signet\"]\n\tname = global\n\tempty =\n[include]\n\tpath = more\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(global), "more"), []byte("[x]\n\tincluded = yes\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_CONFIG_GLOBAL", global)
	odd := "signet merge-driver --path=%P -- %O %A %B\nsecond \"line\" # ; \\ "
	for _, value := range []string{"first", odd} {
		if err := r.SetConfig(t.Context(), "merge.signet.driver", value); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.SetConfig(t.Context(), "diff.signet.x", "--get"); err != nil {
		t.Fatal(err)
	}
	type result struct {
		Value string
		Set   bool
	}
	for name, want := range map[string][2]result{ // effective, local
		"merge.signet.driver":  {{odd, true}, {odd, true}},
		"merge.signet.name":    {{"global", true}, {}},
		"merge.signet.empty":   {{"", true}, {}},
		"x.included":           {{"yes", true}, {}},
		"diff.signet.x":        {{"--get", true}, {"--get", true}},
		"merge.signet.missing": {},
	} {
		var got [2]result
		var err, err2 error
		got[0].Value, got[0].Set, err = r.Config(t.Context(), name)
		got[1].Value, got[1].Set, err2 = r.LocalConfig(t.Context(), name)
		if diff := cmp.Diff(want, got); diff != "" || err != nil || err2 != nil {
			t.Errorf("%s: %v, %v (-want +got):\n%s", name, err, err2, diff)
		}
	}
	for _, name := range []string{"", "x", "--unset.x", "a.b=c", "a.b\nc"} {
		if _, ok, err := r.Config(t.Context(), name); ok || err == nil {
			t.Errorf("%q: %v, %v", name, ok, err)
		}
		if err := r.SetConfig(t.Context(), name, "x"); err == nil {
			t.Errorf("%q was set", name)
		}
	}
	if err := r.SetConfig(t.Context(), "a.b", "x\x00y"); err == nil {
		t.Error("a value with NUL was set")
	}
}

func TestHooksDir(t *testing.T) {
	r := newRepo(t)
	commit(t, r, "a", "x")
	tree := filepath.Join(t.TempDir(), "tree")
	git(t, r.Root(), "worktree", "add", "-q", tree)
	check := func(r *Repo, want string) {
		t.Helper()
		if got, err := r.HooksDir(t.Context()); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	check(r, filepath.Join(r.Root(), ".git", "hooks"))
	check(open(t, tree), filepath.Join(r.Root(), ".git", "hooks"))
	git(t, r.Root(), "config", "core.hooksPath", ".husky")
	check(r, filepath.Join(r.Root(), ".husky"))
	git(t, r.Root(), "config", "core.hooksPath", tree)
	check(r, tree)
}

func TestAttributes(t *testing.T) {
	r := newRepo(t)
	write(t, r, ".gitattributes", "*.yaml merge=signet diff=signet\nplain/** !merge -diff\n*.x merge\n")
	got, err := r.Attributes(t.Context(), []string{"merge", "diff"}, "a.yaml", "plain/a.yaml", "b.x", "missing/c")
	want := map[string]map[string]string{
		"a.yaml":       {"merge": "signet", "diff": "signet"},
		"plain/a.yaml": {"merge": "unspecified", "diff": "unset"},
		"b.x":          {"merge": "set", "diff": "unspecified"},
		"missing/c":    {"merge": "unspecified", "diff": "unspecified"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := r.Attributes(t.Context(), []string{"--all"}, "a"); err == nil {
		t.Error("an option is taken for an attribute")
	}
	if got, err := r.Attributes(t.Context(), []string{"merge"}); len(got) > 0 || err != nil {
		t.Errorf("of nothing: %v, %v", got, err)
	}
}
