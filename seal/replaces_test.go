// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/manifest"
)

// TestReplaces protects what stands around a seal that nothing can be kept of:
// it is taken over, and under the seal everything is new.
func TestReplaces(t *testing.T) {
	for _, test := range []struct {
		name            string
		objectName      string // asked for when sealing over it
		was             string // name of the old object, "" for that of its Secret
		secret, place   string // of the new Secret, "" for the old ones
		want, wantPlace string // of the new object
		wantNotes       []string
		wantSet         []string // fields of metadata
	}{
		{name: "the same place", want: "db", wantPlace: "prod", wantSet: []string{"uid", "finalizers"}},
		{name: "a name of its own", was: "add", want: "add", wantPlace: "prod", wantSet: []string{"uid", "finalizers"}},
		{name: "renamed", secret: "new", want: "new", wantPlace: "prod", wantSet: []string{"finalizers"}, wantNotes: []string{"metadata.uid"}},
		{name: "moved", place: "stage", want: "db", wantPlace: "stage", wantSet: []string{"finalizers"}, wantNotes: []string{"metadata.uid"}},
		{name: "renamed beside a name of its own", was: "add", secret: "new", want: "add", wantPlace: "prod", wantSet: []string{"uid", "finalizers"}},
		{name: "given a name", objectName: "add", want: "add", wantPlace: "prod", wantSet: []string{"finalizers"}, wantNotes: []string{"metadata.uid"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			k, secret := newKey(t), example()
			secret.Name, secret.Namespace = "db", "prod"
			o := k.options()
			o.ObjectName = test.was
			old := mustSeal(t, secret, nil, o).Node
			metadata := manifest.Get(manifest.Root(old), "metadata")
			manifest.Set(metadata, "uid", manifest.String("1-2-3"))
			manifest.Set(metadata, "finalizers", manifest.String("example.com/f"))
			manifest.Set(manifest.Get(manifest.Root(old), "spec"), "suspend", manifest.Bool(true))
			before := manifest.Clone(old)

			if test.secret != "" {
				secret.Name = test.secret
			}
			if test.place != "" {
				secret.Namespace = test.place
			}
			o.ObjectName, o.Replaces = test.objectName, old
			got := mustSeal(t, secret, nil, o)
			if !manifest.Equal(old, before) {
				t.Error("the old object was changed")
			}
			checkReplacing(t, got, test.want, test.wantPlace, secret.Name, test.wantSet)
			notes := slices.DeleteFunc(slices.Clone(got.Notes), func(n string) bool { return !strings.Contains(n, "of the previous document") })
			if len(notes) != len(test.wantNotes) || len(notes) == 1 && !strings.Contains(notes[0], test.wantNotes[0]) {
				t.Errorf("notes %q, want %q", notes, test.wantNotes)
			}
			if again := k.open(t, reparsed(t, got.Node)); again.Sealed.Envelope.Scope.String() != secret.Namespace+"/"+secret.Name {
				t.Errorf("scope %s", again.Sealed.Envelope.Scope)
			}
			kept := ciphertexts(old)
			if len(kept) == 0 || slices.ContainsFunc(ciphertexts(got.Node), func(c string) bool { return slices.Contains(kept, c) }) {
				t.Error("a ciphertext was kept")
			}
		})
	}
}

// ciphertexts returns all encrypted values below n.
func ciphertexts(n *yaml.Node) []string {
	var all []string
	for _, v := range leaves(n, "", map[string]string{}) {
		if strings.HasPrefix(v, "ENC[") {
			all = append(all, v)
		}
	}
	return all
}

func checkReplacing(t *testing.T, got *seal.Result, name, namespace, secret string, set []string) {
	t.Helper()
	root := manifest.Root(reparsed(t, got.Node))
	text := func(keys ...string) string { return manifest.GetString(root, keys...) }
	is := []string{text("metadata", "name"), text("metadata", "namespace"), text("spec", "secretName")}
	if diff := cmp.Diff([]string{name, namespace, secret}, is); diff != "" {
		t.Errorf("name, namespace, secretName (-want +got):\n%s", diff)
	}
	if v := manifest.Get(root, "spec", "suspend"); v == nil || v.Value != "true" {
		t.Error("suspend is gone")
	}
	var has []string
	for _, field := range []string{"uid", "finalizers"} {
		if text("metadata", field) != "" {
			has = append(has, field)
		}
	}
	if diff := cmp.Diff(set, has); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}
