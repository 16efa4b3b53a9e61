// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/seal/manifest"
)

// sealedDB is what prod/db stands for.
func sealedDB() *desired {
	object := &v1alpha1.SealedSecret{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: "db", UID: "o-1"}}
	return newDesired(object, &opened{mark: "0123", secret: &manifest.Secret{
		Name: "db", Namespace: "prod", Type: "Opaque", StringData: map[string]string{"password": "correct horse"},
		Labels: map[string]string{"app": "db"}, Annotations: map[string]string{"example.com/a": "1"},
	}})
}

// What is ours and not sealed any more goes, and what is somebody else's stays.
func TestReplacementKeepsWhatIsNotOurs(t *testing.T) {
	theirs := metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "theirs", UID: "c-1"}
	was := secretMetadata()
	was.ObjectMeta = metav1.ObjectMeta{
		Namespace: "prod", Name: "db", UID: "s-1", ResourceVersion: "7", Finalizers: []string{"example.com/theirs"},
		Labels:          map[string]string{"app": "old", "tier": "ours", "team": "theirs", ManagedLabel: "false"},
		Annotations:     map[string]string{"example.com/b": "ours", "note": "theirs", OwnerAnnotation: "db", AdoptAnnotation: "db"},
		OwnerReferences: []metav1.OwnerReference{theirs},
		ManagedFields: []metav1.ManagedFieldsEntry{
			fields("signet:db", byUpdate, 1, `{"f:metadata":{"f:labels":{"f:app":{},"f:tier":{}},"f:annotations":{"f:example.com/b":{}}}}`),
			fields("kubectl", byUpdate, 1, `{"f:metadata":{"f:labels":{"f:team":{}},"f:annotations":{"f:note":{}}}}`),
		},
	}
	before := was.DeepCopy()
	got, err := sealedDB().replacement(was)
	if err != nil {
		t.Fatal(err)
	}
	want := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "prod", Name: "db", UID: "s-1", ResourceVersion: "7", Finalizers: []string{"example.com/theirs"},
			Labels:          map[string]string{"app": "db", "team": "theirs", ManagedLabel: ManagedValue},
			Annotations:     map[string]string{"example.com/a": "1", "note": "theirs", OwnerAnnotation: "db", DocumentAnnotation: "0123"},
			OwnerReferences: []metav1.OwnerReference{theirs, {APIVersion: "signet.dev/v1alpha1", Kind: "SealedSecret", Name: "db", UID: "o-1"}},
		},
		Type: "Opaque", Data: map[string][]byte{"password": []byte("correct horse")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, was); diff != "" {
		t.Errorf("what is in the cache was changed (-before +after):\n%s", diff)
	}
}

// Without knowing what is ours nothing is written.
func TestReplacementOfWhatCannotBeRead(t *testing.T) {
	if s, err := sealedDB().replacement(managed(fields("x", byUpdate, 1, `{"f:metadata":`))); err == nil {
		t.Errorf("no error, Secret %+v", s.ObjectMeta)
	}
}

func TestManagedFieldsOfAReplacement(t *testing.T) {
	others := fieldsOf("kubectl", byUpdate, "a")
	partner := fieldsOf("signet:partner", byApply, "b")
	taken := fieldsOf("signet:db", byUpdate, "password")
	taken.Time = nil // which the API server sets
	applied := fields("flux", byApply, 1, `{"f:stringData":{"f:a":{}}}`)
	for _, test := range []struct {
		name   string
		owner  string // of the Secret as it is; "" for none
		merge  string // annotation of the Secret as it is
		sealed string // the same, as it is sealed
		was    []metav1.ManagedFieldsEntry
		want   []metav1.ManagedFieldsEntry // nil: the API server keeps what there are
	}{
		{"ours", "db", "", "", []metav1.ManagedFieldsEntry{others, fieldsOf("signet:db", byUpdate, "c")}, nil},
		{"ours, added to before", "db", "", "", []metav1.ManagedFieldsEntry{others, fieldsOf("signet:db", byApply, "c")},
			[]metav1.ManagedFieldsEntry{others, fieldsOf("signet:db", byUpdate, "c")}},
		{"ours, others applied over it", "db", "", "", []metav1.ManagedFieldsEntry{applied, fieldsOf("signet:db", byUpdate, "c")},
			[]metav1.ManagedFieldsEntry{fieldsOf("signet:db", byUpdate, "c")}},
		{"taken over after it was applied", "", "", "", []metav1.ManagedFieldsEntry{applied}, []metav1.ManagedFieldsEntry{taken}},
		{"taken over", "", "", "", []metav1.ManagedFieldsEntry{others, partner}, []metav1.ManagedFieldsEntry{taken}},
		{"taken over, added to before", "", "", "", []metav1.ManagedFieldsEntry{others, fieldsOf("signet:db", byApply, "c")},
			[]metav1.ManagedFieldsEntry{taken}},
		{"taken over from another", "other", "", "", []metav1.ManagedFieldsEntry{fieldsOf("signet:other", byUpdate, "a")}, []metav1.ManagedFieldsEntry{taken}},
		{"taken over with a partner", "", "partner", "", []metav1.ManagedFieldsEntry{others, partner}, []metav1.ManagedFieldsEntry{partner, taken}},
		{"taken over with a sealed partner", "", "", "partner", []metav1.ManagedFieldsEntry{others, partner}, []metav1.ManagedFieldsEntry{partner, taken}},
	} {
		t.Run(test.name, func(t *testing.T) {
			was := managed(test.was...)
			was.Annotations = map[string]string{OwnerAnnotation: test.owner, MergeAnnotation: test.merge}
			d := sealedDB()
			d.secret.Annotations[MergeAnnotation] = test.sealed
			got, err := d.managedFields(was)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOwners(t *testing.T) {
	reference := func(kind, name string, uid types.UID) metav1.OwnerReference {
		return metav1.OwnerReference{APIVersion: v1alpha1.GroupVersion.String(), Kind: kind, Name: name, UID: uid}
	}
	ours, former := reference("SealedSecret", "db", "o-1"), reference("SealedSecret", "db", "o-0")
	another, key := reference("SealedSecret", "other", "o-2"), reference("SealingKey", "db", "k-1")
	foreign := former
	foreign.APIVersion = "example.com/v1"
	controls := ours
	controls.Controller, controls.BlockOwnerDeletion = new(true), new(true)
	for _, test := range []struct {
		name   string
		retain bool
		was    []metav1.OwnerReference
		want   []metav1.OwnerReference
	}{
		{"none", false, nil, []metav1.OwnerReference{ours}},
		{"ours", false, []metav1.OwnerReference{ours}, []metav1.OwnerReference{ours}},
		{"of the object before this one", false, []metav1.OwnerReference{former}, []metav1.OwnerReference{ours}},
		{"ours with more to say", false, []metav1.OwnerReference{controls}, []metav1.OwnerReference{ours}},
		{"of others", false, []metav1.OwnerReference{another, key, foreign}, []metav1.OwnerReference{another, key, foreign, ours}},
		{"none, retained", true, nil, nil},
		{"ours among others, retained", true, []metav1.OwnerReference{another, ours, foreign}, []metav1.OwnerReference{another, foreign}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := sealedDB()
			if test.retain {
				d.object.Spec.DeletionPolicy = v1alpha1.Retain
			}
			before := slices.Clone(test.was)
			if diff := cmp.Diff(test.want, d.owners(test.was)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, test.was); diff != "" {
				t.Errorf("what is in the cache was changed (-before +after):\n%s", diff)
			}
		})
	}
}
