// SPDX-License-Identifier: Apache-2.0

package manifest_test

import (
	"testing"

	"github.com/signet-secrets/signet/seal/manifest"
)

func TestSetAnnotation(t *testing.T) {
	const b = "b: \"1\"\n"
	tests := []struct{ name, before, after string }{
		{"no metadata", "kind: A\n", "kind: A\nmetadata:\n  annotations:\n    " + b},
		{"metadata that is no mapping", "metadata: x\n", "metadata:\n  annotations:\n    " + b},
		{"no annotations", "metadata:\n  name: a\n", "metadata:\n  name: a\n  annotations:\n    " + b},
		{"null", "metadata:\n  annotations: null\n", "metadata:\n  annotations:\n    " + b},
		{"on one line", "metadata: {annotations: {}}\n", "metadata: {annotations: {b: \"1\"}}\n"},
		{"among sorted ones", "metadata:\n  annotations:\n    a: x\n    c: x\n", "metadata:\n  annotations:\n    a: x\n    " + b + "    c: x\n"},
		{"behind unsorted ones", "metadata:\n  annotations:\n    c: x\n    a: x\n", "metadata:\n  annotations:\n    c: x\n    a: x\n    " + b},
		{"in the place of another value", "metadata:\n  annotations:\n    c: x\n    b: x\n", "metadata:\n  annotations:\n    c: x\n    " + b},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc, err := manifest.Parse([]byte(test.before))
			if err != nil {
				t.Fatal(err)
			}
			manifest.SetAnnotation(manifest.Root(doc), "b", "1")
			after, err := manifest.EncodeYAML(doc)
			if err != nil || string(after) != test.after {
				t.Errorf("%v\n%swant\n%s", err, after, test.after)
			}
		})
	}
}
