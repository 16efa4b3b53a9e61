// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestReplace(t *testing.T) {
	tests := []struct {
		name string
		in   string
		at   int // which of the documents that are not blank
		with string
		want string
	}{
		{"only document", "a: 1\n", 0, "new: 9\n", "new: 9\n"},
		{"first", "a: 1\n---\nb: 2\n", 0, "new: 9\n", "new: 9\n---\nb: 2\n"},
		{"middle", "a: 1\n---\nb:   2\n---\nc: [ 3 ]\n", 1, "new: 9\n", "a: 1\n---\nnew: 9\n---\nc: [ 3 ]\n"},
		{"last", "a:   1\n---\nb: 2\n", 1, "new: 9\n", "a:   1\n---\nnew: 9\n"},
		{"no final newline", "a: 1\n---\nb: 2", 1, "new: 9\n", "a: 1\n---\nnew: 9\n"},
		{"comments above the marker", "# x\n\n# y\n---\na: 1\n", 0, "new: 9\n", "# x\n\n# y\n---\nnew: 9\n"},
		{"comment on the marker", "--- # x\na: 1\n", 0, "new: 9\n", "--- # x\nnew: 9\n"},
		{"content on the marker", "a: 1\n--- {b: 2}\n---\nc: 3\n", 1, "new: 9\n", "a: 1\n---\nnew: 9\n---\nc: 3\n"},
		{"content on the marker, CRLF", "--- {b: 2}\r\n", 0, "new: 9\n", "---\r\nnew: 9\r\n"},
		{"content on the marker, no newline", "--- {b: 2}", 0, "new: 9\n", "---\nnew: 9\n"},
		{"blank lines after", "a: 1\n\n\n---\nb: 2\n \n", 0, "new: 9\n", "new: 9\n\n\n---\nb: 2\n \n"},
		{"end marker stays", "a: 1\n\n...\nb: 2\n", 0, "new: 9\n", "new: 9\n\n...\nb: 2\n"},
		{"end marker with a comment, last line", "a: 1\n... # x", 0, "new: 9\n", "new: 9\n... # x"},
		{"directive", "%YAML 1.1\n---\na: 1\n", 0, "new: 9\n", "%YAML 1.1\n---\nnew: 9\n"},
		{"byte order mark", "\uFEFFa: 1\n", 0, "new: 9\n", "\uFEFFnew: 9\n"},
		{"CRLF", "a: 1\r\n---\r\nb: 2\r\n\r\n", 1, "new: |\n  x\n  y\n", "a: 1\r\n---\r\nnew: |\r\n  x\r\n  y\r\n\r\n"},
		{"a block scalar at the end keeps its breaks", "a: 1\n\n\n---\nb: 2\n", 0, "new: |+\n  x\n\n", "new: |+\n  x\n\n---\nb: 2\n"},
		{"comments of the new document", "---\na: 1\n", 0, "# h\nnew: 9 # l\n# f\n", "---\n# h\nnew: 9 # l\n# f\n"},
		{"JSON, one line", "{\"a\":1}\n{\"b\":2}\n", 1, "new: 9\n", "{\"a\":1}\n{\"new\":9}\n"},
		{"JSON, one line, blanks", " {\"a\":1}  {\"b\":2} ", 0, "new: 9\n", " {\"new\":9}  {\"b\":2} "},
		{"JSON, two spaces", "{\n  \"a\": 1\n}\n\n{}", 0, "new: [9]\n", "{\n  \"new\": [\n    9\n  ]\n}\n\n{}"},
		{"JSON, four spaces", "{\n    \"a\": 1\n}", 0, "new: 9\n", "{\n    \"new\": 9\n}"},
		{"JSON, tabs", "{\n\t\"a\": 1\n}\n", 0, "new: 9\n", "{\n\t\"new\": 9\n}\n"},
		{"JSON, lines without indent", "{\n\"a\": 1\n}\n", 0, "new: 9\n", "{\n  \"new\": 9\n}\n"},
		{"JSON before YAML", "{\"a\":1}\n---\nb: 2\n", 0, "new: 9\n", "new: 9\n---\nb: 2\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := mustSplit(t, test.in)
			if err := contents(s)[test.at].Replace(mustParse(t, test.with)); err != nil {
				t.Fatalf("Replace: %v", err)
			}
			if diff := cmp.Diff(test.want, string(s.Bytes())); diff != "" {
				t.Errorf("stream (-want +got):\n%s", diff)
			}
		})
	}
}

// A document that is put back as it was parsed stays as it was, comments too:
// those above the marker are in the node and in the separator.
func TestReplaceByItself(t *testing.T) {
	tests := []struct{ name, in string }{
		{"plain", "a: 1\nb:\n- c\n"},
		{"comments", "# top\n---\n# in\na: 1 # x\n# foot\n"},
		{"comment alone on the marker", "--- # marker\na: 1\n"},
		{"comments above and on the marker", "# one\n# two\n--- # three\n# four\na: 1\n"},
		{"blank line between comments", "# one\n\n# two\na: 1\n"},
		{"blank lines in the separator", "# one\n\n---\na: 1\n"},
		{"the same comment twice", "# one\n---\n# one\na: 1\n"},
		{"directive with a comment", "%YAML 1.1\n# x\n---\na: 1\n"},
		{"list", "# top\n---\n- a\n# b\n- b\n"},
		{"CRLF", "# top\r\n---\r\na: 1\r\n\r\n"},
		{"end marker", "--- # x\na: 1\n...\n"},
		{"JSON", "{\n  \"a\": 1\n}\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in := "first: 1\n...\n" + test.in
			if strings.HasPrefix(test.in, "{") {
				in = test.in
			}
			s := mustSplit(t, in)
			docs := contents(s)
			d := docs[len(docs)-1]
			n, err := d.Node()
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Replace(n); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(in, string(s.Bytes())); diff != "" {
				t.Errorf("stream (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReplaceErrors(t *testing.T) {
	infinite := mustParse(t, "a: .inf\n")
	s := mustSplit(t, "{\"a\":1}\n")
	if err := s.Documents[0].Replace(infinite); err == nil {
		t.Error("infinity was written to JSON")
	}
	if got, want := string(s.Bytes()), "{\"a\":1}\n"; got != want {
		t.Errorf("stream after a failed Replace = %q, want %q", got, want)
	}
	s = mustSplit(t, "a: 1\n")
	err := s.Documents[0].Replace(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: canary + "\xff"})
	if err == nil {
		t.Error("invalid UTF-8 was written")
	}
	noLeak(t, err)
}

func TestReplaceListItem(t *testing.T) {
	const in = `# before
apiVersion: v1
kind: List
items:
  # the first
  - kind: A # x
    spec: {b:   1}
  - kind: B
  - kind: C
`
	const want = `# before
apiVersion: v1
kind: List
items:
# the first
- kind: A # x
  spec: {b: 1}
- kind: New
- kind: C
`
	s := mustSplit(t, in)
	d := s.Documents[0]
	n, err := d.Node()
	if err != nil {
		t.Fatal(err)
	}
	objects, err := Objects(n)
	if err != nil {
		t.Fatal(err)
	}
	objects[1].Replace(mustParse(t, "kind: New\n"))
	if err := d.Replace(n); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(s.Bytes())); diff != "" {
		t.Errorf("stream (-want +got):\n%s", diff)
	}
}

func TestBody(t *testing.T) {
	tests := []struct {
		name, in, body, want string // want: after ReplaceBody("new: 9\n")
	}{
		{"bare", "a: 1\n", "a: 1\n", "new: 9\n"},
		{"separator and blanks", "# x\n---\na: 1\n\n", "a: 1\n", "# x\n---\nnew: 9\n\n"},
		{"comments below the marker", "--- # x\n# y\na: 1\n", "# y\na: 1\n", "--- # x\nnew: 9\n"},
		{"content on the marker", "--- {a: 1}\n", " {a: 1}\n", "---\nnew: 9\n"},
		{"end marker", "a: 1\n\n...\n", "a: 1\n", "new: 9\n\n...\n"},
		{"JSON", " {\"a\":1} \n", "{\"a\":1}", " new: 9 \n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := mustSplit(t, test.in)
			d := s.Documents[0]
			if got := string(d.Body()); got != test.body {
				t.Errorf("Body = %q, want %q", got, test.body)
			}
			d.ReplaceBody([]byte("new: 9\n"))
			if got := string(s.Bytes()); got != test.want {
				t.Errorf("after ReplaceBody: %q, want %q", got, test.want)
			}
		})
	}
}

func TestDocumentNode(t *testing.T) {
	s := mustSplit(t, "# c\n---\n---\na: 1\n---\n\nb: 2\nb: 3\n---\nc: [\n")
	if n, err := s.Documents[0].Node(); n != nil || err != nil {
		t.Errorf("blank document: %v, %v", n, err)
	}
	d := s.Documents[1]
	n, err := d.Node()
	if err != nil || Get(Root(n), "a").Line != 4 {
		t.Fatalf("node %v, error %v, want line 4", n, err)
	}
	if again, _ := d.Node(); again != n {
		t.Error("Node parsed twice")
	}
	d.Forget()
	again, err := d.Node()
	if err != nil || again == n || !Equal(again, n) || Get(Root(again), "a").Line != 4 {
		t.Errorf("after Forget: %v, %v", again, err)
	}
	for i, want := range map[int]int{2: 8, 3: 10} {
		for range 2 { // the error stays the same
			_, err := s.Documents[i].Node()
			if got := syntaxError(t, err).Line; got != want {
				t.Errorf("document %d: line %d, want %d: %v", i, got, want, err)
			}
		}
	}
}

func FuzzStream(f *testing.F) {
	for _, in := range streams {
		f.Add([]byte(in))
	}
	for _, in := range []string{
		"", "{}{}\n[1]", "{\"a\":1}\n---\nb: 2\n", "... x\n", "# a\rb: 1\r---\rc: 2", "--- |+\n a\n\n\n", "a: 1\n...\nb: 2\n",
		"%YAML 1.1\n%TAG ! !x\n--- # c\n# d\na: 1\n... # e\n", "\uFEFF\n\uFEFF---\n", "# x\n--- # y\n\n# z\n- a\n",
	} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		s, err := Split(bytes.Clone(in))
		if err != nil {
			syntaxError(t, err)
			return
		}
		if !bytes.Equal(s.Bytes(), in) {
			t.Fatalf("joins to %q", s.Bytes())
		}
		checkNumbers(t, s, in)
		for i, d := range s.Documents {
			replaceByItself(t, in, i, d)
		}
	})
}

// checkNumbers checks that the Index counts and that each Line is where the
// document stands.
func checkNumbers(t *testing.T, s *Stream, in []byte) {
	index, at := 0, len(s.prefix)
	for _, d := range s.Documents {
		if d.Index > 0 {
			if index++; d.Index != index {
				t.Errorf("Index = %d, want %d", d.Index, index)
			}
		}
		if want := 1 + bytes.Count(in[:at], []byte("\n")); d.Line != want {
			t.Errorf("Line = %d, want %d", d.Line, want)
		}
		at += len(d.Raw())
	}
}

// replaceByItself puts document i of a fresh stream back and reads the result.
func replaceByItself(t *testing.T, in []byte, i int, d *Document) {
	n, err := d.Node()
	if err != nil {
		syntaxError(t, err)
		return
	}
	if n == nil {
		return
	}
	s, _ := Split(in)
	if s.Documents[i].Replace(n) != nil {
		return
	}
	again, err := Split(s.Bytes())
	if err != nil || len(again.Documents) != len(s.Documents) {
		t.Fatalf("after Replace of document %d: %v, %q", i, err, s.Bytes())
	}
	for j, d := range again.Documents {
		if j != i && !bytes.Equal(d.Raw(), s.Documents[j].Raw()) {
			t.Errorf("Replace of document %d changed document %d: %q", i, j, s.Bytes())
		}
	}
	got, err := again.Documents[i].Node()
	if err != nil || !Equal(got, n) {
		t.Errorf("Replace of document %d: reads back as something else: %v, %q", i, err, s.Bytes())
	}
}
