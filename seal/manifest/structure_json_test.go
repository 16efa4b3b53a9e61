// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"testing"

	"go.yaml.in/yaml/v3"
)

// nodes counts what was parsed.
func nodes(n *yaml.Node) int {
	sum := 1
	for _, child := range n.Content {
		sum += nodes(child)
	}
	return sum
}

// JSONNodes counts each node once, whatever strings hold, and empty lists and
// objects twice.
func TestJSONNodes(t *testing.T) {
	for _, test := range []struct {
		name, text string
		empty      int
	}{
		{"scalar", `1`, 0},
		{"string", `"a,b:[{"`, 0},
		{"escapes", `{"a\"":"\\","b,":"\\\",{"}`, 0},
		{"nested", ` {"a": [1, 2, {"b": null}], "c": {"d": "e"}} `, 0},
		{"empty", `{"a":{},"b":[],"c":[[],[]]}`, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc, err := Parse([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := JSONNodes([]byte(test.text)), nodes(Root(doc))+test.empty; got != want {
				t.Errorf("%d, want %d", got, want)
			}
		})
	}
}
