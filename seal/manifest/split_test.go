// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// piece is a Document as a test wants it.
type piece struct {
	Index, Line int
	Raw         string
}

func TestSplit(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want []piece
	}{
		{"empty", "", nil},
		{"only blanks", " \n\n", []piece{{0, 1, " \n\n"}}},
		{"only comments", "# a\n  # b\n", []piece{{0, 1, "# a\n  # b\n"}}},
		{"only a marker", "---\n", []piece{{0, 1, "---\n"}}},
		{"one document", "a: 1\n", []piece{{1, 1, "a: 1\n"}}},
		{"no final newline", "a: 1\n---\nb: 2", []piece{{1, 1, "a: 1\n"}, {2, 2, "---\nb: 2"}}},
		{"marker without newline at the end", "a: 1\n---", []piece{{1, 1, "a: 1\n"}, {0, 2, "---"}}},
		{"comment before the first marker", "# x\n\n---\na: 1\n", []piece{{1, 1, "# x\n\n---\na: 1\n"}}},
		{"comment before a later marker", "a: 1\n# b\n---\nb: 2\n", []piece{{1, 1, "a: 1\n# b\n"}, {2, 3, "---\nb: 2\n"}}},
		{"comment on the marker", "--- # x\na: 1\n--- # y\n", []piece{{1, 1, "--- # x\na: 1\n"}, {0, 3, "--- # y\n"}}},
		{"content on the marker", "--- {a: 1}\n--- |\n x\n", []piece{{1, 1, "--- {a: 1}\n"}, {2, 2, "--- |\n x\n"}}},
		{"tag on the marker", "--- !!map\na: 1\n", []piece{{1, 1, "--- !!map\na: 1\n"}}},
		{"marker, tab, content", "---\t{a: 1}\n", []piece{{1, 1, "---\t{a: 1}\n"}}},
		{"blank documents between", "a: 1\n---\n---\n# x\n---\nb: 2\n", []piece{
			{1, 1, "a: 1\n"}, {0, 2, "---\n"}, {0, 3, "---\n# x\n"}, {2, 5, "---\nb: 2\n"},
		}},
		{"end marker", "a: 1\n...\nb: 2\n", []piece{{1, 1, "a: 1\n...\n"}, {2, 3, "b: 2\n"}}},
		{"end marker, then marker", "a: 1\n...\n---\nb: 2\n", []piece{{1, 1, "a: 1\n...\n"}, {2, 3, "---\nb: 2\n"}}},
		{"end marker alone", "...\na: 1\n", []piece{{0, 1, "...\n"}, {1, 2, "a: 1\n"}}},
		{"content on the end marker", "... {a: 1}\n", []piece{{1, 1, "... {a: 1}\n"}}},
		{"directives", "%YAML 1.1\n%TAG ! x\n---\na: 1\n", []piece{{1, 1, "%YAML 1.1\n%TAG ! x\n---\na: 1\n"}}},
		{"directives of a later document", "a: 1\n...\n%YAML 1.1\n---\nb: 2\n", []piece{
			{1, 1, "a: 1\n...\n"}, {2, 3, "%YAML 1.1\n---\nb: 2\n"},
		}},
		{"CRLF", "a: 1\r\n---\r\nb: 2\r\n", []piece{{1, 1, "a: 1\r\n"}, {2, 2, "---\r\nb: 2\r\n"}}},
		{"CRLF, end marker", "a: 1\r\n...\r\nb: 2\r\n", []piece{{1, 1, "a: 1\r\n...\r\n"}, {2, 3, "b: 2\r\n"}}},
		{"byte order mark", "\uFEFF---\na: 1\n", []piece{{1, 1, "---\na: 1\n"}}},
		{"not a marker: more dashes", "a: 1\n----\nb: 2\n", []piece{{1, 1, "a: 1\n----\nb: 2\n"}}},
		{"not a marker: text follows", "a: 1\n---b\n", []piece{{1, 1, "a: 1\n---b\n"}}},
		{"not a marker: indented, in a block scalar", "a: |\n  ---\n  x\nb: 1\n", []piece{{1, 1, "a: |\n  ---\n  x\nb: 1\n"}}},
		{"not a marker: indented, in quotes", "a: \"x\n ---\n y\"\n", []piece{{1, 1, "a: \"x\n ---\n y\"\n"}}},
		{"comment that ends at a lone CR", "# x\rkind: Secret\r", []piece{{1, 1, "# x\rkind: Secret\r"}}},
		{"comment that ends at NEL", "# x\u0085kind: Secret\n", []piece{{1, 1, "# x\u0085kind: Secret\n"}}},
		{"comment that ends at LS", "---\n# x\u2028kind: Secret\n", []piece{{1, 1, "---\n# x\u2028kind: Secret\n"}}},
		{"comment on the marker that ends at PS", "--- # x\u2029kind: Secret\n", []piece{{1, 1, "--- # x\u2029kind: Secret\n"}}},
		{"directive that ends at a lone CR", "%YAML 1.1\r---\ra: 1\r", []piece{{1, 1, "%YAML 1.1\r---\ra: 1\r"}}},
		{"comment with NBSP before it is a scalar", "\u00a0# x\n", []piece{{1, 1, "\u00a0# x\n"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := mustSplit(t, test.in)
			if diff := cmp.Diff(test.want, piecesOf(s)); diff != "" {
				t.Errorf("documents (-want +got):\n%s", diff)
			}
			if got := string(s.Bytes()); got != test.in {
				t.Errorf("Bytes = %q, want the input %q", got, test.in)
			}
			if got, want := s.Empty(), len(contents(s)) == 0; got != want {
				t.Errorf("Empty = %v, want %v", got, want)
			}
		})
	}
}

func TestSplitJSON(t *testing.T) {
	tests := []struct {
		name string
		in   string
		json bool
		want []piece
	}{
		{"one object", `{"a":1}`, true, []piece{{1, 1, `{"a":1}`}}},
		{"array", `[{"a":1}]` + "\n", true, []piece{{1, 1, "[{\"a\":1}]\n"}}},
		{"concatenated", `{"a":1}{"b":2}`, true, []piece{{1, 1, `{"a":1}`}, {2, 1, `{"b":2}`}}},
		{"a line each", "{\"a\":1}\n{\"b\":2}\n", true, []piece{{1, 1, "{\"a\":1}\n"}, {2, 2, "{\"b\":2}\n"}}},
		{"pretty", "{\n  \"a\": 1\n}\n\n{\n  \"b\": 2\n}", true, []piece{
			{1, 1, "{\n  \"a\": 1\n}\n\n"}, {2, 5, "{\n  \"b\": 2\n}"},
		}},
		{"blanks before", "\n\n {}\n", true, []piece{{1, 3, "{}\n"}}},
		{"byte order mark", "\uFEFF{}\n", true, []piece{{1, 1, "{}\n"}}},
		{"brackets and escapes in strings", `{"a":"}\"]\\"}{}`, true, []piece{{1, 1, `{"a":"}\"]\\"}`}, {2, 1, `{}`}}},
		{"flow style YAML", "{a: 1}\n", false, []piece{{1, 1, "{a: 1}\n"}}},
		{"trailing comma is YAML", "{\"a\":1,}\n---\nb: 2\n", false, []piece{{1, 1, "{\"a\":1,}\n"}, {2, 2, "---\nb: 2\n"}}},
		{"then YAML", "{\"a\":1}\n---\nb: 2\n", false, []piece{{1, 1, "{\"a\":1}\n"}, {2, 2, "---\nb: 2\n"}}},
		{"trailing garbage", `{"a":1} x`, false, []piece{{1, 1, `{"a":1} x`}}},
		{"trailing scalar", `{"a":1} 1`, false, []piece{{1, 1, `{"a":1} 1`}}},
		{"not closed", `{"a":1`, false, []piece{{1, 1, `{"a":1`}}},
		{"closed too often", `{"a":1}}`, false, []piece{{1, 1, `{"a":1}}`}}},
		{"wrong bracket", `{"a":1]`, false, []piece{{1, 1, `{"a":1]`}}},
		{"string not closed", `{"a\"`, false, []piece{{1, 1, `{"a\"`}}},
		{"control character in a string", "{\"a\":\"\n\"}", false, []piece{{1, 1, "{\"a\":\"\n\"}"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := mustSplit(t, test.in)
			if diff := cmp.Diff(test.want, piecesOf(s)); diff != "" {
				t.Errorf("documents (-want +got):\n%s", diff)
			}
			for i, d := range s.Documents {
				if d.JSON() != test.json {
					t.Errorf("document %d: JSON = %v, want %v", i+1, d.JSON(), test.json)
				}
			}
			if got := string(s.Bytes()); got != test.in {
				t.Errorf("Bytes = %q, want the input %q", got, test.in)
			}
		})
	}
}

func piecesOf(s *Stream) []piece {
	var got []piece
	for _, d := range s.Documents {
		got = append(got, piece{d.Index, d.Line, string(d.Raw())})
	}
	return got
}

func TestSplitErrors(t *testing.T) {
	tests := []struct {
		name, in string
		want     SyntaxError
	}{
		{"UTF-16 little endian", "\xff\xfea\x00:\x00", SyntaxError{Reason: "text is UTF-16, save it as UTF-8"}},
		{"UTF-16 big endian", "\xfe\xff\x00a\x00:", SyntaxError{Reason: "text is UTF-16, save it as UTF-8"}},
		{"invalid UTF-8", "a: 1\nb: " + canary + "\xff\n", SyntaxError{Line: 2, Reason: "not valid UTF-8"}},
		{"half of a character at the end", "a: \xe2\x82", SyntaxError{Line: 1, Reason: "not valid UTF-8"}},
		{"surrogate in UTF-8", "\n\na: \xed\xa0\x80", SyntaxError{Line: 3, Reason: "not valid UTF-8"}},
		{"too many YAML documents", strings.Repeat("---\n", maxDocuments+2), SyntaxError{Reason: "stream has more than 300000 documents"}},
		{"too many JSON documents", strings.Repeat("{}", maxDocuments+1), SyntaxError{Reason: "stream has more than 300000 documents"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, err := Read(strings.NewReader(test.in))
			if diff := cmp.Diff(&test.want, syntaxError(t, err)); diff != "" || s != nil {
				t.Errorf("stream %v, error (-want +got):\n%s", s, diff)
			}
			noLeak(t, err)
		})
	}
}

// zeros is an endless input.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestReadLimits(t *testing.T) {
	if _, err := Read(zeros{}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("endless input: error %v, want ErrTooLarge", err)
	}
	full := strings.Repeat(" ", MaxStreamBytes)
	if s, err := Read(strings.NewReader(full)); err != nil || !s.Empty() {
		t.Errorf("input of the limit: %v", err)
	}
	broken := errors.New("broken pipe")
	if _, err := Read(io.MultiReader(strings.NewReader("a: 1"), failing{broken})); !errors.Is(err, broken) {
		t.Errorf("error %v, want the reader's", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// streams are valid multi-document streams; see TestSplitLikeYAML.
var streams = []string{
	"a: 1\n", "---\na: 1\n---\nb: 2\n", "a: 1\n---\n---\nb: 2\n", "a: 1\n...\n---\nb: 2\n...\n",
	"%YAML 1.1\n---\na: 1\n...\n%YAML 1.1\n---\nb: 2\n", "--- # x\na: 1\n--- # y\nb: 2\n# z\n",
	"--- {a: 1}\n--- [1, 2]\n--- x\n--- 'y'\n", "--- |\n  ---\n  x\n---\n- >\n  ---\n  y\n",
	"a: \"x\n  ---\n  y\"\n---\nb: 'x\n  ... z'\n", "# x\n---\n# y\na: 1\n\n\n---\n\n# z\nb: 2\n\n",
	"a: 1\r\n---\r\nb: |\r\n  x\r\n  y\r\n", "\uFEFFa: 1\n---\nb: 2\n", "a: 1\n---\nb: 2",
	"- a\n- b\n---\n? x\n: y\n", "a:\n  - b: |+\n      x\n\n---\nc: |-\n  y\n...\n",
	"---\t{a: 1}\n---\n  b: 2\n", "a: # x\n  b\n---\n\"c\": d\n", "{a: 1,\n b: 2}\n---\n[x,\n y]\n",
	"a: ---\n---\nb: ...\n", "--- >-\n  a\n  b\n---\n--- c\n", "a: 1 # ---\n# ---\n---\nb: 2\n",
}

func TestSplitLikeYAML(t *testing.T) {
	for _, in := range streams {
		t.Run(in, func(t *testing.T) {
			var want []*yaml.Node
			for d := yaml.NewDecoder(strings.NewReader(in)); ; {
				n := &yaml.Node{}
				if err := d.Decode(n); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("yaml.v3: %v", err)
				}
				if root := Root(n); !IsNull(root) || root.Value != "" {
					want = append(want, n)
				}
			}
			got := contents(mustSplit(t, in))
			if len(got) != len(want) {
				t.Fatalf("%d documents, yaml.v3 finds %d", len(got), len(want))
			}
			for i, d := range got {
				n, err := d.Node()
				if err != nil {
					t.Fatalf("document %d: %v", i+1, err)
				}
				if !Equal(n, want[i]) {
					t.Errorf("document %d differs from what yaml.v3 reads", i+1)
				}
				if got, want := Root(n).Line, Root(want[i]).Line; got != want {
					t.Errorf("document %d: line %d, yaml.v3 says %d", i+1, got, want)
				}
			}
		})
	}
}

// Any sequence of lines that matter to splitting joins to what it was.
func TestSplitJoins(t *testing.T) {
	lines := []string{"---\n", "--- x\n", "...\n", "# c\n", "\n", "a: 1\n", "%YAML 1.1\n", "---\r\n", "{}\n", " ---\n", "x"}
	var walk func(in string, depth int)
	walk = func(in string, depth int) {
		if s := mustSplit(t, in); !bytes.Equal(s.Bytes(), []byte(in)) {
			t.Errorf("Split(%q) joins to %q", in, s.Bytes())
		}
		for _, line := range lines {
			if depth > 0 {
				walk(in+line, depth-1)
			}
		}
	}
	walk("", 4)
}
