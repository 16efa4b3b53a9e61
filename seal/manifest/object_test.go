// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestObjects(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string // item apiVersion group kind namespace/name
	}{
		{"object", "apiVersion: apps/v1\nkind: A\nmetadata: {name: x, namespace: s}\n", []string{"0 apps/v1 apps A s/x"}},
		{"core group", "apiVersion: v1\nkind: A\n", []string{"0 v1  A /"}},
		{"no kind", "a: 1\n", []string{"0    /"}},
		{"fields that are no strings", "apiVersion: 1\nkind: [A]\nmetadata: {name: 1, namespace: yes}\n", []string{"0    /"}},
		{"metadata is a list", "kind: A\nmetadata: [name]\n", []string{"0   A /"}},
		{"List", "apiVersion: v1\nkind: List\nitems:\n- kind: A\n- kind: B\n", []string{"1   A /", "2   B /"}},
		{"SecretList", "kind: SecretList\nitems: [{apiVersion: v1, kind: Secret}]\n", []string{"1 v1  Secret /"}},
		{"List in JSON", `{"kind":"List","items":[{"kind":"A"}]}`, []string{"1   A /"}},
		{"empty List", "kind: List\nitems: []\n", nil},
		{"List without items", "kind: List\n", []string{"0   List /"}},
		{"List with a mapping of items", "kind: List\nitems: {a: b}\n", []string{"0   List /"}},
		{"items without List", "kind: ConfigMap\nitems: [{kind: A}]\n", []string{"0   ConfigMap /"}},
		{"items that are no mappings", "kind: List\nitems: [a, [b], null, {kind: A}]\n", []string{"4   A /"}},
		{"kind that ends in List without items, in a List", "kind: List\nitems: [{kind: AllowList}]\n", []string{"1   AllowList /"}},
		{"list", "- kind: A\n", nil},
		{"text", "kind\n", nil},
		{"nothing", "", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			objects, err := Objects(mustParse(t, test.in))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, o := range objects {
				got = append(got, fmt.Sprintf("%d %s %s %s %s/%s", o.Item, o.APIVersion(), o.Group(), o.Kind(), o.Namespace(), o.Name()))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
		})
	}
}

func TestObjectsErrors(t *testing.T) {
	tests := []struct {
		name, in string
		want     SyntaxError
	}{
		{"item without kind", "kind: List\nitems:\n- kind: A\n- a: " + canary + "\n", SyntaxError{4, "items", "an item without kind"}},
		{"kind is no string", "kind: List\nitems: [{kind: 1}]\n", SyntaxError{2, "items", "an item without kind"}},
		{"List in a List", "kind: List\nitems:\n- kind: List\n  items: [{kind: A}]\n", SyntaxError{3, "items", "a List inside a List"}},
		{"empty SecretList in a List", "kind: List\nitems:\n- {kind: SecretList, items: []}\n", SyntaxError{3, "items", "a List inside a List"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			objects, err := Objects(mustParse(t, test.in))
			if diff := cmp.Diff(&test.want, syntaxError(t, err)); diff != "" || objects != nil {
				t.Errorf("objects %v, error (-want +got):\n%s", objects, diff)
			}
			noLeak(t, err)
		})
	}
}

func TestObjectReplace(t *testing.T) {
	tests := []struct {
		name, in string
		at       int
		want     string
	}{
		{"document", "# h\nkind: A\n", 0, `{"kind":"New"}`},
		{"item", "kind: List\nitems:\n- kind: A\n- null\n- kind: B\n", 1, `{"kind":"List","items":[{"kind":"A"},null,{"kind":"New"}]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// The new object as a document, and as its mapping.
			for _, with := range []*yaml.Node{mustParse(t, "kind: New\n"), Root(mustParse(t, "kind: New\n"))} {
				n := mustParse(t, test.in)
				for _, doc := range []*yaml.Node{n, Root(n)} {
					objects, err := Objects(doc)
					if err != nil {
						t.Fatal(err)
					}
					objects[test.at].Replace(with)
					if objects[test.at].Kind() != "New" {
						t.Errorf("the object is still %s", objects[test.at].Kind())
					}
					got, err := EncodeJSON(doc, "")
					if err != nil || string(got) != test.want+"\n" {
						t.Errorf("got %s, error %v, want %s", got, err, test.want)
					}
				}
			}
		})
	}
}

func TestMightConcern(t *testing.T) {
	tests := []struct {
		name, in string
		want     bool
	}{
		{"word", "kind: Secret\n", true},
		{"word in a comment", "# Secret\n", true},
		{"other word", "kind: ConfigMap\n", false},
		{"broken by a fold", "kind: \"Sec\n  ret\"\n", false},
		{"escape", "kind: \"S\\x65cret\"\n", true},
		{"escaped line break", "kind: \"Sec\\\n  ret\"\n", true},
		{"JSON escape", `{"kind":"S\u0065cret"}`, true},
		{"anchor", "a: &x Sec\n", true},
		{"alias", "kind: *x\n", true},
		{"binary", "kind: !!binary U2VjcmV0\n", true},
		{"URI escape in a tag", "kind: !S%65cret a\n", true},
		{"second word", "kind: SealedSecretList\n", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := MightConcern([]byte(test.in), "signet.dev", "Secret"); got != test.want {
				t.Errorf("MightConcern = %v, want %v", got, test.want)
			}
		})
	}
	if MightConcern([]byte("kind: Secret\n")) {
		t.Error("no words, but a concern")
	}
}

// Everything that YAML can do with the pieces of a word in up to six steps:
// what MightConcern calls certain is so.
func TestMightConcernHidesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("tries a million documents")
	}
	steps := []string{
		"Sec", "ret", "\n", "\n ", "\n\n  ", " ", "\t", "\"", "'", "\r", "\u0085", "\u2028", "\uFEFF", ">-\n ", "|-\n  ", "%72", "#",
		"\\", "\\x72", "\\ ", "\\\\", ",", ": ", "- ", "? ", "[", "{", "}", "--- ", "*a", "&a ", "!!binary U2VjcmV0", "! ", "!<x> ",
	}
	for _, head := range []string{"", "k: ", "k: \"", "k: '", "k: >-\n ", "k: |-\n ", "- ", "{\"k\":\"", "? "} {
		var walk func(in string, depth int)
		walk = func(in string, depth int) {
			for _, tail := range []string{"", "\"", "'", "\"}"} {
				checkConcern(t, []byte(in+tail), "Secret")
			}
			for _, step := range steps {
				if depth > 0 {
					walk(in+step, depth-1)
				}
			}
		}
		walk(head+"Sec", 2)
		for _, between := range steps {
			walk(head+"Sec"+between+"ret", 1)
		}
	}
}

// checkConcern fails if a reader finds word in a string or key of a document
// that MightConcern calls free of it, or anything that stands for other text.
func checkConcern(t *testing.T, in []byte, word string) {
	t.Helper()
	if MightConcern(in, word) {
		return
	}
	for d := yaml.NewDecoder(strings.NewReader(string(in))); ; {
		var n yaml.Node
		if err := decode(d, &n); err != nil {
			break
		}
		if holds(&n, word) {
			t.Errorf("%q holds %q, MightConcern is certain that it does not", in, word)
		}
	}
	if n, err := parseJSON(in); err == nil && holds(n, word) {
		t.Errorf("%q holds %q as JSON, MightConcern is certain that it does not", in, word)
	}
}

func decode(d *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if recover() != nil {
			err = io.ErrUnexpectedEOF
		}
	}()
	if err = d.Decode(n); err != nil && !errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func holds(n *yaml.Node, word string) bool {
	if strings.Contains(n.Value, word) || n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		return true
	}
	for _, c := range n.Content {
		if holds(c, word) {
			return true
		}
	}
	return false
}

func FuzzMightConcern(f *testing.F) {
	for _, in := range append(streams, "k: \"a\n  b\"\n", "k: >\n  a\n  b\n", "k: a\n  b\n", "k: 'a\n\n b'\n", "k: \"a\\\n b\"\n", "{\"k\":\"\\u0061b\"}", "k: !%61b c\n", "a\u2028b: c\rd",
		"a: &x b\nc: *x\n", "[&x b,*x]", "? !!binary YWI=\n", "- - !a b\n", "--- &a b\n", "a: b & c * d ! e \\d\n", "\uFEFF*a", "a:\u2028*b", "{\"a\":!b c}", "\"\\\\x61\"") {
		f.Add([]byte(in), "ab")
	}
	f.Fuzz(func(t *testing.T, in []byte, word string) {
		// The words are names of kinds and groups: no blanks, no quotes.
		name := func(r rune) bool {
			return r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '-')
		}
		if word == "" || strings.ContainsFunc(word, func(r rune) bool { return !name(r) }) {
			return
		}
		checkConcern(t, in, word)
	})
}
