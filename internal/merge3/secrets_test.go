// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/manifest"
)

// secretsTest is a merge of versions given as makeVersion takes them.
type secretsTest struct {
	name               string
	base, ours, theirs fields
	want               fields // with conflicts, what ours has
	conflicts          []string
}

type fields = []string

const noBase = "no base"

func TestSecretsKeys(t *testing.T) {
	testSecrets(t, []secretsTest{
		{"different keys changed", fields{"a=1", "b=1"}, fields{"a=2", "b=1"}, fields{"a=1", "b=2"}, fields{"a=2", "b=2"}, nil},
		{"different keys added", fields{"a=1"}, fields{"a=1", "b=1"}, fields{"a=1", "c=1"}, fields{"a=1", "b=1", "c=1"}, nil},
		{"one side only", fields{"a=1"}, fields{"a=1"}, fields{"a=2"}, fields{"a=2"}, nil},
		{"equal change", fields{"a=1"}, fields{"a=2"}, fields{"a=2"}, fields{"a=2"}, nil},
		{"equal addition", nil, fields{"a=1"}, fields{"a=1"}, fields{"a=1"}, nil},
		{"removed on one side", fields{"a=1", "b=1"}, fields{"a=1", "b=1"}, fields{"b=1"}, fields{"b=1"}, nil},
		{"removed on both sides", fields{"a=1"}, nil, nil, nil, nil},
		{"removed and another changed", fields{"a=1", "b=1"}, fields{"b=1"}, fields{"a=1", "b=2"}, fields{"b=2"}, nil},
		{"changed on both sides", fields{"a=1"}, fields{"a=2"}, fields{"a=3"}, fields{"a=2"}, []string{"stringData.a: changed on both sides"}},
		{"added on both sides", nil, fields{"a=2"}, fields{"a=3"}, fields{"a=2"}, []string{"stringData.a: added on both sides"}},
		{"changed here, removed there", fields{"a=1"}, fields{"a=2"}, nil, fields{"a=2"}, []string{"stringData.a: changed on one side, removed on the other"}},
		{"removed here, changed there", fields{"a=1"}, nil, fields{"a=2"}, nil, []string{"stringData.a: changed on one side, removed on the other"}},
		{"empty is not absent", fields{"a=1"}, fields{"a="}, nil, fields{"a="}, []string{"stringData.a: changed on one side, removed on the other"}},
		{"empty added, absent there", nil, fields{"a="}, nil, fields{"a="}, nil},
	})
}

func TestSecretsForms(t *testing.T) {
	testSecrets(t, []secretsTest{
		{"text becomes binary", fields{"a=eA=="}, fields{"a:eA=="}, fields{"a=eA=="}, fields{"a:eA=="}, nil},
		{"text becomes binary on both sides", fields{"a=x"}, fields{"a:eA=="}, fields{"a:eA=="}, fields{"a:eA=="}, nil},
		{"text becomes binary here, changes there", fields{"a=x"}, fields{"a:eA=="}, fields{"a=y"}, fields{"a:eA=="}, []string{"stringData.a: changed on both sides"}},
		{"text here, binary there", nil, fields{"a=x"}, fields{"a:eA=="}, fields{"a=x"}, []string{"stringData.a: added on both sides"}},
		{"binary changed on both sides", fields{"a:AA=="}, fields{"a:AQ=="}, fields{"a:Ag=="}, fields{"a:AQ=="}, []string{"data.a: changed on both sides"}},
		{"text becomes binary here, removed there", fields{"a=x"}, fields{"a:eA=="}, nil, fields{"a:eA=="}, []string{"data.a: changed on one side, removed on the other"}},
	})
}

func TestSecretsMetadata(t *testing.T) {
	testSecrets(t, []secretsTest{
		{"labels", fields{"label a=1", "label b=1"}, fields{"label a=2", "label b=1"}, fields{"label a=1", "label c=1"}, fields{"label a=2", "label c=1"}, nil},
		{"label in conflict", fields{"label a=1"}, fields{"label a=2"}, fields{"label a=3"}, fields{"label a=2"}, []string{"labels.a: changed on both sides"}},
		{"annotations", nil, fields{"annotation a=1"}, fields{"annotation b=1"}, fields{"annotation a=1", "annotation b=1"}, nil},
		{"annotation in conflict", fields{"annotation a=1"}, nil, fields{"annotation a=3"}, nil, []string{"annotations.a: changed on one side, removed on the other"}},
		{"label and annotation of one name", nil, fields{"label a=1"}, fields{"annotation a=2"}, fields{"label a=1", "annotation a=2"}, nil},
		{"unusual key", fields{"label a.b/c=1"}, fields{"label a.b/c=2"}, fields{"label a.b/c=3"}, fields{"label a.b/c=2"}, []string{`labels["a.b/c"]: changed on both sides`}},
	})
}

func TestSecretsFields(t *testing.T) {
	testSecrets(t, []secretsTest{
		{"type", nil, fields{"type a"}, nil, fields{"type a"}, nil},
		{"type in conflict", nil, fields{"type a"}, fields{"type b"}, fields{"type a"}, []string{"type: changed on both sides"}},
		{"scope", nil, nil, fields{"scope prod/*"}, fields{"scope prod/*"}, nil},
		{"scope, and something else", nil, fields{"a=1"}, fields{"scope prod/*"}, fields{"a=1"}, []string{"scope: not the same on both sides"}},
		{"scope in conflict", nil, fields{"scope */*"}, fields{"scope prod/*"}, fields{"scope */*"}, []string{"scope: changed on both sides"}},
		{"immutable", nil, fields{"immutable"}, fields{"a=1"}, fields{"immutable", "a=1"}, nil},
		{"no longer immutable", fields{"immutable"}, fields{"immutable"}, nil, nil, nil},
		{"merge", nil, fields{"a=1"}, fields{"merge"}, fields{"a=1"}, []string{"merge: not the same on both sides"}},
		{"immutable here, merge there", nil, fields{"immutable"}, fields{"merge"}, fields{"immutable"}, []string{"immutable: not the same on both sides", "merge: not the same on both sides"}},
		{"immutable becomes merge", fields{"immutable"}, fields{"merge"}, fields{"immutable", "a=1"}, fields{"merge", "a=1"}, []string{"immutable: not the same on both sides", "merge: not the same on both sides"}},
	})
}

func TestSecretsWithoutBase(t *testing.T) {
	testSecrets(t, []secretsTest{
		{"no base, equal", fields{noBase}, fields{"a=1", "label a=1"}, fields{"a=1", "label a=1"}, fields{"a=1", "label a=1"}, nil},
		{"no base, different keys", fields{noBase}, fields{"a=1"}, fields{"b=1"}, fields{"a=1", "b=1"}, nil},
		{"no base, different in all", fields{noBase}, fields{"a=1", "label a=1", "type a", "scope a/b", "merge"}, fields{"a=2", "label a=2", "type b", "scope c/d"},
			fields{"a=1", "label a=1", "type a", "scope a/b", "merge"},
			[]string{"labels.a: added on both sides", "merge: added on both sides", "scope: added on both sides", "stringData.a: added on both sides", "type: added on both sides"}},
		{"no base, immutable and merge", fields{noBase}, fields{"immutable"}, fields{"merge"}, fields{"immutable"}, []string{"immutable: added on both sides", "merge: added on both sides"}},
	})
}

func testSecrets(t *testing.T, tests []secretsTest) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var base *Version
			if len(test.base) == 0 || test.base[0] != noBase {
				v := makeVersion(test.base...)
				base = &v
			}
			ours, theirs := makeVersion(test.ours...), makeVersion(test.theirs...)
			got, conflicts := Secrets(base, ours, theirs)
			if diff := diffVersions(t, makeVersion(test.want...), got); diff != "" {
				t.Errorf("merged (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.conflicts, shown(conflicts)); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
			_, swapped := Secrets(base, theirs, ours)
			if diff := cmp.Diff(conflicts, swapped); diff != "" {
				t.Errorf("conflicts with the sides swapped (-want +got):\n%s", diff)
			}
			for _, c := range conflicts {
				c.Take(&got, theirs)
			}
			_, left := Secrets(base, got, theirs)
			if len(left) > 0 {
				t.Errorf("conflicts are left after all were taken from theirs: %v", shown(left))
			}
		})
	}
}

// TestSecretsForeign protects values from a side that was sealed by somebody who
// knows public keys only: nothing of it is taken over in silence.
func TestSecretsForeign(t *testing.T) {
	const foreign = ": one side was sealed anew, perhaps by somebody who can open nothing"
	const added = "stringData.b" + foreign
	changed := fields{"a=1", "b=1"}
	for _, test := range []struct {
		name               string
		base, ours, theirs fields
		conflicts          []string
	}{
		{"nothing changed there", fields{"a=1"}, fields{"a=2"}, fields{"a=1"}, nil},
		{"equal change", fields{"a=1"}, changed, changed, nil},
		{"value added", fields{"a=1"}, changed, fields{"a=1", "c=1"}, []string{added, "stringData.c" + foreign}},
		{"value changed", fields{"a=1"}, changed, fields{"a=2"}, []string{"stringData.a" + foreign, added}},
		{"value left out", fields{"a=1"}, changed, nil, []string{"stringData.a" + foreign, added}},
		{"scope", fields{"a=1"}, changed, fields{"a=1", "scope */*"}, []string{"scope" + foreign, added}},
		{"merge", fields{"a=1"}, changed, fields{"a=1", "merge"}, []string{"merge" + foreign, added}},
		{"type", fields{"a=1"}, changed, fields{"a=1", "type x"}, []string{added, "type" + foreign}},
		{"immutable", fields{"a=1"}, changed, fields{"a=1", "immutable"}, []string{"immutable" + foreign, added}},
		{"label", fields{"a=1"}, changed, fields{"a=1", "label x=y"}, []string{"labels.x" + foreign, added}},
		{"annotation gone", fields{"annotation x=y"}, fields{"annotation x=y", "b=1"}, nil, []string{"annotations.x" + foreign, added}},
		{"both", fields{"a=1"}, fields{"a=2"}, fields{"a=3"}, []string{"stringData.a: changed on both sides"}},
		{"no base", fields{noBase}, fields{"a=1"}, changed, []string{added}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var base *Version
			if test.base[0] != noBase {
				v := makeVersion(test.base...)
				base = &v
			}
			ours, theirs := makeVersion(test.ours...), makeVersion(test.theirs...)
			theirs.Foreign = true
			merged, conflicts := Secrets(base, ours, theirs)
			if diff := cmp.Diff(test.conflicts, shown(conflicts)); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
			if diff := diffVersions(t, ours, merged); diff != "" {
				t.Errorf("taken over (-ours +merged):\n%s", diff)
			}
			_, swapped := Secrets(base, theirs, ours)
			if diff := cmp.Diff(conflicts, swapped); diff != "" {
				t.Errorf("conflicts with the sides swapped (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSecretsConflictKeys(t *testing.T) {
	base := makeVersion("a=1", "label app=x")
	_, conflicts := Secrets(&base, makeVersion("a=2", "label app=y"), makeVersion("a:AA==", "label app=z"))
	want := []Conflict{
		{Path: "labels.app", Kind: BothChanged, Sealed: true, At: []string{"labels", "app"}},
		{Path: "stringData.a", Kind: BothChanged, Key: "a", Sealed: true, At: []string{"stringData", "a"}},
	}
	if diff := cmp.Diff(want, conflicts); diff != "" {
		t.Error(diff)
	}
}

const around = `# ours to keep
apiVersion: signet.dev/v1alpha1
kind: SealedSecret
metadata:
  name: db
  namespace: prod
  labels:
    app: db
spec:
  secretName: db
  # the envelope
  sealed: {scope: prod/db}
`

// aroundTest is a merge of objects.
type aroundTest struct {
	name               string
	base, ours, theirs Version
	want               string
	conflicts          []string
}

func TestSecretsAround(t *testing.T) {
	replaced := replacer(t, around)
	testAround(t, []aroundTest{
		{"suspended here, annotated there",
			object(t, around),
			object(t, replaced("secretName: db", "secretName: db\n  suspend: true")),
			object(t, replaced("  labels:", "  annotations:\n    a: b # why\n  labels:")),
			replaced("secretName: db", "secretName: db\n  suspend: true", "  labels:", "  annotations:\n    a: b # why\n  labels:"), nil},
		{"in conflict",
			object(t, around),
			object(t, replaced("secretName: db", "secretName: db\n  deletionPolicy: Retain")),
			object(t, replaced("secretName: db", "secretName: db\n  deletionPolicy: Delete")),
			replaced("secretName: db", "secretName: db\n  deletionPolicy: Retain"),
			[]string{"spec.deletionPolicy: added on both sides"}},
	})
}

func TestSecretsAroundLabels(t *testing.T) {
	replaced := replacer(t, around)
	testAround(t, []aroundTest{
		{"a label is one conflict, not two",
			object(t, around, "label app=db"),
			object(t, replaced("app: db", "app: x"), "label app=x"),
			object(t, replaced("app: db", "app: y"), "label app=y"),
			replaced("app: db", "app: x"),
			[]string{"labels.app: changed on both sides"}},
		{"the copy of a label comes from where the label comes from",
			object(t, around, "label app=db"),
			object(t, replaced("app: db", "app: db2"), "label app=db"), // edited outside of the seal
			object(t, replaced("app: db", "app: x"), "label app=x"),
			replaced("app: db", "app: x"), nil},
		{"the copy of a label goes with the label",
			object(t, around, "label app=db"),
			object(t, around, "label app=db"),
			object(t, replaced("  labels:\n    app: db\n", "")),
			replaced("  labels:\n    app: db\n", ""), nil},
		{"labels added on both sides",
			object(t, around, "label app=db"),
			object(t, replaced("app: db", "app: db\n    a: b"), "label app=db", "label a=b"),
			object(t, replaced("app: db", "app: db\n    c: d"), "label app=db", "label c=d"),
			replaced("app: db", "app: db\n    a: b\n    c: d"), nil},
		{"another conflict over a label of the object alone",
			object(t, around),
			object(t, replaced("app: db", "app: x")),
			object(t, replaced("app: db", "app: y")),
			replaced("app: db", "app: x"),
			[]string{"metadata.labels.app: changed on both sides"}},
	})
}

func TestSecretsAroundNames(t *testing.T) {
	replaced := replacer(t, around)
	testAround(t, []aroundTest{
		{"the policy comes with merge",
			object(t, around),
			object(t, replaced("spec:", "spec:\n  creationPolicy: Owner")),
			object(t, replaced("spec:", "spec:\n  creationPolicy: Merge"), "merge"),
			replaced("spec:", "spec:\n  creationPolicy: Merge"), nil},
		{"name and Secret's name add up to a third",
			object(t, around),
			object(t, replaced("  secretName: db\n", "")),
			object(t, replaced("name: db\n  namespace", "name: other\n  namespace")),
			replaced("  secretName: db\n", ""),
			[]string{"metadata.name: changed on both sides", "spec.secretName: changed on both sides"}},
		{"the object is renamed, the Secret is not",
			object(t, around),
			object(t, around, "a=1"),
			object(t, replaced("name: db\n  namespace", "name: other\n  namespace")),
			replaced("name: db\n  namespace", "name: other\n  namespace"), nil},
	})
}

func testAround(t *testing.T, tests []aroundTest) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, conflicts := Secrets(&test.base, test.ours, test.theirs)
			envelope := manifest.Get(parse(t, around).Content[0], "spec", "sealed")
			if diff := cmp.Diff(test.want, encode(t, got.Object(envelope))); diff != "" {
				t.Errorf("around (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.conflicts, shown(conflicts)); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
			_, swapped := Secrets(&test.base, test.theirs, test.ours)
			if diff := cmp.Diff(conflicts, swapped); diff != "" {
				t.Errorf("conflicts with the sides swapped (-want +got):\n%s", diff)
			}
			for _, c := range conflicts {
				c.Take(&got, test.theirs)
			}
			if len(conflicts) > 0 && !same(rootOf(got.Around), rootOf(test.theirs.Around)) {
				t.Errorf("taken from theirs:\n%s", encode(t, got.Around))
			}
		})
	}
}

// Who takes merge from a side takes the policy, too, and who takes a label its
// copy.
func TestTakeCopies(t *testing.T) {
	ours := object(t, replacer(t, around)("spec:", "spec:\n  creationPolicy: Merge"), "merge", "label app=db")
	theirs := object(t, replacer(t, around)("  labels:\n    app: db\n", ""))
	got, conflicts := Secrets(nil, ours, theirs)
	if diff := cmp.Diff([]string{"merge: added on both sides"}, shown(conflicts)); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
	conflicts[0].Take(&got, theirs)
	if policy := manifest.Get(rootOf(got.Around), "spec", "creationPolicy"); policy != nil || got.Clear.Merge {
		t.Errorf("merge is %v, the policy %+v", got.Clear.Merge, policy)
	}
	conflicts[0].Take(&got, ours)
	if policy := manifest.GetString(rootOf(got.Around), "spec", "creationPolicy"); policy != "Merge" || !got.Clear.Merge {
		t.Errorf("merge is %v, the policy %q", got.Clear.Merge, policy)
	}
}
