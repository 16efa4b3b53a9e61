// SPDX-License-Identifier: Apache-2.0

package noadmission

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/seal/keys"
)

// A document comes out only as what it was sealed for, a Secret of its own or an
// addition, whatever spec.creationPolicy says. The controller sees the mismatch
// before it calls a key service, writes nothing, and does not try again.
func TestCreationPolicyIsWhatWasSealed(t *testing.T) {
	t.Parallel()
	ns := lab.Namespace(t)
	start(t, ns)
	policy := func(o *unstructured.Unstructured, to string) { controllertest.Set(t, o, to, "spec", "creationPolicy") }
	mark := func(o *unstructured.Unstructured, to any) { controllertest.Set(t, o, to, "spec", "sealed", "merge") }
	for _, test := range []struct {
		name   string
		merge  bool // what it was sealed for
		edit   func(*unstructured.Unstructured)
		reason string
		calls  int
	}{
		{"to-merge", false, func(o *unstructured.Unstructured) { policy(o, "Merge") }, "InvalidDocument", 0},
		{"to-merge-false", false, func(o *unstructured.Unstructured) { policy(o, "Merge"); mark(o, false) }, "InvalidDocument", 0},
		{"to-merge-text", false, func(o *unstructured.Unstructured) { policy(o, "Merge"); mark(o, "true") }, "InvalidDocument", 0},
		{"to-merge-number", false, func(o *unstructured.Unstructured) { policy(o, "Merge"); mark(o, int64(1)) }, "InvalidDocument", 0},
		{"to-merge-null", false, func(o *unstructured.Unstructured) { policy(o, "Merge"); mark(o, nil) }, "InvalidDocument", 0},
		{"to-merge-forged", false, func(o *unstructured.Unstructured) { policy(o, "Merge"); mark(o, true) }, "TamperedDocument", 1},
		{"mark-alone", false, func(o *unstructured.Unstructured) { mark(o, true) }, "InvalidDocument", 0},
		{"to-owner", true, func(o *unstructured.Unstructured) { policy(o, "Owner") }, "InvalidDocument", 0},
		{"to-default", true, func(o *unstructured.Unstructured) { unstructured.RemoveNestedField(o.Object, "spec", "creationPolicy") }, "InvalidDocument", 0},
		{"to-owner-forged", true, func(o *unstructured.Unstructured) {
			unstructured.RemoveNestedField(o.Object, "spec", "creationPolicy")
			unstructured.RemoveNestedField(o.Object, "spec", "sealed", "merge")
		}, "TamperedDocument", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			key := lab.KMSKey()
			s := controllertest.Secret{Namespace: ns, Name: test.name, Data: values{"password": "correct horse"}, For: []keys.Entry{key}}
			o := lab.MustSeal(t, s)
			if test.merge {
				o = lab.MustSealAddition(t, s, test.name)
			}
			test.edit(o)
			// Consent to everything: only the document itself is in the way.
			was := lab.Foreign(t, ns, test.name, values{"theirs": "1"}, map[string]string{
				"signet.dev/merge": test.name, "signet.dev/adopt": test.name,
			})
			lab.Create(t, o)
			lab.WaitReason(t, ns, test.name, test.reason)
			lab.Pass(t, ns)
			lab.Unchanged(t, was)
			if n := lab.Decrypts(key); n != test.calls {
				t.Errorf("%d key calls, want %d", n, test.calls)
			}
		})
	}
}

// The attack as a whole: the values of somebody's document are to come out beside
// a key and an annotation of the attacker's.
func TestDocumentIsNotLuredIntoAnotherSecret(t *testing.T) {
	t.Parallel()
	ns := lab.Namespace(t)
	start(t, ns)
	victim := lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "db", Data: values{"password": "correct horse"}})
	lab.Create(t, lab.MustSeal(t, controllertest.Secret{
		Namespace: ns, Name: "db", Data: values{"DB_HOST": "evil.example.com"},
		Annotations: map[string]string{"signet.dev/merge": "theirs", "replicator.example.com/replicate-to": "mallory"},
	}))
	lab.WaitReady(t, ns, "db")
	lured := controllertest.Named(victim, "theirs")
	controllertest.Set(t, lured, "Merge", "spec", "creationPolicy")
	lab.Create(t, lured)
	lab.WaitReason(t, ns, "theirs", "InvalidDocument")
	lab.Pass(t, ns)
	lab.WaitData(t, ns, "db", values{"DB_HOST": "evil.example.com"})
}
