// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func writeFile(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func symlink(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

// makeTree makes a directory with files, whose names end in / for directories and
// hold -> for symlinks.
func makeTree(t *testing.T, files ...string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		from, to, isLink := strings.Cut(name, " -> ")
		path := filepath.Join(root, from)
		switch {
		case isLink:
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			symlink(t, to, path)
		case strings.HasSuffix(name, "/"):
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
		default:
			writeFile(t, path, "")
		}
	}
	return root
}

func TestFindRules(t *testing.T) {
	tests := []struct {
		name     string
		files    []string
		document string
		want     string // relative to the tree
	}{
		{"beside", []string{".git/", ".sops.yaml", "x.yaml"}, "x.yaml", ".sops.yaml"},
		{"above", []string{".git/", ".sops.yaml", "a/b/x.yaml"}, "a/b/x.yaml", ".sops.yaml"},
		{"nearest", []string{".git/", ".sops.yaml", "a/.sops.yaml", "a/b/x.yaml"}, "a/b/x.yaml", "a/.sops.yaml"},
		{"worktree", []string{".sops.yaml", "w/.git", "w/.sops.yaml", "w/a/x.yaml"}, "w/a/x.yaml", "w/.sops.yaml"},
		{"nested repository", []string{".git/", ".sops.yaml", "n/.git/", "n/.sops.yaml", "n/a/x.yaml"}, "n/a/x.yaml", "n/.sops.yaml"},
		{"outside, own directory", []string{"a/.sops.yaml", "a/x.yaml"}, "a/x.yaml", "a/.sops.yaml"},
		{"new document", []string{".git/", ".sops.yaml"}, "x.yaml", ".sops.yaml"},
		{"new directory", []string{".git/", ".sops.yaml"}, "a/b/x.yaml", ".sops.yaml"},
		{"both names in one directory", []string{".git/", ".sops.yaml", ".sops.yml"}, "x.yaml", ".sops.yaml"},
		{"wrong name further up", []string{".git/", ".sops.yml", "a/.sops.yaml"}, "a/x.yaml", "a/.sops.yaml"},
		{"linked directory", []string{"r/.git/", "r/.sops.yaml", "s/.git/", "s/.sops.yaml", "r/link -> ../s/sub", "s/sub/"}, "r/link/x.yaml", "s/.sops.yaml"},
		{"up through a linked directory", []string{"r/.git/", "r/.sops.yaml", "s/.git/", "s/.sops.yaml", "r/link -> ../s/sub", "s/sub/"}, "r/link/../x.yaml", "s/.sops.yaml"},
		{"linked document", []string{".git/", "dev/.sops.yaml", "prod/.sops.yaml", "prod/x.yaml", "dev/x.yaml -> ../prod/x.yaml"}, "dev/x.yaml", "prod/.sops.yaml"},
		{"linked rules", []string{".git/", "rules.yaml", "a/.sops.yaml -> ../rules.yaml"}, "a/x.yaml", "a/.sops.yaml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := makeTree(t, tt.files...)
			for _, document := range []string{root + "/" + tt.document, tt.document} {
				t.Chdir(root)
				got, err := FindRules(document)
				if err != nil {
					t.Fatal(err)
				}
				if want := filepath.Join(root, tt.want); got != want {
					t.Errorf("FindRules(%q) = %s, want %s", document, got, want)
				}
			}
		})
	}
}

func TestFindRulesErrors(t *testing.T) {
	tests := []struct {
		name     string
		files    []string
		document string
		want     string // ROOT stands for the tree
	}{
		{"none in the repository", []string{".sops.yaml", "r/.git/", "r/a/x.yaml"}, "r/a/x.yaml",
			`no .sops.yaml for "r/a/x.yaml": searched ROOT/r/a, ROOT/r`},
		{"not beyond a worktree", []string{".git/", ".sops.yaml", "w/.git", "w/x.yaml"}, "w/x.yaml",
			`no .sops.yaml for "w/x.yaml": searched ROOT/w`},
		{"not above, outside a repository", []string{".sops.yaml", "a/x.yaml"}, "a/x.yaml",
			`no .sops.yaml for "a/x.yaml": searched ROOT/a and no further, because it is not in a Git repository`},
		{"wrong name", []string{".git/", ".sops.yml", "a/x.yaml"}, "a/x.yaml",
			`no .sops.yaml for "a/x.yaml": ROOT/.sops.yml is in its place, rename it to .sops.yaml`},
		{"wrong name before the right one", []string{".git/", ".sops.yaml", "a/.sops.yml"}, "a/x.yaml",
			`no .sops.yaml for "a/x.yaml": ROOT/a/.sops.yml is in its place, rename it to .sops.yaml`},
		{"dangling link", []string{".git/", ".sops.yaml", "x.yaml -> nowhere"}, "x.yaml",
			`find rules for "x.yaml": "ROOT/x.yaml" is a symlink that leads nowhere`},
		{"directory", []string{".git/", ".sops.yaml", "a/"}, "a",
			`find rules for "a": is a directory`},
		{"nothing", []string{".git/", ".sops.yaml"}, "",
			`find rules for "": is a directory`},
		{"up from nowhere", []string{".git/", ".sops.yaml"}, "no/../x.yaml",
			`find rules for "no/../x.yaml": lstat ROOT/no: no such file or directory`},
		{"below a file", []string{".git/", ".sops.yaml", "f"}, "f/x.yaml",
			`find rules for "f/x.yaml": not a directory`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := makeTree(t, tt.files...)
			t.Chdir(root)
			got, err := FindRules(tt.document)
			if err == nil {
				t.Fatalf("found %s", got)
			}
			if diff := cmp.Diff(tt.want, strings.ReplaceAll(err.Error(), root, "ROOT")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNoRulesErrorFields(t *testing.T) {
	root := makeTree(t, ".git/", "a/b/")
	_, err := FindRules(root + "/a/b/x.yaml")
	var none *NoRulesError
	if !errors.As(err, &none) {
		t.Fatalf("got %v", err)
	}
	want := &NoRulesError{
		Document:   root + "/a/b/x.yaml",
		Repository: root,
		Searched:   []string{root + "/a/b", root + "/a", root},
	}
	if diff := cmp.Diff(want, none); diff != "" {
		t.Error(diff)
	}
}
