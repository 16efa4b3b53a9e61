// SPDX-License-Identifier: Apache-2.0

package unseal_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/unseal"
)

func objectsOf(t *testing.T, stream string) []*manifest.Object {
	t.Helper()
	s, err := manifest.Split([]byte(stream))
	if err != nil {
		t.Fatal(err)
	}
	var all []*manifest.Object
	for _, doc := range s.Documents {
		_, objects, err := doc.Objects()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, objects...)
	}
	return all
}

// TestIsSealed opens what has to be opened, and lets nothing of Signet's API
// pass that it does not know.
func TestIsSealed(t *testing.T) {
	tests := []struct {
		name, document string
		want           bool
		err            string
	}{
		{"SealedSecret", "{apiVersion: signet.dev/v1alpha1, kind: SealedSecret}", true, ""},
		{"SealingKey", "{apiVersion: signet.dev/v1alpha1, kind: SealingKey}", false, ""},
		{"another kind", "{apiVersion: signet.dev/v1alpha1, kind: SealedThing}", false, "unknown object signet.dev/v1alpha1 SealedThing"},
		{"another version", "{apiVersion: signet.dev/v9, kind: SealedSecret}", false, "unknown object signet.dev/v9 SealedSecret"},
		{"group alone", "{apiVersion: signet.dev, kind: SealedSecret}", false, "unknown object signet.dev SealedSecret"},
		{"another version with SOPS metadata", "{apiVersion: signet.dev/v9, kind: SealedSecret, sops: {mac: x}}", false, "unknown object signet.dev/v9 SealedSecret"},
		{"no kind", "{apiVersion: signet.dev/v1alpha1}", false, "unknown object signet.dev/v1alpha1 "},
		{"terminal", `{apiVersion: signet.dev/v9, kind: "\e[2KSealed\nSecret"}`, false, "unknown object signet.dev/v9 ?[2KSealed Secret"},
		{"another group", "{apiVersion: bitnami.com/v1alpha1, kind: SealedSecret}", false, ""},
		{"SOPS", "{apiVersion: v1, kind: Secret, sops: {mac: x}}", true, ""},
		{"SOPS without metadata", "{apiVersion: v1, kind: Secret, sops: }", true, ""},
		{"SOPS, no object", "{sops: {mac: x}}", true, ""},
		{"SOPS metadata further down", "{apiVersion: v1, kind: Secret, data: {sops: {mac: x}}}", false, ""},
		{"Secret", "{apiVersion: v1, kind: Secret}", false, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := unseal.IsSealed(objectsOf(t, test.document)[0])
			text := ""
			if err != nil {
				text = err.Error()
			}
			if got != test.want || text != test.err {
				t.Errorf("%v, error %q, want %v, %q", got, text, test.want, test.err)
			}
		})
	}
}

// TestJobs puts those documents together that SOPS has encrypted together.
func TestJobs(t *testing.T) {
	const sealedSecret = "---\n{apiVersion: signet.dev/v1alpha1, kind: SealedSecret, metadata: {name: a}, sops: {mac: x}}\n"
	sops := func(name, mac string) string {
		return "---\n{apiVersion: v1, kind: Secret, metadata: {name: " + name + "}, sops: {mac: " + mac + "}}\n"
	}
	tests := []struct{ name, stream, want string }{
		{"one", sops("a1", "x"), "a1"},
		{"same mac", sops("a1", "x") + sops("a2", "x") + sops("a3", "x"), "a1,a2,a3"},
		{"other macs", sops("a1", "x") + sops("a2", "z") + sops("a3", "z") + sops("a4", "x"), "a1 a2,a3 a4"},
		{"no mac", sops("a1", "") + sops("a2", ""), "a1 a2"},
		{"SealedSecrets", sealedSecret + sealedSecret, "a a"},
		{"SealedSecret between", sops("a1", "x") + sealedSecret + sops("a2", "x"), "a1 a a2"},
		{"items of a List", "{kind: List, items: [{kind: A, metadata: {name: a1}, sops: {mac: x}}, {kind: A, metadata: {name: a2}, sops: {mac: x}}]}", "a1 a2"},
		{"two files", sops("a1", "x") + sops("a2", "x") + sops("b1", "x") + sops("b2", "x"), "a1,a2 b1,b2"},
		{"nothing", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// Files are called as their objects, without the number.
			jobs := unseal.Jobs(objectsOf(t, test.stream), func(o *manifest.Object) (string, *manifest.Object) {
				return strings.TrimRight(o.Name(), "1234"), o
			})
			var got []string
			for _, job := range jobs {
				var names []string
				for _, o := range job {
					names = append(names, o.Name())
				}
				got = append(got, strings.Join(names, ","))
			}
			if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}
