// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"strings"
	"testing"
)

// A value may be any text: what looks like structure in it is none.
func TestStructureLeavesTextOut(t *testing.T) {
	const head = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b}\nstringData:\n"
	tests := []struct{ name, in string }{
		{"table in a literal block", head + "  a: |\n" + strings.Repeat("    1,2,3,4,5,6,7,8\n", 30_000)},
		{"line breaks in a string", head + "  a: \"" + strings.Repeat(`,\n`, 250_000) + "\"\n"},
		{"program after a quoted value", head + "  b: \"x\"\n  a: |2-\n" + strings.Repeat("      {a: [b, c]}\n", 30_000)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if n := structure([]byte(test.in)); n > 100 {
				t.Errorf("counts %d", n)
			}
			if _, err := Parse([]byte(test.in)); err != nil {
				t.Error(err)
			}
		})
	}
}

// Text that only pretends to be in a scalar is counted, or no reader takes it.
func TestStructureIsNotDeceived(t *testing.T) {
	bomb := strings.Repeat("a,", 5000)
	tests := []struct{ name, in string }{
		{"header within a string", "k: [\"\n x: |\n  \", " + bomb + "]"},
		{"header within a string in single quotes", "k: ['\n x: |\n  ', " + bomb + "]"},
		{"header within brackets", "{\n x: |\n  a, " + bomb + "}"},
		{"header in a plain scalar", "a: b\n x: |\n  [" + bomb + "]"},
		{"header behind a line break of YAML 1.1", "# \u0085k: [\"\n x: |\n  \", " + bomb + "]"},
		{"header behind a comment with a quote", "# it's\nk: [\"\n x: |\n  \", " + bomb + "]"},
		{"block that ends early", "a: |\n    text\n  [" + bomb + "]\n"},
		{"string that does not end", "a: \"x\\\"\n b: |\n  \", c: [" + bomb + "]"},
		{"key of another mapping", "- x: |\n [" + bomb + "]"},
		{"quoted line in brackets", "[{\n a: \"x\"\n}, " + bomb + "]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n, err := parseYAML([]byte(test.in))
			if err != nil || n == nil {
				return // nothing is made of it
			}
			if got, bound := countNodes(n), 2*structure([]byte(test.in))+2; got > bound {
				t.Errorf("%d nodes, the bound is %d", got, bound)
			}
		})
	}
}
