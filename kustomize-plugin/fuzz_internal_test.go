// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"bytes"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/seal/manifest"
)

// FuzzResourceList reads lists. What is cut without parsing must be what a
// parser finds, and a list that nothing was changed in must come out as it was.
func FuzzResourceList(f *testing.F) {
	const config = "functionConfig:\n  apiVersion: signet.dev/v1alpha1\n  kind: Unseal\n"
	for _, items := range []string{
		"items: []\n",
		"items:\n- a: b\n",
		"items:\n- a: |\n    x\n\n    - y\n  b: 'c\n\n    d'\n- - e\n- \"f\n  g\"\n",
		"items:\n- {a: [b,\n  c]}\n- |+\n  x\n\n\n",
		"items: # c\n- a: b\n",
		"items:\n# c\n- a: b\n  # d\n- e: f\n",
		"items:\n  - a: b\n  - c: d\n",
		"items:\n- 'a\n- b'\n",
		"items:\n- a: {b\n- c}\n",
	} {
		f.Add([]byte("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n" + items + config))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := readResourceList(bytes.NewReader(data))
		if err != nil {
			return
		}
		whole, err := manifest.Parse(data)
		if err != nil || list.self {
			return // an item that the parser refuses may be none of ours
		}
		want := manifest.Get(manifest.Root(whole), "items")
		out, err := list.with(&run{})
		if err != nil {
			t.Fatal(err)
		}
		again, err := manifest.Parse(out)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		got := manifest.Get(manifest.Root(again), "items")
		if manifest.IsNull(want) && len(got.Content) == 0 {
			return
		}
		if !manifest.Equal(want, got) {
			t.Fatalf("came out as\n%s", out)
		}
		if len(list.stream.Documents) != len(want.Content) {
			return // likewise
		}
		for i, doc := range list.stream.Documents {
			node, err := doc.Node()
			if err != nil {
				return // text in quotes or brackets that goes on at a dash, which only lax parsers read
			}
			if !manifest.Equal(node, want.Content[i]) {
				t.Fatalf("item %d was cut to %q", i, doc.Raw())
			}
		}
	})
}

// FuzzReadDotenv must neither panic nor repeat anything of its input in errors.
func FuzzReadDotenv(f *testing.F) {
	const canary = "Canary7Word"
	f.Add("A=b\nexport C='$A'\n# d\nE=\"${A}\\n\"", uint16(2))
	f.Add("A=\"b", uint16(4))
	f.Add("A=b\nC", uint16(5))
	f.Fuzz(func(t *testing.T, text string, at uint16) {
		i := int(at) % (len(text) + 1)
		text = text[:i] + canary + text[i:]
		if err := readDotenv([]byte(text), map[string]string{}); err != nil && strings.Contains(err.Error(), canary) {
			t.Error(err)
		}
	})
}
