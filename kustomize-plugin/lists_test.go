// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// TestAnyYAML gives lists as no kustomize writes them.
func TestAnyYAML(t *testing.T) {
	l := newLab(t)
	document := l.sealed(t, "prod", "db")
	inFlow := `{"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "functionConfig": {"apiVersion": "signet.dev/v1alpha1", "kind": "Unseal"}, "items": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "odd"}}]}`
	withComment := strings.Replace(resourceList(unsealing(), document), "\n- ", "\n# whose?\n- ", 1)
	deeper := strings.Replace(resourceList(unsealing(), document), "\nitems:", "\n\"items\":", 1)
	for name, test := range map[string]struct{ in, want string }{
		"JSON":       {inFlow, "name\": \"odd\"\n"},
		"comment":    {withComment, inClear()},
		"quoted key": {deeper, inClear()},
		"CRLF":       {strings.ReplaceAll(resourceList(unsealing(), document), "\n", "\r\n"), inClear()},
		"no items":   {"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nfunctionConfig:\n  apiVersion: signet.dev/v1alpha1\n  kind: Unseal\n  files: [db.yaml]\n", inClear()},
	} {
		t.Run(name, func(t *testing.T) {
			l.write(t, "db.yaml", document)
			out := l.function().mustRun(t, test.in)
			if want := strings.ReplaceAll(test.want, "\": \"", ": "); !strings.Contains(strings.ReplaceAll(out, "\"", ""), strings.ReplaceAll(want, "\"", "")) {
				t.Errorf("got\n%s\nwant %s", out, want)
			}
			again := l.function().mustRun(t, strings.TrimSuffix(out, "\n")+"\nfunctionConfig:\n  apiVersion: signet.dev/v1alpha1\n  kind: Unseal\n  files: [db.yaml]\n")
			if !strings.Contains(again, inClear()) {
				t.Errorf("what comes out is no list:\n%s", out)
			}
		})
	}
}

// TestHostileLists must end in an error, soon and without output.
func TestHostileLists(t *testing.T) {
	l := newLab(t)
	document := l.sealed(t, "prod", "db")
	list := func(items, config string) string {
		return "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n" + items + config
	}
	config := "functionConfig: {apiVersion: signet.dev/v1alpha1, kind: Unseal}\n"
	good := resourceList(unsealing(), document)
	tests := []struct{ name, in, want string }{
		{"nothing", "", "it is no ResourceList"},
		{"scalar", "items", "it is no ResourceList"},
		{"another kind", strings.Replace(good, "kind: ResourceList", "kind: List", 1), "it is no ResourceList"},
		{"another group", strings.Replace(good, "config.kubernetes.io/v1\n", "config.kubernetes.io/v1x\n", 1), "it is no ResourceList"},
		{"two documents", good + "---\n" + good, "stdin: read: "},
		{"no functionConfig", list("items: []\n", ""), "functionConfig: is missing"},
		{"null functionConfig", list("items: []\n", "functionConfig: null\n"), "functionConfig: is missing"},
		{"functionConfig is a list", list("items: []\n", "functionConfig: [a]\n"), "functionConfig: must be a mapping"},
		{"functionConfig is text", list("items: []\n", "functionConfig: a\n"), "functionConfig: must be a mapping"},
		{"empty functionConfig", list("items: []\n", "functionConfig: {}\n"), "unknown configuration"},
		{"kind is a list", list("items: []\n", "functionConfig: {apiVersion: signet.dev/v1alpha1, kind: [Unseal]}\n"), "unknown configuration"},
		{"items is a mapping", list("items: {a: b}\n", config), "items: must be a list"},
		{"items is text", list("items: a\n", config), "items: must be a list"},
		{"items twice", strings.Replace(good, "functionConfig:", "items:\n- a: b\nfunctionConfig:", 1), "stdin: read: "},
		{"items twice, once quoted", strings.Replace(good, "functionConfig:", "\"items\":\n- a: b\nfunctionConfig:", 1), "items: stands there twice"},
		{"functionConfig twice", good + config, "duplicate key"},
		{"unknown field", good + "more: 1\n", "more: a ResourceList has no such field"},
		{"duplicate key in an object", resourceList(unsealing(), strings.Replace(document, "kind: SealedSecret", "kind: SealedSecret\nkind: ConfigMap", 1)), "duplicate key"},
		{"alias for a kind", resourceList(unsealing(), "a: &k SealedSecret\napiVersion: signet.dev/v1alpha1\nkind: *k\n"), "anchors are not supported"},
		{"deep", resourceList(unsealing(), "apiVersion: v1\nkind: signet.dev\nx: "+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+"\n"), "nested deeper"},
		{"deep configuration", list("items: []\n", "functionConfig: "+strings.Repeat("{a: ", 5000)+strings.Repeat("}", 5000)+"\n"), "stdin: read: "},
		{"wide", resourceList(unsealing(), "apiVersion: v1\nkind: signet.dev\nx: ["+strings.Repeat("a,", 300_000)+"]\n"), "nodes"},
		{"many", resourceList(unsealing(), repeated("apiVersion: v1\nkind: sops\nx: ["+strings.Repeat("a,", 1000)+"]\n", 600)...), "too much of it has to be parsed"},
		{"not UTF-8", strings.Replace(good, "prod", "pr\xffod", 1), "UTF-8"},
		{"list in a list", resourceList(unsealing(), "apiVersion: v1\nkind: List\nitems:\n- kind: List\n  apiVersion: v1\n  items: [{apiVersion: signet.dev/v1alpha1, kind: SealedSecret}]\n"), "a List inside a List"},
		{"end of document in an item", strings.Replace(good, "\n  kind:", "\n  ---\n  kind:", 1), "an item is no object"},
		{"unknown object", resourceList(unsealing(), "apiVersion: signet.dev/v1beta1\nkind: SealedSecret\nmetadata: {name: db}\n"), "unknown object signet.dev/v1beta1 SealedSecret"},
		{"group alone", resourceList(unsealing(), "apiVersion: signet.dev\nkind: SealedSecret\n"), "unknown object"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			err := l.function().Run(context.Background(), strings.NewReader(test.in), &out)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if out.Len() > 0 {
				t.Errorf("%d bytes came out", out.Len())
			}
		})
	}
}
