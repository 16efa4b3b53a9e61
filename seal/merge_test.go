// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/manifest"
)

// policyOf returns spec.creationPolicy and whether the envelope has the mark.
func policyOf(t *testing.T, k key, r *seal.Result) (policy string, mark bool) {
	t.Helper()
	n := reparsed(t, r.Node)
	return manifest.GetString(manifest.Root(n), "spec", "creationPolicy"), k.open(t, n).Sealed.Envelope.Merge
}

// TestMerge protects documents from being put to the other use: what is sealed
// for merging says so outside and under the seal, and nothing else does.
func TestMerge(t *testing.T) {
	for _, test := range []struct {
		name          string
		before, after bool
		edit          string // spec.creationPolicy as somebody wrote it into the old object
		want          []string
		notes         int
	}{
		{name: "stays as it is"},
		{name: "stays for merging", before: true, after: true},
		{name: "becomes one for merging", after: true,
			want: []string{"/spec/creationPolicy", "/spec/sealed/merge", "/spec/sealed/signet/binding", "/spec/sealed/sops/lastmodified", "/spec/sealed/sops/mac"}},
		{name: "is for merging no more", before: true,
			want: []string{"/spec/creationPolicy", "/spec/sealed/merge", "/spec/sealed/signet/binding", "/spec/sealed/sops/lastmodified", "/spec/sealed/sops/mac"}},
		{name: "Owner written outside", edit: "Owner"},
		{name: "Merge written outside", edit: "Merge", want: []string{"/spec/creationPolicy"}, notes: 1},
		{name: "Owner written outside of one for merging", before: true, after: true, edit: "Owner", want: []string{"/spec/creationPolicy"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := newKey(t)
			o := k.options()
			o.Merge = test.before
			first := mustSeal(t, example(), nil, o)
			if policy, mark := policyOf(t, k, first); mark != test.before || (policy == "Merge") != test.before {
				t.Fatalf("policy %q, mark %v", policy, mark)
			}
			old := reparsed(t, first.Node)
			if test.edit != "" {
				manifest.Set(manifest.Get(manifest.Root(old), "spec"), "creationPolicy", manifest.String(test.edit))
			}
			o.Merge, o.Now = test.after, o.Now.Add(time.Hour)
			second := mustSeal(t, example(), k.open(t, old), o)
			if policy, mark := policyOf(t, k, second); mark != test.after || (policy == "Merge") != test.after {
				t.Errorf("policy %q, mark %v", policy, mark)
			}
			got := changed(leaves(old, "", map[string]string{}), leaves(second.Node, "", map[string]string{}))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("changed (-want +got):\n%s", diff)
			}
			notes := slices.DeleteFunc(second.Notes, func(n string) bool { return !strings.Contains(n, "--merge") })
			if len(notes) != test.notes {
				t.Errorf("notes %q, want %d", notes, test.notes)
			}
		})
	}
}

func TestImmutableMergeIsRefused(t *testing.T) {
	s, o := example(), newKey(t).options()
	s.Immutable, o.Merge = true, true
	if _, err := seal.Seal(context.Background(), s.Node(), nil, o); !errors.Is(err, seal.ErrImmutableMerge) {
		t.Errorf("got %v, want ErrImmutableMerge", err)
	}
}
