// SPDX-License-Identifier: Apache-2.0

package tree_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/tree"
)

// folder makes files, and links "name -> target", in a new folder.
func folder(t *testing.T, names ...string) *os.Root {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		name, target, link := strings.Cut(name, " -> ")
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		if link {
			must(t, os.Symlink(target, path))
			continue
		}
		must(t, os.WriteFile(path, nil, 0o644))
	}
	root, err := os.OpenRoot(dir)
	must(t, err)
	t.Cleanup(func() { root.Close() })
	return root
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestMatch(t *testing.T) {
	root := folder(t, "a.yaml", "b.yaml", "c.txt", "sub/d.yaml", "sub/deep/e.yaml", "link.yaml -> a.yaml", "dir -> sub",
		"out -> ..", "gone -> missing", "abs -> /etc/passwd", "loop -> loop")
	must(t, syscall.Mkfifo(filepath.Join(root.Name(), "pipe"), 0o644))
	tests := []struct {
		name, dir string
		patterns  string
		want      string
		err       error // nil: there is another one if want is empty
	}{
		{name: "paths need not be there", patterns: "b.yaml missing.yaml", want: "b.yaml missing.yaml"},
		{name: "clean and each once", patterns: "./a.yaml a.yaml *.yaml ./*.yaml sub/../a.yaml", want: "a.yaml b.yaml link.yaml"},
		{name: "classes", patterns: "[a-b].yaml ?.txt", want: "a.yaml b.yaml c.txt"},
		{name: "folders are left out", patterns: "sub/*", want: "sub/d.yaml"},
		{name: "through folders and links", patterns: "[ds]*/d.yaml", want: "dir/d.yaml sub/d.yaml"},
		{name: "links that lead nowhere, which Open refuses", patterns: "[aolg]*/d.yaml", want: "abs/d.yaml loop/d.yaml out/d.yaml"},
		{name: "through named folders", patterns: "dir/*/e.yaml s*/deep/*", want: "dir/deep/e.yaml sub/deep/e.yaml"},
		{name: "below a folder", dir: "sub", patterns: "*.yaml deep/*", want: "sub/d.yaml sub/deep/e.yaml"},
		{name: "none", patterns: "*.json", err: tree.ErrNoMatch},
		{name: "none in a file", patterns: "a.yaml/*", err: tree.ErrNoMatch},
		{name: "none in a pipe", patterns: "pipe/*", err: tree.ErrNoMatch},
		{name: "one of several", patterns: "*.yaml *.json", err: tree.ErrNoMatch},
		{name: "above", patterns: "../*", err: tree.ErrOutside},
		{name: "above a folder", dir: "sub", patterns: "../*.yaml", err: tree.ErrOutside},
		{name: "absolute", patterns: "/etc/*", err: tree.ErrOutside},
		{name: "link that leads out", patterns: "out/*", err: tree.ErrOutside},
		{name: "link to itself", patterns: "loop/*", err: syscall.ELOOP},
		{name: "malformed", patterns: "[a"},
		{name: "long", patterns: strings.Repeat("a*/", 2000)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := test.dir
			if dir == "" {
				dir = "."
			}
			got, err := tree.NewMatcher(root).Match(t.Context(), dir, strings.Fields(test.patterns))
			if diff := cmp.Diff(strings.Fields(test.want), got, cmp.Comparer(slices.Equal[[]string])); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			at, ok := errors.AsType[*tree.PatternError](err)
			if (test.want == "") != ok || test.err != nil && !errors.Is(err, test.err) {
				t.Errorf("error %v, want %v", err, test.err)
			}
			if ok && !slices.Contains(strings.Fields(test.patterns), at.Pattern) {
				t.Errorf("the error is about %q", at.Pattern)
			}
		})
	}
}

// What would take for ever ends with an error: links to the folder itself, many
// patterns that differ, patterns and names that are long.
func TestTooMuch(t *testing.T) {
	loops := make([]string, 10)
	for i := range loops {
		loops[i] = fmt.Sprintf("l%d -> .", i)
	}
	var files []string
	for i := range 500 {
		files = append(files, fmt.Sprintf("f%03d.yaml", i))
	}
	long := make([]string, 5)
	for i := range long {
		long[i] = fmt.Sprintf("%s%d -> .", strings.Repeat("x", 250), i)
	}
	tests := []struct {
		name     string
		files    []string
		patterns []string
	}{
		{"loops", loops, []string{"*/*/*/*/*/*/*/*/*/*/nothing"}},
		{"loops with names between", loops, []string{"*/l0/*/l1/*/*/*/nothing"}},
		{"loops with long names", long, []string{strings.Repeat("*/", 7) + "nothing"}},
		{"many patterns", files, numbered("f%04d*", "f*", 3000)},
		{"more patterns than documents", nil, numbered("f%d.yaml", "", 6000)},
		{"long patterns", files, numbered("%04d"+strings.Repeat("*a", 1500), "", 60)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := tree.NewMatcher(folder(t, test.files...)).Match(t.Context(), ".", test.patterns)
			if !errors.Is(err, tree.ErrTooMuch) {
				t.Errorf("error %.200v, want that it is too much", err)
			}
		})
	}
}

// numbered returns n texts that differ, each with first before it.
func numbered(format, first string, n int) []string {
	var all []string
	if first != "" {
		all = append(all, first)
	}
	for i := range n {
		all = append(all, fmt.Sprintf(format, i))
	}
	return all
}

// The limits are for all that a Matcher is asked for, and the same pattern costs
// nothing when it comes again in a list.
func TestLimitsAreShared(t *testing.T) {
	var files []string
	for i := range 500 {
		files = append(files, fmt.Sprintf("f%03d.yaml", i))
	}
	root := folder(t, files...)
	names, err := tree.NewMatcher(root).Match(t.Context(), ".", slices.Repeat([]string{"*", "./*"}, 30_000))
	if err != nil || len(names) != len(files) {
		t.Errorf("%d names, %v", len(names), err)
	}
	m := tree.NewMatcher(root)
	for i := range 10_000 {
		if _, err := m.Match(t.Context(), ".", []string{"*"}); errors.Is(err, tree.ErrTooMuch) {
			if i < 20 {
				t.Errorf("too much after %d patterns", i)
			}
			return
		}
	}
	t.Error("never too much")
}

// A run that is interrupted goes no further.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	names, err := tree.NewMatcher(folder(t, "a.yaml")).Match(ctx, ".", []string{"*"})
	if names != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%q, %v", names, err)
	}
}
