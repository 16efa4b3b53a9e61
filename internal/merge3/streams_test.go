// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/manifest"
)

// sealedDoc is a SealedSecret as far as the text of a file goes. name is that
// of the object; "name->secret" has the name of the Secret, too.
func sealedDoc(name, value string) string {
	object, secret, ok := strings.Cut(name, "->")
	if !ok {
		secret = object
	}
	return fmt.Sprintf(`apiVersion: signet.dev/v1alpha1
kind: SealedSecret
metadata:
  name: %s
  namespace: prod
spec:
  secretName: %s
  sealed:
    scope: prod/%s
    signet: %s
`, object, secret, secret, value)
}

func sealingKey(value string) string {
	return strings.Replace(sealedDoc("a", value), "SealedSecret", "SealingKey", 1)
}

// sealedList is a List with a SealedSecret.
func sealedList(value string) string {
	return "apiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(strings.TrimSuffix(sealedDoc("a", value), "\n"), "\n", "\n  ") + "\n"
}

// sopsDoc is a Secret that SOPS encrypted.
func sopsDoc(name, value, mac string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Secret
metadata:
  name: %s
data:
  a: %s
sops:
  mac: mac-%s
`, name, value, mac)
}

func configMap(name, value string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: ConfigMap
metadata:
  name: %s
data:
  a: %q
  b: b
  c: c
`, name, value)
}

func file(documents ...string) string { return strings.Join(documents, "---\n") }

// summary tells what Merge found: each job with the versions of its documents.
func summary(m *Merged) []string {
	var jobs []string
	for _, j := range m.Jobs {
		var names []string
		for _, d := range j.Documents {
			name := d.ID.String()
			for i, p := range []*Part{d.Base, d.Ours, d.Theirs} {
				if p != nil {
					name += " " + []string{"b", "o", "t"}[i]
				}
			}
			names = append(names, name)
		}
		text := strings.Join(names, " + ")
		if j.SOPS {
			text = "sops: " + text
		}
		if !j.Settled {
			text += ": to merge"
		}
		jobs = append(jobs, text)
	}
	return jobs
}

// replaceAll puts something in the place of every document that is not settled.
func replaceAll(t *testing.T, m *Merged) {
	t.Helper()
	for _, j := range m.Jobs {
		for _, d := range j.Documents {
			if j.Settled {
				continue
			}
			if err := d.Replace(parse(t, "merged: "+d.ID.Name+"\n")); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// streamsTest is a merge of files, whose text Git merges without a conflict.
type streamsTest struct {
	name               string
	base, ours, theirs string
	jobs               []string
	want               string
}

func TestStreams(t *testing.T) {
	a, a2, a3 := sealedDoc("a", "1"), sealedDoc("a", "2"), sealedDoc("a", "3")
	b, b2 := sealedDoc("b", "1"), sealedDoc("b", "2")
	c, c2 := configMap("c", "1"), configMap("c", "2")
	testStreams(t, []streamsTest{
		{"one document, both changed", a, a2, a3, []string{"prod/a b o t: to merge"}, "merged: a\n"},
		{"one document, one changed", a, a, a2, []string{"prod/a b o t"}, a2},
		{"documents changed on one side each", file(a, b), file(a2, b), file(a, b2), []string{"prod/a b o t", "prod/b b o t"}, file(a2, b2)},
		{"text and a document", file(a, c), file(a, c2), file(a2, c), []string{"prod/a b o t"}, file(a2, c2)},
		{"text around a document", "# head\n---\n" + a + "# tail\n---\n" + c, "# head ours\n---\n" + a2 + "# tail\n---\n" + c, "# head\n---\n" + a3 + "# tail\n---\n" + c2,
			[]string{"prod/a b o t: to merge"}, "# head ours\n---\nmerged: a\n---\n" + c2},
		{"document and text added", c, file(c, a), file(c2), []string{"prod/a o"}, file(c2, a)},
		{"made on both sides", "", a, a2, []string{"prod/a o t: to merge"}, "merged: a\n"},
		{"added on both sides alike", c, file(c, a), file(c, a), []string{"prod/a o t"}, file(c, a)},
		{"added on both sides", c, file(c, a), file(c, a2), []string{"prod/a o t: to merge"}, file(c, "merged: a\n")},
		{"removed on one side", file(a, c), c, file(a, c2), nil, c2},
		{"removed on both sides", file(a, c), c, c, nil, c},
		{"moved", file(a, b, c), file(b, a, c), file(a2, b, c), []string{"prod/b b o t", "prod/a b o t"}, file(b, a2, c)},
		{"another object name, same Secret", a, sealedDoc("x->a", "1"), a2, []string{"prod/a b o t: to merge"}, "merged: a\n"},
		{"no final line break", strings.TrimSuffix(a, "\n"), strings.TrimSuffix(a, "\n"), strings.TrimSuffix(a2, "\n"), []string{"prod/a b o t"}, strings.TrimSuffix(a2, "\n")},
		{"no final line break, a document added", strings.TrimSuffix(a, "\n"), strings.TrimSuffix(a, "\n"), file(a, b), []string{"prod/a b o t", "prod/b t"}, file(a, b)},
		{"blank lines and an end marker", a + "\n\n---\n" + b + "...\n", a2 + "\n\n---\n" + b + "...\n", a + "\n\n---\n" + b2 + "...\n", []string{"prod/a b o t", "prod/b b o t"}, a2 + "\n\n---\n" + b2 + "...\n"},
		{"base cannot be read", "\xff", a, a2, []string{"prod/a o t: to merge"}, "merged: a\n"},
		{"base is not YAML", "a: [\n", a, a2, []string{"prod/a o t: to merge"}, "merged: a\n"},
		{"base is in conflict", string((&ConflictFile{Ours: []byte(a)}).Bytes(7)), a, a2, []string{"prod/a o t: to merge"}, "merged: a\n"},
		{"nothing sealed", c, c2, c, nil, c2},
	})
}

func TestStreamsLanguages(t *testing.T) {
	a, a2, a3 := sealedDoc("a", "1"), sealedDoc("a", "2"), sealedDoc("a", "3")
	b, b2 := sealedDoc("b", "1"), sealedDoc("b", "2")
	c, c2 := configMap("c", "1"), configMap("c", "2")
	testStreams(t, []streamsTest{
		{"JSON", toJSON(t, a), toJSON(t, a2), toJSON(t, a3), []string{"prod/a b o t: to merge"}, "{\n  \"merged\": \"a\"\n}\n"},
		{"JSON, two objects", toJSON(t, a) + toJSON(t, b), toJSON(t, a2) + toJSON(t, b), toJSON(t, a) + toJSON(t, b2), []string{"prod/a b o t", "prod/b b o t"}, toJSON(t, a2) + toJSON(t, b2)},
		{"CRLF", crlf(file(a, c)), crlf(file(a2, c)), crlf(file(a3, c2)), []string{"prod/a b o t: to merge"}, crlf(file("merged: a\n", c2))},
	})
}

func TestStreamsAtomic(t *testing.T) {
	a, a2, a3 := sealedDoc("a", "1"), sealedDoc("a", "2"), sealedDoc("a", "3")
	c, c2 := configMap("c", "1"), configMap("c", "2")
	part := func(value string) string { return sealedDoc("db-a->db", value) }
	part2 := func(value string) string { return sealedDoc("db-b->db", value) }
	testStreams(t, []streamsTest{
		{"parts of one Secret", file(part("1"), part2("1")), file(part("2"), part2("1")), file(part("3"), part2("2")),
			[]string{"prod/db-a b o t: to merge", "prod/db-b b o t"}, file("merged: db\n", part2("2"))},
		{"two equal ones, each side changed one", file(a, a), file(a2, a), file(a, a3), []string{" o", " t"}, file(a2, a3)},
		{"SealingKey", file(sealingKey("1"), c), file(sealingKey("2"), c), file(sealingKey("1"), c2), []string{" o"}, file(sealingKey("2"), c2)},
		{"List", file(sealedList("1"), c), file(sealedList("2"), c), file(sealedList("1"), c2), []string{" o"}, file(sealedList("2"), c2)},
	})
}

func TestStreamsSOPS(t *testing.T) {
	a, a2, a3 := sealedDoc("a", "1"), sealedDoc("a", "2"), sealedDoc("a", "3")
	testStreams(t, []streamsTest{
		{"SOPS, both changed", sopsDoc("a", "1", "m"), sopsDoc("a", "2", "n"), sopsDoc("a", "3", "o"), []string{"sops: a b o t: to merge"}, "merged: a\n"},
		{"SOPS, one changed", sopsDoc("a", "1", "m"), sopsDoc("a", "1", "m"), sopsDoc("a", "3", "o"), []string{"sops: a b o t"}, sopsDoc("a", "3", "o")},
		{"SOPS, two documents, each side changed one", file(sopsDoc("a", "1", "m"), sopsDoc("b", "1", "m")), file(sopsDoc("a", "2", "n"), sopsDoc("b", "1", "n")), file(sopsDoc("a", "1", "o"), sopsDoc("b", "2", "o")),
			[]string{"sops: a b o t + b b o t: to merge"}, file("merged: a\n", "merged: b\n")},
		{"SOPS, two documents, one side changed one", file(sopsDoc("a", "1", "m"), sopsDoc("b", "1", "m")), file(sopsDoc("a", "2", "n"), sopsDoc("b", "1", "n")), file(sopsDoc("a", "1", "m"), sopsDoc("b", "1", "m")),
			[]string{"sops: a b o t + b b o t"}, file(sopsDoc("a", "2", "n"), sopsDoc("b", "1", "n"))},
		{"SOPS, one added, one changed", sopsDoc("a", "1", "m"), file(sopsDoc("a", "1", "n"), sopsDoc("b", "1", "n")), sopsDoc("a", "2", "o"),
			[]string{"sops: a b o t + b o: to merge"}, file("merged: a\n", "merged: b\n")},
		{"SOPS, one removed, one changed", file(sopsDoc("a", "1", "m"), sopsDoc("b", "1", "m")), file(sopsDoc("a", "2", "n"), sopsDoc("b", "1", "n")), sopsDoc("a", "1", "o"),
			[]string{"sops: a b o t: to merge"}, "merged: a\n"},
		{"SOPS, two files", file(sopsDoc("a", "1", "m"), sopsDoc("b", "1", "x")), file(sopsDoc("a", "2", "n"), sopsDoc("b", "1", "x")), file(sopsDoc("a", "1", "m"), sopsDoc("b", "2", "y")),
			[]string{"sops: a b o t", "sops: b b o t"}, file(sopsDoc("a", "2", "n"), sopsDoc("b", "2", "y"))},
		{"SOPS, two files that theirs made one", file(sopsDoc("a", "1", "m"), sopsDoc("b", "1", "x")), file(sopsDoc("a", "1", "m"), sopsDoc("b", "1", "x")), file(sopsDoc("a", "1", "o"), sopsDoc("b", "1", "o")),
			[]string{"sops: a b o t + b b o t"}, file(sopsDoc("a", "1", "o"), sopsDoc("b", "1", "o"))},
		{"SOPS, one taken out of the text", file(sopsDoc("a", "1", "m"), sopsDoc("b", "1", "m")), file(sopsDoc("a", "2", "n"), sopsDoc("b", "1", "n")), sopsDoc("a", "1", "m"),
			[]string{"sops: a b o t: to merge"}, "merged: a\n"},
		{"SOPS, two equal ones", file(sopsDoc("a", "1", "m"), sopsDoc("a", "1", "m"), a), file(sopsDoc("a", "1", "m"), sopsDoc("a", "1", "m"), a2), file(sopsDoc("a", "1", "m"), sopsDoc("a", "1", "m"), a3),
			[]string{"sops:  b o t +  b o t", "prod/a b o t: to merge"}, file(sopsDoc("a", "1", "m"), sopsDoc("a", "1", "m"), "merged: a\n")},
		{"SOPS and a SealedSecret", file(sopsDoc("a", "1", "m"), a), file(sopsDoc("a", "2", "n"), a), file(sopsDoc("a", "3", "o"), a2),
			[]string{"sops: a b o t: to merge", "prod/a b o t"}, file("merged: a\n", a2)},
	})
}

func testStreams(t *testing.T, tests []streamsTest) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, swapped := range []bool{false, true} {
				s, err := NewStreams([]byte(test.base), []byte(test.ours), []byte(test.theirs))
				if swapped {
					s, err = NewStreams([]byte(test.base), []byte(test.theirs), []byte(test.ours))
				}
				if err != nil {
					t.Fatal(err)
				}
				text, clean := gitMerge(t, s.Base, s.Ours, s.Theirs)
				if !clean {
					t.Fatalf("the text is in conflict:\n%s", text)
				}
				m, err := s.Merge(text)
				if err != nil {
					t.Fatalf("%v in\n%s", err, text)
				}
				if diff := cmp.Diff(test.jobs, summary(m)); diff != "" && !swapped {
					t.Errorf("jobs (-want +got):\n%s", diff)
				}
				if s.Sealed() != (len(test.jobs) > 0 || strings.Contains(test.base, "sealed")) {
					t.Errorf("sealed: %v", s.Sealed())
				}
				replaceAll(t, m)
				got, err := m.Bytes()
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, string(got)); diff != "" {
					t.Errorf("merged with the sides swapped: %v (-want +got):\n%s", swapped, diff)
				}
			}
		})
	}
}

func toJSON(t *testing.T, text string) string {
	t.Helper()
	out, err := manifest.EncodeJSON(parse(t, text), "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func crlf(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

// What can't be merged document by document is a conflict in the text.
func TestStreamsTextConflicts(t *testing.T) {
	a, a2, a3 := sealedDoc("a", "1"), sealedDoc("a", "2"), sealedDoc("a", "3")
	b, b2 := sealedDoc("b", "1"), sealedDoc("b", "2")
	values := func(value string) string { return "a: " + value + "\nsops:\n  mac: mac-" + value + "\n" }
	tests := []struct{ name, base, ours, theirs string }{
		{"changed here, removed there", file(a, b), file(a2, b), b},
		{"different documents added in one place", a, file(a, b), file(a, sealedDoc("c", "1"))},
		{"renamed here, changed there", a, b, a2},
		{"one of two equal ones", file(a, a), file(a2, a), file(a3, a)},
		{"SealingKey", sealingKey("1"), sealingKey("2"), sealingKey("3")},
		{"List", sealedList("1"), sealedList("2"), sealedList("3")},
		{"YAML here, JSON there", a, toJSON(t, a2), a3},
		{"SOPS file that is no manifest", values("1"), values("2"), values("3")},
		{"SOPS document changed here, removed there", file(sopsDoc("a", "1", "m"), sopsDoc("b", "1", "m")), file(sopsDoc("a", "1", "n"), sopsDoc("b", "2", "n")), sopsDoc("a", "1", "o")},
		{"other version of the API", strings.Replace(b, "v1alpha1", "v9", 1), strings.Replace(b2, "v1alpha1", "v9", 1), strings.Replace(sealedDoc("b", "3"), "v1alpha1", "v9", 1)},
		{"in clear there", a, a2, "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: prod}\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, err := NewStreams([]byte(test.base), []byte(test.ours), []byte(test.theirs))
			if err != nil {
				t.Fatal(err)
			}
			if !s.Sealed() {
				t.Error("nothing is sealed")
			}
			if text, clean := gitMerge(t, s.Base, s.Ours, s.Theirs); clean {
				t.Errorf("merged without a conflict:\n%s", text)
			}
		})
	}
}

func TestNewStreamsErrors(t *testing.T) {
	a := []byte(sealedDoc("a", "1"))
	conflict := (&ConflictFile{Ours: a}).Bytes(7)
	many := []byte(strings.Repeat("---\n"+sealedDoc("a", "1"), 1+maxNodes/10))
	tests := []struct {
		name         string
		ours, theirs []byte
		side         string
		cause        error // nil for any
	}{
		{"ours in conflict", conflict, a, "ours", ErrConflict},
		{"theirs in conflict", a, conflict, "theirs", ErrConflict},
		{"theirs not UTF-8", a, []byte("\xff"), "theirs", nil},
		{"ours too much", many, a, "ours", errTooMuch},
		{"theirs on one line", a, []byte(strings.Repeat(strings.TrimSpace(strings.ReplaceAll(toJSON(t, string(a)), "\n", "")), 2)), "theirs", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewStreams(nil, test.ours, test.theirs)
			var side *SideError
			if !errors.As(err, &side) || side.Side != test.side || test.cause != nil && !errors.Is(err, test.cause) {
				t.Errorf("error %v, want one of %s: %v", err, test.side, test.cause)
			}
		})
	}
}
