// SPDX-License-Identifier: Apache-2.0

package noadmission

import (
	"encoding/json"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

// away makes a key of the KMS one that doesn't work for now.
func away(t *testing.T, key keys.KMSEntry) (back func()) {
	t.Helper()
	lab.KMS.SetState(key.ARN, kmstest.Disabled)
	return func() { lab.KMS.SetState(key.ARN, kmstest.Enabled) }
}

// movable are documents of a namespace that move from one Secret to another.
type movable struct {
	t   *testing.T
	ns  string
	key keys.KMSEntry
}

func (m movable) seal(name, secret, value string, spec map[string]any) *unstructured.Unstructured {
	m.t.Helper()
	return controllertest.Named(lab.MustSeal(m.t, controllertest.Secret{
		Namespace: m.ns, Name: secret, Data: values{name: value}, For: []keys.Entry{m.key}, Spec: spec,
	}), name)
}

// addition is seal for a document that adds to a Secret.
func (m movable) addition(name, secret, value string) *unstructured.Unstructured {
	m.t.Helper()
	return m.seal(name, secret, value, map[string]any{"creationPolicy": "Merge"})
}

// Ready and Stalled, with a reason of either: neither says that the Secret that the
// document names now is there.
func TestForgedReadyAndStalledDeletesNothing(t *testing.T) {
	t.Parallel()
	m := movable{t, lab.Namespace(t), lab.KMSKey()}
	c := start(t, m.ns)
	reasons := map[string]string{"unsealed": "Unsealed", "tampered": "TamperedDocument", "none": "Forged"}
	for _, app := range []string{"app", "app2"} {
		lab.Foreign(t, m.ns, app, values{"theirs": "1"}, map[string]string{"signet.dev/merge": "merge-unsealed,merge-tampered,merge-none"})
	}
	for name := range reasons {
		lab.Create(t, m.seal(name, name, "1", nil))
		lab.Create(t, m.addition("merge-"+name, "app", "1"))
	}
	for name := range reasons {
		lab.WaitReady(t, m.ns, name)
		lab.WaitReady(t, m.ns, "merge-"+name)
	}
	was := []*corev1.Secret{lab.MustSecret(t, m.ns, "app")}
	for name := range reasons {
		was = append(was, lab.MustSecret(t, m.ns, name))
	}
	stop(t, c)

	for name, reason := range reasons {
		lab.Replace(t, m.seal(name, name+"-new", "2", nil))
		lab.Replace(t, m.addition("merge-"+name, "app2", "2"))
		for document, secret := range map[string]string{name: name, "merge-" + name: "app"} {
			s := wellStatus(t, m.ns, document, lab.MustSecret(t, m.ns, secret))
			stalled := s.Conditions[0]
			stalled.Type, stalled.Reason = "Stalled", reason
			s.Conditions = append(s.Conditions, stalled)
			forge(t, m.ns, document, s)
		}
	}
	back := away(t, m.key)
	start(t, m.ns)
	lab.Pass(t, m.ns)
	for _, s := range was {
		lab.Unchanged(t, s)
	}
	back()
	for name := range reasons {
		lab.WaitReady(t, m.ns, name)
		lab.WaitReady(t, m.ns, "merge-"+name)
	}
	for _, s := range was[1:] {
		lab.WaitGone(t, m.ns, s.Name, s.UID)
	}
	lab.WaitData(t, m.ns, "app", values{"theirs": "1"})
}

// The status says that the Secret that the document names is as sealed. There is
// one, and it is the document's, but it was kept from an earlier generation.
func TestForgedStatusOfAFormerSecretDeletesNothing(t *testing.T) {
	t.Parallel()
	m := movable{t, lab.Namespace(t), lab.KMSKey()}
	c := start(t, m.ns)
	lab.Create(t, m.seal("db", "former", "1", map[string]any{"deletionPolicy": "Retain"}))
	lab.WaitReady(t, m.ns, "db")
	lab.Replace(t, m.seal("db", "db", "2", nil))
	lab.WaitReady(t, m.ns, "db")
	former, now := lab.MustSecret(t, m.ns, "former"), lab.MustSecret(t, m.ns, "db")
	stop(t, c)

	lab.Replace(t, m.seal("db", "former", "3", nil))
	forge(t, m.ns, "db", wellStatus(t, m.ns, "db", former))
	back := away(t, m.key)
	start(t, m.ns)
	lab.WaitReason(t, m.ns, "db", "KeyUnavailable")
	lab.Pass(t, m.ns)
	lab.Unchanged(t, former)
	lab.Unchanged(t, now)
	back()
	lab.WaitReady(t, m.ns, "db")
	lab.WaitData(t, m.ns, "former", values{"db": "3"})
	lab.WaitGone(t, m.ns, "db", now.UID)
}

// leave puts what a controller leaves in other Secrets if it ends after the status
// was written: the Secret of before, and what was merged before.
func (m movable) leave(owner, merge string) (old *corev1.Secret) {
	m.t.Helper()
	s := lab.MustSecret(m.t, m.ns, owner)
	old = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: m.ns, Name: "old", Labels: s.Labels, Annotations: s.Annotations, OwnerReferences: s.OwnerReferences,
	}}
	lab.Create(m.t, old)
	lab.Foreign(m.t, m.ns, "app-old", values{"theirs": "1"}, map[string]string{"signet.dev/merge": merge})
	patch, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Secret", "data": map[string]any{merge: "MQ=="},
		"metadata": map[string]any{"name": "app-old", "labels": map[string]any{"signet.dev/managed": "true"}},
	})
	if err != nil {
		m.t.Fatal(err)
	}
	app := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: m.ns, Name: "app-old"}}
	if err := lab.Admin.Patch(m.t.Context(), app, client.RawPatch(types.ApplyPatchType, patch), client.FieldOwner("signet:"+merge)); err != nil {
		m.t.Fatal(err)
	}
	return old
}

// A controller was killed after the status was written and before what is elsewhere
// was taken away. The next one does that, after it has found out for itself that
// the Secrets are as sealed, which costs a key call each, and only this time.
func TestWhatWasLeftIsTakenAwayAfterARestart(t *testing.T) {
	t.Parallel()
	m := movable{t, lab.Namespace(t), lab.KMSKey()}
	c := start(t, m.ns)
	lab.Foreign(t, m.ns, "app", values{"theirs": "1"}, map[string]string{"signet.dev/merge": "merge"})
	lab.Create(t, m.seal("owner", "owner", "1", nil))
	lab.Create(t, m.addition("merge", "app", "1"))
	lab.WaitReady(t, m.ns, "merge")
	status := map[string]*v1alpha1.SealedSecret{"owner": lab.WaitReady(t, m.ns, "owner"), "merge": lab.WaitReady(t, m.ns, "merge")}
	was := []*corev1.Secret{lab.MustSecret(t, m.ns, "owner"), lab.MustSecret(t, m.ns, "app")}
	stop(t, c)
	old := m.leave("owner", "merge")
	calls := lab.Decrypts(m.key)

	c = start(t, m.ns)
	lab.WaitGone(t, m.ns, "old", old.UID)
	lab.WaitData(t, m.ns, "app-old", values{"theirs": "1"})
	if n := lab.Decrypts(m.key) - calls; n != 2 {
		t.Errorf("%d key calls, want one for each document", n)
	}
	lab.Pass(t, m.ns)
	stop(t, c)
	start(t, m.ns)
	lab.Pass(t, m.ns)
	for _, s := range was {
		lab.Unchanged(t, s)
	}
	for name, before := range status {
		if now := lab.WaitReady(t, m.ns, name); now.ResourceVersion != before.ResourceVersion {
			t.Errorf("the status of %s was written", name)
		}
	}
	if n := lab.Decrypts(m.key) - calls; n != 2 {
		t.Errorf("%d key calls after one more restart, want no more", n)
	}
}
