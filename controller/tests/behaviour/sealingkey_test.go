// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

// sealingKey makes a SealingKey named after a namespace, which it serves.
func sealingKey(t *testing.T, namespace string, key keys.KMSEntry) (*unstructured.Unstructured, keys.Entry) {
	t.Helper()
	o, recipient, err := lab.SealingKey(t.Context(), namespace, key.ARN, namespace)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lab.Admin.Delete(context.WithoutCancel(t.Context()), o) })
	return o, recipient
}

// namespaces changes what a SealingKey is for.
func namespaces(t *testing.T, name string, list ...any) {
	t.Helper()
	editSpec(t, name, func(spec map[string]any) { spec["namespaces"] = list })
}

// editSpec changes the spec of a SealingKey.
func editSpec(t *testing.T, name string, change func(spec map[string]any)) {
	t.Helper()
	controllertest.Until(t, "change the SealingKey", func(ctx context.Context) error {
		o := &unstructured.Unstructured{}
		o.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("SealingKey"))
		if err := lab.Admin.Get(ctx, client.ObjectKey{Name: name}, o); err != nil {
			return err
		}
		change(o.Object["spec"].(map[string]any))
		return lab.Admin.Update(ctx, o)
	})
}

func TestOneKeyCallForManyDocuments(t *testing.T) {
	ns, key := alone(t), lab.KMSKey()
	o, recipient := sealingKey(t, ns, key)
	lab.Create(t, o)
	lab.WaitKeyReason(t, ns, "Closed")
	const n = 20
	name := func(i int) string { return fmt.Sprintf("db-%d", i) }
	for i := range n {
		lab.Create(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: name(i), Data: values(), For: one(recipient)}))
	}
	for i := range n {
		s := lab.WaitReady(t, ns, name(i))
		if s.Status.Key != "SealingKey/"+ns {
			t.Errorf("key %q", s.Status.Key)
		}
		lab.WaitData(t, ns, name(i), values())
	}
	lab.WaitKeyReason(t, ns, "Opened")
	decrypts(t, key, 1)
}

func TestSealingKeyAppearsLater(t *testing.T) {
	ns, key := alone(t), lab.KMSKey()
	o, recipient := sealingKey(t, ns, key)
	lab.Create(t, document(t, ns, values(), recipient))
	lab.WaitReason(t, ns, "db", "KeyUnavailable")
	lab.Create(t, o)
	lab.WaitReady(t, ns, "db")
	lab.WaitData(t, ns, "db", values())
	lab.Settle(t, ns)
	lab.WaitEvents(t, ns, "db", "KeyUnavailable", 1)
	lab.WaitEvents(t, ns, "db", "Unsealed", 1)
}

// What a SealingKey does or doesn't open any more is known at once, and the last
// good Secret stays.
func TestSealingKeyDeleted(t *testing.T) {
	ns, key := alone(t), lab.KMSKey()
	o, recipient := sealingKey(t, ns, key)
	again := o.DeepCopy()
	lab.Create(t, o)
	was := unsealed(t, ns, recipient)
	lab.Delete(t, o)
	s := lab.WaitReason(t, ns, "db", "KeyUnavailable")
	if meta.IsStatusConditionTrue(s.Status.Conditions, "Stalled") {
		t.Errorf("conditions %+v", s.Status.Conditions)
	}
	lab.Settle(t, ns)
	lab.Unchanged(t, was)

	lab.Create(t, again)
	lab.WaitReady(t, ns, "db")
	lab.Settle(t, ns)
	lab.Unchanged(t, was)
	lab.WaitEvents(t, ns, "db", "Healed", 0)
}

func TestSealingKeyRestricted(t *testing.T) {
	ns, key := alone(t), lab.KMSKey()
	o, recipient := sealingKey(t, ns, key)
	lab.Create(t, o)
	was := unsealed(t, ns, recipient)

	namespaces(t, ns, "elsewhere", ns)
	lab.Settle(t, ns)
	lab.WaitReady(t, ns, "db")
	lab.WaitEvents(t, ns, "db", "Healed", 0)
	lab.WaitEvents(t, ns, "db", "Updated", 0)
	lab.Unchanged(t, was)

	namespaces(t, ns, "elsewhere")
	s := lab.WaitReason(t, ns, "db", "KeyNotAllowed")
	if !meta.IsStatusConditionTrue(s.Status.Conditions, "Stalled") {
		t.Errorf("conditions %+v", s.Status.Conditions)
	}
	calls := lab.Decrypts(key)
	poke(t, ns)
	lab.Settle(t, ns)
	lab.Unchanged(t, was)
	decrypts(t, key, calls)

	namespaces(t, ns, "*")
	lab.WaitReady(t, ns, "db")
	lab.Settle(t, ns)
	lab.Unchanged(t, was)
}

// wrappedBy changes the entry by which KMS opens an object, which nothing
// authenticates.
func wrappedBy(t *testing.T, o *unstructured.Unstructured, field, value string) {
	t.Helper()
	path := []string{"spec", "sealed", "sops", "kms"}
	entries, found, err := unstructured.NestedSlice(o.Object, path...)
	if err != nil || !found {
		t.Fatalf("found %v, error %v", found, err)
	}
	entries[0].(map[string]any)[field] = value
	if err := unstructured.SetNestedSlice(o.Object, entries, path...); err != nil {
		t.Fatal(err)
	}
}

// Whatever an object is Stalled for, a SealingKey that comes later may open it.
// This one does, and finds out more.
func TestSealingKeyHasWhatIsStalledTriedAgain(t *testing.T) {
	ns, key := alone(t), lab.KMSKey()
	o, recipient := sealingKey(t, ns, key)
	broken := lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "db", Data: values(), For: []keys.Entry{key, recipient}})
	wrappedBy(t, broken, "enc", "bm90IHdyYXBwZWQ=")
	lab.Create(t, broken)
	s := lab.WaitReason(t, ns, "db", "TamperedDocument")
	stalled := meta.FindStatusCondition(s.Status.Conditions, "Stalled")
	if stalled == nil || strings.Contains(stalled.Message, "binding") {
		t.Fatalf("conditions %+v", s.Status.Conditions)
	}
	lab.Create(t, o)
	controllertest.Until(t, "the document is opened with the SealingKey", func(ctx context.Context) error {
		s, err := lab.SealedSecret(ctx, ns, "db")
		if err != nil {
			return err
		}
		ready := meta.FindStatusCondition(s.Status.Conditions, "Ready")
		if ready == nil || !strings.Contains(ready.Message, "spec.sealed.signet.binding: does not match") {
			return fmt.Errorf("conditions %+v", s.Status.Conditions)
		}
		return nil
	})
}

// A SealingKey that is wrapped anew has the same name, recipient and namespaces,
// and opens what the old one could not.
func TestSealingKeyWrappedAnew(t *testing.T) {
	ns, key := alone(t), lab.KMSKey()
	o, recipient := sealingKey(t, ns, key)
	denied := o.DeepCopy()
	wrappedBy(t, denied, "arn", lab.KMS.CreateKey(kmstest.Key{Account: "444455556666"}))
	lab.Create(t, denied)
	lab.Create(t, document(t, ns, values(), recipient))
	s := lab.WaitReason(t, ns, "db", "KeyNotAllowed")
	if !meta.IsStatusConditionTrue(s.Status.Conditions, "Stalled") {
		t.Errorf("conditions %+v", s.Status.Conditions)
	}
	editSpec(t, ns, func(spec map[string]any) { spec["sealed"] = o.Object["spec"].(map[string]any)["sealed"] })
	lab.WaitReady(t, ns, "db")
	lab.WaitData(t, ns, "db", values())
}
