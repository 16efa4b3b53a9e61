// SPDX-License-Identifier: Apache-2.0

package report

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/manifest"
)

func TestPlacedError(t *testing.T) {
	cause := errors.New("no such thing")
	tests := []struct {
		name string
		err  *PlacedError
		want string
	}{
		{"file", &PlacedError{File: "a.yaml", Operation: "read", Err: cause}, "a.yaml: read: no such thing"},
		{"stdin", &PlacedError{File: "-", Document: 2, Operation: "read", Err: cause}, "stdin, document 2: read: no such thing"},
		{"item", &PlacedError{File: "a", Document: 1, Item: 3, Object: "prod/db", Operation: "open", Err: cause}, "a, document 1, item 3, prod/db: open: no such thing"},
		{"evil file", &PlacedError{File: "a\nb", Operation: "read", Err: cause}, `a\nb: read: no such thing`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.err.Error(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if !errors.Is(test.err, cause) {
				t.Error("the cause is lost")
			}
		})
	}
}

func TestAt(t *testing.T) {
	tests := []struct{ name, document, want string }{
		{"named", "{kind: A, metadata: {name: b}}", "x.yaml, document 1, b: open: why"},
		{"in a namespace", "{kind: A, metadata: {name: b, namespace: c}}", "x.yaml, document 1, c/b: open: why"},
		{"without a name", "{kind: A}", "x.yaml, document 1: open: why"},
		{"with an endless name", "{kind: A, metadata: {name: " + strings.Repeat("b", 254) + "}}", "x.yaml, document 1: open: why"},
		{"in a List", "{kind: AList, items: [{kind: A, metadata: {name: b}}]}", "x.yaml, document 1, item 1, b: open: why"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			stream, err := manifest.Split([]byte(test.document))
			if err != nil {
				t.Fatal(err)
			}
			node, err := stream.Documents[0].Node()
			if err != nil {
				t.Fatal(err)
			}
			objects, err := manifest.Objects(node)
			if err != nil {
				t.Fatal(err)
			}
			if got := At("x.yaml", stream.Documents[0], objects[0], "open", errors.New("why")).Error(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestFileOf(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"file", fmt.Errorf("x: %w", &PlacedError{File: "a b", Err: fs.ErrNotExist}), "'a b'"},
		{"stdin", &PlacedError{File: "-", Err: fs.ErrNotExist}, "FILE"},
		{"no file", fs.ErrNotExist, "FILE"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := FileOf(test.err); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestShortPath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for path, want := range map[string]string{
		filepath.Join(dir, "a", "b"): filepath.Join("a", "b"),
		"c":                          "c",
		"/x":                         "/x", // shorter than the way up and down
	} {
		if got := ShortPath(path); got != want {
			t.Errorf("ShortPath(%q) = %q, want %q", path, got, want)
		}
	}
}

// printed is what errors look like.
func printed(errs []error, untried int, hints func(error) []string) string {
	var b strings.Builder
	Printer{Program: "test", W: &b}.Errors(errs, untried, hints)
	return b.String()
}

func TestErrors(t *testing.T) {
	numbered := func(n int) []error {
		var errs []error
		for i := range n {
			errs = append(errs, fmt.Errorf("error %d", i))
		}
		return errs
	}
	details := "\n  one key: no\n  other key: no"
	tests := []struct {
		name    string
		errs    []error
		untried int
		want    []string // lines; "..." stands for any number of them
	}{
		{"none", nil, 0, []string{""}},
		{"one", []error{errors.New("a")}, 0, []string{"test: error: a", "test: hint: help with a", ""}},
		{"details and hints once", []error{errors.New("a" + details), errors.New("a" + details)}, 0,
			[]string{"test: error: a", "    one key: no", "    other key: no", "test: hint: help with a", "test: error: a", ""}},
		{"evil", []error{errors.New("a\x1bb")}, 0, []string{`test: error: a\x1bb`, `test: hint: help with a\x1bb`, ""}},
		{"too many", numbered(MaxErrors + 2), 0, []string{"...", "test: error: error 19", "test: hint: help with error 19", "test: error: and 2 more", ""}},
		{"untried", numbered(MaxErrors + 2), 3, []string{"...", "test: error: and 5 more, not all of which were tried", ""}},
		{"few, and untried", numbered(1), 3, []string{"...", "test: error: and 3 more, not all of which were tried", ""}},
		{"long details", []error{errors.New("a" + strings.Repeat("\nx", maxDetails+5))}, 0, []string{"...", "  x", "    and 5 more lines", "test: hint: help with a", ""}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := strings.Split(printed(test.errs, test.untried, func(err error) []string {
				first, _, _ := strings.Cut(err.Error(), "\n")
				return []string{"help with " + first}
			}), "\n")
			want := test.want
			if want[0] == "..." {
				want = want[1:]
				got = got[max(len(got)-len(want), 0):]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestNote(t *testing.T) {
	var b strings.Builder
	Printer{Program: "test", W: &b}.Note("a\nb", "c\nd")
	if got, want := b.String(), "test: note: a\\nb: c\\nd\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSplit(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	for name, test := range map[string]struct {
		err  error
		want int
	}{"nil": {nil, 0}, "one": {a, 1}, "wrapped": {fmt.Errorf("x: %w", a), 1}, "joined": {errors.Join(a, nil, b), 2}} {
		if got := Split(test.err); len(got) != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
