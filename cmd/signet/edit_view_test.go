// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/unseal"
)

// TestWithMistakes protects the line that a mistake names: it is that of the text
// which the user then sees, however often that went wrong before.
func TestWithMistakes(t *testing.T) {
	for _, text := range []string{
		"#| remark\na: 1\nWRONG\nb: 2\n",
		"#! line 9: x\n#! Correct it\n#| remark\na: 1\nWRONG\n",
		"WRONG",
		"a: 1\n#! moved down\nWRONG\n#! below\n",
	} {
		at := 1 + strings.Count(text[:strings.Index(text, "WRONG")], "\n")
		for _, more := range []error{nil, errors.New("another"), errInClear} { // the last one has a hint
			mistake := &manifest.SyntaxError{Line: at, Path: "x", Reason: "is wrong"}
			shown := string(withMistakes([]byte(text), errors.Join(mistake, more)))
			line := 0
			if _, err := fmt.Sscanf(shown, "#! line %d: x: is wrong\n", &line); err != nil {
				t.Fatalf("%v in:\n%s", err, shown)
			}
			lines := strings.Split(shown, "\n")
			if line < 1 || line > len(lines) || lines[line-1] != "WRONG" {
				t.Errorf("line %d of:\n%s", line, shown)
			}
			if got, want := strip(shown), strip(text); got != want {
				t.Errorf("the text became\n%s\nwas\n%s", got, want)
			}
		}
	}
}

// strip returns a text without the lines about mistakes.
func strip(text string) string {
	var kept []string
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if !strings.HasPrefix(line, mistakeMark) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

// TestWithoutMarked protects values and line numbers: only whole lines of signet's go.
func TestWithoutMarked(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"remarks", "#| a\r\n#! b\nx: 1\n#|\n", "\r\n\nx: 1\n\n"},
		{"a comment of the user", "# a\n#b\n", "# a\n#b\n"},
		{"in a value", "x: |\n  #| a\n  #! b\n", "x: |\n  #| a\n  #! b\n"},
		{"without a line break", "#| a", ""},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(withoutMarked([]byte(tt.text))); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestMatch protects against values that come into another Secret than the one in
// which the user has written them.
func TestMatch(t *testing.T) {
	newTarget := func(namespace, name string) *target {
		return &target{
			job:    []found{{Object: &manifest.Object{Node: parseDocument(t, "apiVersion: signet.dev/v1alpha1\nkind: SealedSecret\n").Content[0]}}},
			opened: &unseal.Opened{Secret: &manifest.Secret{Name: name, Namespace: namespace}},
		}
	}
	tests := []struct {
		name    string
		targets [][2]string
		saved   [][2]string
		want    []int // the number of each target's object
		err     string
	}{
		{"in order", [][2]string{{"a", "x"}, {"a", "y"}}, [][2]string{{"a", "x"}, {"a", "y"}}, []int{0, 1}, ""},
		{"the other way round", [][2]string{{"a", "x"}, {"a", "y"}}, [][2]string{{"a", "y"}, {"a", "x"}}, []int{1, 0}, ""},
		{"same name, other namespace", [][2]string{{"a", "x"}, {"b", "x"}}, [][2]string{{"b", "x"}, {"a", "x"}}, []int{1, 0}, ""},
		{"two documents of one Secret", [][2]string{{"a", "x"}, {"a", "y"}, {"a", "x"}}, [][2]string{{"a", "x"}, {"a", "x"}, {"a", "y"}}, []int{0, 2, 1}, ""},
		{"one too few", [][2]string{{"a", "x"}, {"a", "x"}}, [][2]string{{"a", "x"}}, nil, "a/x must stay, under this name"},
		{"one too many", [][2]string{{"a", "x"}}, [][2]string{{"a", "x"}, {"a", "x"}}, nil, "a/x was not there before"},
		{"renamed", [][2]string{{"a", "x"}}, [][2]string{{"a", "y"}}, nil, "a/x must stay, under this name; a/y was not there before"},
		{"moved", [][2]string{{"", "x"}}, [][2]string{{"a", "x"}}, nil, "x must stay, under this name; a/x was not there before"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var all []*manifest.Object
			for _, place := range tt.saved {
				n := (&manifest.Secret{Namespace: place[0], Name: place[1]}).Node()
				all = append(all, &manifest.Object{Node: manifest.Root(n)})
			}
			of, err := match(targetsOf(tt.targets, newTarget), all)
			if err != nil {
				if err.Error() != tt.err {
					t.Errorf("got %v, want %s", err, tt.err)
				}
				return
			}
			var got []int
			for _, o := range of {
				for i := range all {
					if all[i] == o {
						got = append(got, i)
					}
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func targetsOf(places [][2]string, newTarget func(namespace, name string) *target) []*target {
	var all []*target
	for _, place := range places {
		all = append(all, newTarget(place[0], place[1]))
	}
	return all
}
