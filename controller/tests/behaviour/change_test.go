// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/seal"
)

func TestKeyRemovedFromTheDocumentGoes(t *testing.T) {
	ns, key := start(t), lab.KMSKey()
	was := unsealed(t, ns, key)
	lab.Replace(t, document(t, ns, map[string]string{"username": "app"}, key))
	lab.WaitReady(t, ns, "db")
	got := lab.WaitData(t, ns, "db", map[string]string{"username": "app"})
	if got.UID != was.UID {
		t.Error("another Secret")
	}
	lab.WaitEvents(t, ns, "db", "Updated", 1)
	lab.Settle(t, ns)
	lab.Unchanged(t, got)
	decrypts(t, key, 2)
}

func TestMetadataOnlyChange(t *testing.T) {
	ns := start(t)
	sealed := func(labels, annotations map[string]string) *unstructured.Unstructured {
		return lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "db", Data: values(), Labels: labels, Annotations: annotations})
	}
	lab.Create(t, sealed(map[string]string{"app": "db", "tier": "back"}, map[string]string{"example.com/a": "1", "example.com/b": "2"}))
	lab.WaitReady(t, ns, "db")
	was := lab.MustSecret(t, ns, "db")

	lab.Replace(t, sealed(map[string]string{"app": "db2"}, map[string]string{"example.com/b": "3"}))
	lab.WaitReady(t, ns, "db")
	got := lab.WaitData(t, ns, "db", values())
	if len(got.Labels) != 2 || got.Labels["app"] != "db2" || len(got.Annotations) != 3 || got.Annotations["example.com/b"] != "3" {
		t.Errorf("labels %v, annotations %v", got.Labels, got.Annotations)
	}
	if got.UID != was.UID {
		t.Error("another Secret")
	}
	lab.WaitEvents(t, ns, "db", "Updated", 1)
}

func TestDeletionPolicyChangesTheOwnerReference(t *testing.T) {
	ns := start(t)
	was := unsealed(t, ns)
	for _, step := range []struct {
		policy string
		owners int
	}{{"Retain", 0}, {"Delete", 1}, {"Retain", 0}} {
		lab.Update(t, ns, "db", func(o *unstructured.Unstructured) { setSpec(o, "deletionPolicy", step.policy) })
		lab.WaitReady(t, ns, "db")
		now := lab.MustSecret(t, ns, "db")
		if len(now.OwnerReferences) != step.owners || now.UID != was.UID {
			t.Errorf("%s: %+v", step.policy, now.ObjectMeta)
		}
	}
	lab.Delete(t, controllertest.NewSealedSecret(ns, "db"))
	lab.Settle(t, ns)
	if s := lab.MustSecret(t, ns, "db"); s.UID != was.UID || s.DeletionTimestamp != nil {
		t.Errorf("Secret %+v", s.ObjectMeta)
	}
}

// setSpec sets a field of the spec that is not sealed; nil removes it.
func setSpec(o *unstructured.Unstructured, field string, value any) {
	spec := o.Object["spec"].(map[string]any)
	spec[field] = value
	if value == nil {
		delete(spec, field)
	}
}

func TestTypeChangeMakesTheSecretAnew(t *testing.T) {
	ns := start(t)
	was := unsealed(t, ns)
	lab.Replace(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "db", Data: values(), Type: "kubernetes.io/basic-auth"}))
	s := lab.WaitReady(t, ns, "db")
	got := lab.WaitData(t, ns, "db", values())
	if got.Type != "kubernetes.io/basic-auth" || got.UID == was.UID || s.Status.Secret.UID != got.UID {
		t.Errorf("type %s, uid %s, was %s, status %+v", got.Type, got.UID, was.UID, s.Status)
	}
	lab.WaitEvents(t, ns, "db", "Recreated", 1)
	lab.Settle(t, ns)
	lab.Unchanged(t, got)
}

// The dry run finds out that the new Secret could not be made before the old one
// is deleted.
func TestTypeChangeToWhatTheSecretCannotBe(t *testing.T) {
	ns := start(t)
	was := unsealed(t, ns)
	lab.Replace(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "db", Data: values(), Type: "kubernetes.io/dockerconfigjson"}))
	lab.WaitReason(t, ns, "db", "WriteRefused")
	lab.Settle(t, ns)
	lab.Unchanged(t, was)
}

func TestTypeChangeIsRefusedWhereOthersHoldKeys(t *testing.T) {
	ns := start(t)
	theirs(t, ns)
	was := lab.EditSecret(t, ns, "db", func(s *corev1.Secret) {
		s.Annotations = map[string]string{"signet.dev/adopt": "db"}
	})
	lab.Create(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "db", Data: values(), Type: "kubernetes.io/basic-auth"}))
	lab.WaitReason(t, ns, "db", "SecretIncompatible")
	lab.Settle(t, ns)
	lab.Unchanged(t, was)

	lab.Delete(t, was) // what the message asks for
	lab.WaitReady(t, ns, "db")
	if got := lab.WaitData(t, ns, "db", values()); got.Type != "kubernetes.io/basic-auth" {
		t.Errorf("type %s", got.Type)
	}
}

func TestImmutableToggledAndChanged(t *testing.T) {
	ns := start(t)
	sealed := func(immutable bool, password string) *unstructured.Unstructured {
		return lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "db", Immutable: immutable, Data: map[string]string{"password": password}})
	}
	lab.Create(t, sealed(false, "one"))
	lab.WaitReady(t, ns, "db")
	was := lab.MustSecret(t, ns, "db")
	for _, step := range []struct {
		name      string
		immutable bool
		password  string
		anew      bool
		recreated int // events so far
	}{
		{"made immutable", true, "one", false, 0},
		{"value of an immutable one", true, "two", true, 1},
		{"made mutable", false, "two", true, 2},
		{"value of a mutable one", false, "three", false, 2},
		{"made immutable with another value", true, "four", false, 2},
	} {
		lab.Replace(t, sealed(step.immutable, step.password))
		lab.WaitReady(t, ns, "db")
		now := lab.WaitData(t, ns, "db", map[string]string{"password": step.password})
		if immutable := now.Immutable != nil && *now.Immutable; immutable != step.immutable || (now.UID != was.UID) != step.anew {
			t.Errorf("%s: immutable %v, uid %s, was %s", step.name, immutable, now.UID, was.UID)
		}
		lab.WaitEvents(t, ns, "db", "Recreated", step.recreated)
		was = now
	}
}

// Nobody's value is at stake, so a Secret is not deleted for that.
func TestImmutableByHandStaysUntilTheDocumentChanges(t *testing.T) {
	ns, key := start(t), lab.KMSKey()
	was := unsealed(t, ns, key)
	by := lab.EditSecret(t, ns, "db", func(s *corev1.Secret) { s.Immutable = new(true) })
	lab.Settle(t, ns)
	lab.Unchanged(t, by)
	decrypts(t, key, 1)

	lab.Replace(t, document(t, ns, map[string]string{"password": "new"}, key))
	lab.WaitReady(t, ns, "db")
	if got := lab.WaitData(t, ns, "db", map[string]string{"password": "new"}); got.UID == was.UID || got.Immutable != nil {
		t.Errorf("uid %s, was %s, immutable %v", got.UID, was.UID, got.Immutable)
	}
}

func TestSecretNameChanged(t *testing.T) {
	for _, c := range []struct {
		policy string
		stays  bool
	}{{"Delete", false}, {"Retain", true}} {
		t.Run(c.policy, func(t *testing.T) {
			ns := start(t)
			lab.Create(t, lab.MustSeal(t, controllertest.Secret{
				Namespace: ns, Name: "db", Data: values(), Reach: seal.Namespace, Spec: map[string]any{"deletionPolicy": c.policy},
			}))
			lab.WaitReady(t, ns, "db")
			old := lab.WaitData(t, ns, "db", values())
			lab.Update(t, ns, "db", func(o *unstructured.Unstructured) { setSpec(o, "secretName", "renamed") })
			s := lab.WaitReady(t, ns, "db")
			lab.WaitData(t, ns, "renamed", values())
			if s.Status.Secret.Name != "renamed" {
				t.Errorf("status %+v", s.Status)
			}
			if c.stays {
				lab.Settle(t, ns)
				lab.Unchanged(t, old)
				return
			}
			lab.WaitGone(t, ns, "db", old.UID)
			lab.WaitEvents(t, ns, "db", "Deleted", 1)
		})
	}
}

// The old Secret is needed until the new one is there.
func TestSecretNameChangedToOneThatIsTaken(t *testing.T) {
	ns := start(t)
	lab.Create(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "db2", Data: values(), Reach: seal.Namespace}))
	lab.WaitReady(t, ns, "db2")
	old := lab.MustSecret(t, ns, "db2")
	taken := theirs(t, ns)
	lab.Update(t, ns, "db2", func(o *unstructured.Unstructured) { setSpec(o, "secretName", "db") })
	lab.WaitReason(t, ns, "db2", "SecretNotOwned")
	lab.Settle(t, ns)
	lab.Unchanged(t, old)
	lab.Unchanged(t, taken)
}

func TestSuspendedIsLeftAlone(t *testing.T) {
	ns, key := start(t), lab.KMSKey()
	unsealed(t, ns, key)
	lab.Update(t, ns, "db", func(o *unstructured.Unstructured) { setSpec(o, "suspend", true) })
	s := lab.WaitReason(t, ns, "db", "Suspended")
	if s.Status.Secret == nil || s.Status.Conditions[0].Status != "True" {
		t.Errorf("status %+v", s.Status)
	}
	by := lab.EditSecret(t, ns, "db", func(s *corev1.Secret) { s.Data["password"] = []byte("by hand") })
	changed := document(t, ns, map[string]string{"password": "new"}, key)
	setSpec(changed, "suspend", true)
	lab.Replace(t, changed)
	lab.WaitReason(t, ns, "db", "Suspended")
	lab.Settle(t, ns)
	lab.Unchanged(t, by)
	decrypts(t, key, 1)

	lab.Update(t, ns, "db", func(o *unstructured.Unstructured) { setSpec(o, "suspend", nil) })
	lab.WaitReady(t, ns, "db")
	lab.WaitData(t, ns, "db", map[string]string{"password": "new"})
	decrypts(t, key, 2)
}

func TestSuspendedFromTheStartMakesNothing(t *testing.T) {
	ns, key := start(t), lab.KMSKey()
	o := document(t, ns, values(), key)
	setSpec(o, "suspend", true)
	lab.Create(t, o)
	s := lab.WaitReason(t, ns, "db", "Suspended")
	if s.Status.Conditions[0].Status != "False" {
		t.Errorf("status %+v", s.Status)
	}
	lab.Settle(t, ns)
	if got, err := lab.Secret(t.Context(), ns, "db"); err != nil || got != nil {
		t.Errorf("Secret %v, %v", got, err)
	}
	decrypts(t, key, 0)
}

func TestDeletionOfASuspendedDocumentDeletesTheSecret(t *testing.T) {
	ns := start(t)
	was := unsealed(t, ns)
	lab.Update(t, ns, "db", func(o *unstructured.Unstructured) { setSpec(o, "suspend", true) })
	lab.WaitReason(t, ns, "db", "Suspended")
	lab.Delete(t, controllertest.NewSealedSecret(ns, "db"))
	lab.WaitGone(t, ns, "db", was.UID)
}
