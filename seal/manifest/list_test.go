// SPDX-License-Identifier: Apache-2.0

package manifest_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/manifest"
)

func TestStrings(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
		err        string
	}{
		{"strings", "x: [a, '1']", []string{"a", "1"}, "<nil>"},
		{"absent", "z: [a]", nil, "<nil>"},
		{"null", "x:", nil, "<nil>"},
		{"empty", "x: []", nil, "<nil>"},
		{"no list", "z: a\nx: a", nil, "line 2: in.x: must be a list"},
		{"number", "x:\n- a\n- 1", nil, "line 3: in.x: must be a list of strings"},
		{"nothing", "x: ['']", nil, "line 1: in.x: must be a list of strings"},
		{"old boolean", "x: [yes]", nil, "line 1: in.x: must be a list of strings"},
		{"list in it", "x: [[a]]", nil, "line 1: in.x: must be a list of strings"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc, err := manifest.Parse([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			got, err := manifest.Strings(manifest.Root(doc), "in", "x")
			if diff := cmp.Diff(test.want, got); diff != "" || fmt.Sprint(err) != test.err {
				t.Errorf("error %v, -want +got\n%s", err, diff)
			}
		})
	}
}

func TestIsFile(t *testing.T) {
	for name, want := range map[string]bool{
		"a.yaml": true, "d/a.yml": true, "a.b.JSON": true, ".d/a.yaml": true,
		".a.yaml": false, "d/.a.yaml": false, ".yaml": false, "yaml": false, "a.yaml.tmpl": false, "": false,
	} {
		if manifest.IsFile(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
