// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const secretHead = "apiVersion: v1\nkind: Secret\n"

// treesTest is a merge of YAML texts.
type treesTest struct {
	name                     string
	base, ours, theirs, want string
	conflicts                []string
}

func TestTreesMappings(t *testing.T) {
	testTrees(t, []treesTest{
		{"keys of a mapping", "a: 1\nb: 1\n", "a: 2\nb: 1\n", "a: 1\nb: 2\n", "a: 2\nb: 2\n", nil},
		{"nested mappings", "a: {b: 1, c: 1}\n", "a: {b: 2, c: 1}\n", "a: {b: 1, c: 2}\n", "a: {b: 2, c: 2}\n", nil},
		{"conflict deep down", "a: {b: {c: 1}}\n", "a: {b: {c: 2}}\n", "a: {b: {c: 3}}\n", "a: {b: {c: 2}}\n", []string{"a.b.c: changed on both sides"}},
		{"mapping added on both sides", "a: 1\n", "a: 1\nm: {b: 1}\n", "a: 1\nm: {c: 1}\n", "a: 1\nm: {b: 1, c: 1}\n", nil},
		{"mapping added on both sides, in conflict", "a: 1\n", "a: 1\nm: {b: 1}\n", "a: 1\nm: {b: 2}\n", "a: 1\nm: {b: 1}\n", []string{"m.b: added on both sides"}},
		{"mapping changed here, removed there", "m: {b: 1}\nx: 1\n", "m: {b: 2}\nx: 1\n", "x: 1\n", "m: {b: 2}\nx: 1\n", []string{"m: changed on one side, removed on the other"}},
		{"mapping removed", "m: {b: 1}\nx: 1\n", "m: {b: 1}\nx: 2\n", "x: 1\n", "x: 2\n", nil},
		{"mapping becomes a scalar", "m: {b: 1}\n", "m: 1\n", "m: {b: 1}\n", "m: 1\n", nil},
		{"mapping becomes a scalar here, changes there", "m: {b: 1}\n", "m: 1\n", "m: {b: 2}\n", "m: 1\n", []string{"m: changed on both sides"}},
		{"scalar becomes two mappings", "m: 1\n", "m: {b: 1}\n", "m: {c: 1}\n", "m: {b: 1}\n", []string{"m: changed on both sides"}},
		{"all keys removed", "m: {b: 1}\n", "m: {}\n", "m: {b: 1, c: 1}\n", "m: {c: 1}\n", nil},
	})
}

func TestTreesLists(t *testing.T) {
	testTrees(t, []treesTest{
		{"list on one side", "l: [1, 2]\n", "l: [1, 2]\n", "l: [1, 3]\n", "l: [1, 3]\n", nil},
		{"list on both sides", "l: [1, 2]\n", "l: [0, 2]\n", "l: [1, 3]\n", "l: [0, 2]\n", []string{"l: changed on both sides"}},
		{"list changed alike, keys of items in another order", "l: []\n", "l: [{a: 1, b: 2}]\n", "l: [{b: 2, a: 1}]\n", "l: [{a: 1, b: 2}]\n", nil},
	})
}

func TestTreesOrder(t *testing.T) {
	testTrees(t, []treesTest{
		{"order is no change", "a: 1\nb: 1\n", "b: 1\na: 1\n", "a: 1\nb: 2\n", "b: 2\na: 1\n", nil},
		{"order of theirs alone", "a: 1\nb: 1\n", "a: 2\nb: 1\n", "b: 1\na: 1\n", "b: 1\na: 2\n", nil},
		{"order of both", "a: 1\nb: 1\nc: 1\n", "b: 1\na: 1\nc: 1\n", "a: 1\nc: 1\nb: 1\nd: 1\n", "b: 1\nd: 1\na: 1\nc: 1\n", nil},
		{"both append", "a: 1\n", "a: 1\nb: 1\n", "a: 1\nc: 1\n", "a: 1\nb: 1\nc: 1\n", nil},
		{"both prepend", "a: 1\n", "b: 1\na: 1\n", "c: 1\na: 1\n", "b: 1\nc: 1\na: 1\n", nil},
		{"inserted in the middle", "a: 1\nz: 1\n", "a: 1\nm: 1\nz: 1\n", "a: 1\nq: 1\nz: 1\n", "a: 1\nm: 1\nq: 1\nz: 1\n", nil},
		{"behind a key that went", "a: 1\nb: 1\nz: 1\n", "a: 1\nz: 1\nx: 1\n", "a: 1\nb: 1\nc: 1\nz: 1\n", "a: 1\nc: 1\nz: 1\nx: 1\n", nil},
	})
}

func TestTreesValues(t *testing.T) {
	testTrees(t, []treesTest{
		{"quotes are no change", "a: x\n", "a: \"x\"\n", "a: y\n", "a: y\n", nil},
		{"quotes of theirs alone", "a: x\nb: 1\n", "a: x\nb: 2\n", "a: 'x'\nb: 1\n", "a: 'x'\nb: 2\n", nil},
		{"a number is no string", "a: 1\n", "a: \"1\"\n", "a: 1\n", "a: \"1\"\n", nil},
		{"a number here, a string there", "a: x\n", "a: \"1\"\n", "a: 1\n", "a: \"1\"\n", []string{"a: changed on both sides"}},
		{"a word that is true to some", "a: x\n", "a: yes\n", "a: \"yes\"\n", "a: yes\n", []string{"a: changed on both sides"}},
		{"spellings of null", "a: null\nb: 1\n", "a: ~\nb: 1\n", "a:\nb: 2\n", "a: ~\nb: 2\n", nil},
		{"null is not absent", "a: 1\nb: 1\n", "a: null\nb: 1\n", "b: 1\n", "a: null\nb: 1\n", []string{"a: changed on one side, removed on the other"}},
	})
}

func TestTreesComments(t *testing.T) {
	testTrees(t, []treesTest{
		{"comments of both", "a: 1\nb: 1\nc: 1\n", "# ours\na: 1\nb: 1 # line\nc: 1\n", "a: 1\nb: 1\n# theirs\nc: 2\n", "# ours\na: 1\nb: 1 # line\n# theirs\nc: 2\n", nil},
		{"a comment changed on both sides", "# 0\na: 1\n", "# 1\na: 1\n", "# 2\na: 1\n", "# 1\na: 1\n", nil},
		{"a comment goes with its key", "a: 1\n# about b\nb: 1\n", "a: 1\n# about b\nb: 1\n", "a: 1\n", "a: 1\n", nil},
		{"a comment below", "a: 1\n", "a: 2\n", "a: 1\n# end\n", "a: 2\n# end\n", nil},
		{"comment and value of one key", "a: 1\n", "# why\na: 1\n", "a: 2\n", "# why\na: 2\n", nil},
	})
}

func TestTreesMetadata(t *testing.T) {
	testTrees(t, []treesTest{
		{"last annotation removed, one added", "metadata: {annotations: {a: b}}\n", "metadata: {}\n", "metadata: {annotations: {a: b, c: d}}\n", "metadata: {annotations: {c: d}}\n", nil},
		{"last label removed, changed", "metadata: {labels: {a: b}}\n", "metadata: {}\n", "metadata: {labels: {a: c}}\n", "metadata: {}\n", []string{"metadata.labels.a: changed on one side, removed on the other"}},
		{"both remove the labels", "metadata: {labels: {a: b}}\nx: 1\n", "metadata: {}\nx: 2\n", "metadata: {}\nx: 1\n", "metadata: {}\nx: 2\n", nil},
	})
}

func TestTreesWithoutSome(t *testing.T) {
	testTrees(t, []treesTest{
		{"no base", "", "a: 1\nb: 1\n", "a: 1\nc: 1\n", "a: 1\nb: 1\nc: 1\n", nil},
		{"no ours", "a: 1\n", "", "a: 1\n", "", nil},
		{"no ours, changed", "a: 1\n", "", "a: 2\n", "", []string{": changed on one side, removed on the other"}},
		{"nothing", "", "", "", "", nil},
		{"scalars", "a\n", "a\n", "b\n", "b\n", nil},
	})
}

func TestTreesSecret(t *testing.T) {
	testTrees(t, []treesTest{
		{"Secret: key moves here, another changes there", secretHead + "data: {a: eA==}\n", secretHead + "stringData: {a: x}\n", secretHead + "data: {a: eA==, b: eA==}\n",
			secretHead + "stringData: {a: x}\ndata: {b: eA==}\n", nil},
		{"Secret: key moves here, changes there", secretHead + "data: {a: eA==}\n", secretHead + "stringData: {a: x}\n", secretHead + "data: {a: eQ==}\n",
			secretHead + "stringData: {a: x}\n", []string{"stringData.a: changed on both sides"}},
		{"Secret: key added in data and in stringData", secretHead, secretHead + "data: {a: eA==}\n", secretHead + "stringData: {a: x, b: x}\n",
			secretHead + "data: {a: eA==}\nstringData: {b: x}\n", []string{"stringData.a: added on both sides"}},
		{"Secret: last key removed here, another added there", secretHead + "data: {a: eA==}\n", secretHead, secretHead + "data: {a: eA==, b: eA==}\n",
			secretHead + "data: {b: eA==}\n", nil},
		{"Secret: last key removed here, changed there", secretHead + "data: {a: eA==}\n", secretHead, secretHead + "data: {a: eQ==}\n",
			secretHead, []string{"data.a: changed on one side, removed on the other"}},
		{"Secret: last key removed here, the map there", secretHead + "data: {a: eA==}\n", secretHead + "data: {}\n", secretHead, secretHead, nil},
		{"no Secret: two maps are two", "kind: Other\n", "kind: Other\ndata: {a: eA==}\n", "kind: Other\nstringData: {a: x}\n", "kind: Other\ndata: {a: eA==}\nstringData: {a: x}\n", nil},
	})
}

func testTrees(t *testing.T, tests []treesTest) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			base, ours, theirs := parse(t, test.base), parse(t, test.ours), parse(t, test.theirs)
			before := [3]string{encode(t, base), encode(t, ours), encode(t, theirs)}
			got, conflicts := Trees(base, ours, theirs)
			if diff := cmp.Diff(test.want, encode(t, got)); diff != "" {
				t.Errorf("merged (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.conflicts, shown(conflicts)); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
			_, swapped := Trees(base, theirs, ours)
			if diff := cmp.Diff(conflicts, swapped); diff != "" {
				t.Errorf("conflicts with the sides swapped (-want +got):\n%s", diff)
			}
			for _, c := range conflicts {
				got = c.TakeNode(got, theirs)
			}
			if _, left := Trees(base, got, theirs); len(left) > 0 {
				t.Errorf("conflicts are left after all were taken from theirs: %v", shown(left))
			}
			if diff := cmp.Diff(before, [3]string{encode(t, base), encode(t, ours), encode(t, theirs)}); diff != "" {
				t.Errorf("a version was changed:\n%s", diff)
			}
		})
	}
}

// What was merged shares no node with the versions: the caller may change it.
func TestTreesCopies(t *testing.T) {
	base, ours, theirs := parse(t, "a: [1]\nb: {c: 1}\n"), parse(t, "a: [2]\nb: {c: 1}\n"), parse(t, "a: [1]\nb: {c: 2, d: 1}\n")
	want := [3]string{encode(t, base), encode(t, ours), encode(t, theirs)}
	merged, _ := Trees(base, ours, theirs)
	root := merged.Content[0]
	for i := range root.Content {
		root.Content[i].Value = "changed"
		for _, n := range root.Content[i].Content {
			n.Value = "changed"
		}
	}
	if diff := cmp.Diff(want, [3]string{encode(t, base), encode(t, ours), encode(t, theirs)}); diff != "" {
		t.Error(diff)
	}
}

func TestTakeNode(t *testing.T) {
	tests := []struct{ name, base, ours, theirs, want string }{
		{"scalar", "a: {b: 1, x: 1}\n", "a: {b: 2, x: 1}\n", "a: {b: 3, x: 2}\n", "a: {b: 3, x: 2}\n"},
		{"removed there", "a: 1\nx: 1\n", "a: 2\nx: 1\n", "x: 1\n", "x: 1\n"},
		{"removed here", "a: 1\nx: 1\n", "x: 1\n", "a: 2\nx: 1\n", "x: 1\na: 2\n"},
		{"whole tree", "a\n", "b\n", "c\n", "c\n"},
		{"key of a Secret", secretHead + "data:\n  a: eA==\n", secretHead + "stringData:\n  a: x\n", secretHead + "data:\n  a: eQ==\n", secretHead + "data:\n  a: eQ==\n"},
		{"key of a Secret among others", secretHead + "data: {a: eA==, b: eA==}\n", secretHead + "data: {b: eA==}\nstringData: {a: x, c: x}\n", secretHead + "data: {a: eQ==, b: eA==}\n",
			secretHead + "data: {b: eA==, a: eQ==}\nstringData: {c: x}\n"},
		{"key of a Secret in the other map", secretHead, secretHead + "data:\n  a: eQ==\n", secretHead + "stringData:\n  a: x\n", secretHead + "stringData:\n  a: x\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			theirs := parse(t, test.theirs)
			merged, conflicts := Trees(parse(t, test.base), parse(t, test.ours), theirs)
			if len(conflicts) != 1 {
				t.Fatalf("conflicts %v, want one", shown(conflicts))
			}
			if diff := cmp.Diff(test.want, encode(t, conflicts[0].TakeNode(merged, theirs))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	key := func(key string, kind Kind) Conflict { return newConflict([]string{"data", key}, kind, key) }
	many := []Conflict{}
	for _, k := range "abcdefghijklm" {
		many = append(many, key(string(k), BothChanged))
	}
	tests := []struct {
		name string
		all  []Conflict
		want string
	}{
		{"none", nil, ""},
		{"keys", []Conflict{key("password", BothChanged), key("user", BothChanged)}, "password, user (changed on both sides)"},
		{"kinds", []Conflict{newConflict([]string{"labels", "a.b/c"}, ChangedRemoved, ""), key("user", BothAdded), newConflict([]string{"type"}, BothChanged, "")},
			`type (changed on both sides); user (added on both sides); labels["a.b/c"] (changed on one side, removed on the other)`},
		{"the whole", []Conflict{newConflict(nil, BothChanged, "")}, "the whole document (changed on both sides)"},
		{"many", many, "a, b, c, d, e, f, g, h, i, j and 3 more (changed on both sides)"},
		{"odd key", []Conflict{key("tls.crt", BothChanged)}, `tls.crt (changed on both sides)`},
		{"hostile key", []Conflict{key("a\nb\x1b[1m", BothChanged)}, `["a\nb\x1b[1m"] (changed on both sides)`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Describe(test.all); got != test.want {
				t.Errorf("got %q\nwant %q", got, test.want)
			}
		})
	}
}
