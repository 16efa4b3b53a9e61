// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Text that a merge made is refused unless every document stands in it as it
// should.
func TestMergeErrors(t *testing.T) {
	a, b, c := sealedDoc("a", "1"), sealedDoc("b", "1"), configMap("c", "1")
	s, err := NewStreams([]byte(file(a, b, c, sealedDoc("gone", "1"))), []byte(file(a, b, c)), []byte(file(a, b, c)))
	if err != nil {
		t.Fatal(err)
	}
	good := string(s.Ours)
	lines := slices.Collect(strings.Lines(good))
	gone := strings.TrimPrefix(string(s.Base), good+"---\n")
	for name, test := range map[string]struct {
		text string
		want error // nil for none
	}{
		"good":                {good, nil},
		"word alone":          {good + "# signet-merge: x\n", nil},
		"missing":             {strings.Replace(good, lines[0]+"---\n", "", 1), errMissing},
		"twice":               {good + "---\n" + lines[0], errMissing},
		"removed on the side": {good + "---\n" + gone, errMissing},
		"run together":        {strings.Replace(good, lines[0]+"---\n", lines[0], 1), errTogether},
		"into text":           {strings.Replace(good, lines[2]+"---\n", lines[2], 1), errTogether},
		"within text":         {good + "---\na: |\n  " + lines[0], errTogether},
		"in a comment":        {good + "# " + lines[0], errTogether},
		"a key added":         {strings.Replace(good, lines[0], lines[0]+"a: b\n", 1), errTogether},
		"empty":               {"", errMissing},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := s.Merge([]byte(test.text))
			if !errors.Is(err, test.want) {
				t.Fatalf("error %v, want %v", err, test.want)
			}
			if err == nil && len(m.Jobs) != 2 {
				t.Errorf("%d jobs", len(m.Jobs))
			}
		})
	}
	if _, err := s.Merge([]byte("\xff")); err == nil {
		t.Error("merged text that is not UTF-8 is accepted")
	}
}

// A document that was not settled can't be forgotten.
func TestMergedBytesWantsAll(t *testing.T) {
	a, b := func(value string) string { return sealedDoc("a", value) }, func(value string) string { return sealedDoc("b", value) }
	s, err := NewStreams([]byte(file(a("1"), b("1"))), []byte(file(a("2"), b("2"))), []byte(file(a("3"), b("3"))))
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Merge(s.Ours)
	if err != nil {
		t.Fatal(err)
	}
	m.Jobs[0].Documents[0].Keep(m.Jobs[0].Documents[0].Theirs)
	if out, err := m.Bytes(); !errors.Is(err, errReplaced) || out != nil {
		t.Errorf("%q, %v", out, err)
	}
	m.Jobs[1].Documents[0].Keep(m.Jobs[1].Documents[0].Ours)
	out, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(file(a("3"), b("2")), string(out)); diff != "" {
		t.Error(diff)
	}
}

// Placeholders can't be foretold: a version that holds one has others.
func TestPlaceholdersAreNew(t *testing.T) {
	base, ours, theirs := []byte(sealedDoc("a", "1")), []byte(sealedDoc("a", "2")), []byte(sealedDoc("a", "3"))
	s, err := NewStreams(base, ours, theirs)
	if err != nil {
		t.Fatal(err)
	}
	planted, err := NewStreams(base, slices.Concat(ours, []byte("---\n"), s.Ours), theirs)
	if err != nil {
		t.Fatal(err)
	}
	m, err := planted.Merge(planted.Ours)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Jobs) != 1 {
		t.Errorf("jobs %v", summary(m))
	}
}

// The parts of a SOPS file know each other, for they open together only.
func TestSOPSFileParts(t *testing.T) {
	text := []byte(file(sopsDoc("a", "1", "m"), configMap("c", "1"), sopsDoc("b", "1", "m"), sealedDoc("x", "1"), sopsDoc("d", "1", "m")))
	s, err := NewStreams(text, text, text)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Merge(s.Ours)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, j := range m.Jobs {
		for _, d := range j.Documents {
			var names []string
			for _, p := range d.Theirs.File {
				names = append(names, p.id.Name)
			}
			files = append(files, strings.Join(names, " "))
		}
	}
	if diff := cmp.Diff([]string{"a b", "a b", "x", "d"}, files); diff != "" {
		t.Error(diff)
	}
}
