// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestConcerning leaves out what certainly does not concern anybody, and blank
// documents.
func TestConcerning(t *testing.T) {
	s := mustSplit(t, "# Secret\n---\nkind: Secret\n---\nkind: ConfigMap\n---\nkind: \"Secre\\x74\"\n---\n# Secret\n")
	docs, err := s.Concerning("SealedSecret", "Secret")
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, d := range docs {
		got = append(got, d.Index)
	}
	if diff := cmp.Diff([]int{1, 3}, got); diff != "" {
		t.Errorf("documents -want +got\n%s", diff)
	}
}

// TestNodesAreBounded counts the nodes of those documents together that are to
// be parsed, and leaves one alone to Parse.
func TestNodesAreBounded(t *testing.T) {
	many := "kind: Secret\nx: [" + strings.Repeat("a,", MaxParsedNodes/4) + "]\n"
	one := "kind: Secret\nx: [" + strings.Repeat("a,", MaxParsedNodes+1) + "]\n"
	tests := []struct {
		name, stream string
		documents    int // that are too much, 0 if none
	}{
		{"some", strings.Repeat("---\n"+many, 3), 0},
		{"too many", strings.Repeat("---\n"+many, 5), 5},
		{"of others", many + strings.Repeat("---\n"+strings.Replace(many, "Secret", "ConfigMap", 1), 5), 0},
		{"one alone", one, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := mustSplit(t, test.stream)
			docs, err := s.Concerning("Secret")
			if test.documents == 0 {
				if err != nil || len(docs) == 0 || CheckNodes(docs) != nil {
					t.Errorf("%d documents, error %v", len(docs), err)
				}
				return
			}
			var tooMuch *TooMuchError
			if !errors.As(err, &tooMuch) || tooMuch.Documents != test.documents || tooMuch.Nodes <= MaxParsedNodes || docs != nil {
				t.Errorf("error %v, want %d documents", err, test.documents)
			}
			if err := CheckNodes(s.Documents); !errors.As(err, &tooMuch) {
				t.Errorf("error %v for the documents themselves", err)
			}
		})
	}
}

// TestDocumentObjects gives the objects of a document, its node, and errors of
// both steps.
func TestDocumentObjects(t *testing.T) {
	s := mustSplit(t, "kind: List\nitems:\n- kind: A\n- kind: B\n---\nkind: C\n---\nscalar\n---\na: &b c\n---\nkind: List\nitems: [{a: b}]\n")
	tests := []struct {
		name  string
		kinds []string
		fails string
	}{
		{name: "List", kinds: []string{"A", "B"}},
		{name: "object", kinds: []string{"C"}},
		{name: "no object"},
		{name: "does not parse", fails: "anchors are not supported"},
		{name: "no objects in it", fails: "an item without kind"},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			node, objects, err := s.Documents[i].Objects()
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) || len(objects) > 0 {
					t.Errorf("error %v, %d objects, want %q", err, len(objects), test.fails)
				}
				return
			}
			var kinds []string
			for _, o := range objects {
				kinds = append(kinds, o.Kind())
			}
			if diff := cmp.Diff(test.kinds, kinds); err != nil || diff != "" {
				t.Errorf("error %v, kinds -want +got\n%s", err, diff)
			}
			if again, err := s.Documents[i].Node(); err != nil || node == nil || again != node {
				t.Errorf("another node than that of the document: error %v", err)
			}
		})
	}
}

// TestTree is the node with the comments around an object.
func TestTree(t *testing.T) {
	doc := mustParse(t, "# above\nkind: Secret\n")
	for _, test := range []struct {
		name string
		of   func() *Object
		want func(*Object) any
	}{
		{"document", func() *Object { o, _ := Objects(doc); return o[0] }, func(*Object) any { return doc }},
		{"mapping", func() *Object { o, _ := Objects(Root(doc)); return o[0] }, func(o *Object) any { return o.Node }},
		{"item", func() *Object {
			o, _ := Objects(mustParse(t, "kind: List\nitems:\n- kind: A\n"))
			return o[0]
		}, func(o *Object) any { return o.Node }},
		{"made by hand", func() *Object { return &Object{Node: Root(doc)} }, func(*Object) any { return Root(doc) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			if o := test.of(); any(o.Tree()) != test.want(o) {
				t.Errorf("another node: %v", o.Tree())
			}
		})
	}
}
