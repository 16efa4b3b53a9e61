// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"context"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/internal/controllertest"
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

// waitKey waits until a SealingKey has Ready with a reason.
func waitKey(t *testing.T, name, reason string) {
	t.Helper()
	controllertest.Until(t, "SealingKey becomes "+reason, func(ctx context.Context) error {
		k := &v1alpha1.SealingKey{}
		err := lab.Admin.Get(ctx, client.ObjectKey{Name: name}, k)
		if err != nil {
			return err
		}
		ready := meta.FindStatusCondition(k.Status.Conditions, "Ready")
		if ready == nil || ready.Reason != reason || k.Status.ObservedGeneration != k.Generation {
			return fmt.Errorf("generation %d, status %+v", k.Generation, k.Status)
		}
		return nil
	})
}

// namespaces changes what a SealingKey is for.
func namespaces(t *testing.T, name string, list ...any) {
	t.Helper()
	controllertest.Until(t, "change the SealingKey", func(ctx context.Context) error {
		o := &unstructured.Unstructured{}
		o.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("SealingKey"))
		if err := lab.Admin.Get(ctx, client.ObjectKey{Name: name}, o); err != nil {
			return err
		}
		o.Object["spec"].(map[string]any)["namespaces"] = list
		return lab.Admin.Update(ctx, o)
	})
}

func TestOneKeyCallForManyDocuments(t *testing.T) {
	ns, key := start(t), lab.KMSKey()
	o, recipient := sealingKey(t, ns, key)
	lab.Create(t, o)
	waitKey(t, ns, "Closed")
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
	waitKey(t, ns, "Opened")
	decrypts(t, key, 1)
}

func TestSealingKeyAppearsLater(t *testing.T) {
	ns, key := start(t), lab.KMSKey()
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
	ns, key := start(t), lab.KMSKey()
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
	unchanged(t, was)

	lab.Create(t, again)
	lab.WaitReady(t, ns, "db")
	lab.Settle(t, ns)
	unchanged(t, was)
	lab.WaitEvents(t, ns, "db", "Healed", 0)
}

func TestSealingKeyRestricted(t *testing.T) {
	ns, key := start(t), lab.KMSKey()
	o, recipient := sealingKey(t, ns, key)
	lab.Create(t, o)
	was := unsealed(t, ns, recipient)

	namespaces(t, ns, "elsewhere", ns)
	lab.Settle(t, ns)
	lab.WaitReady(t, ns, "db")
	lab.WaitEvents(t, ns, "db", "Healed", 0)
	lab.WaitEvents(t, ns, "db", "Updated", 0)
	unchanged(t, was)

	namespaces(t, ns, "elsewhere")
	s := lab.WaitReason(t, ns, "db", "KeyNotAllowed")
	if !meta.IsStatusConditionTrue(s.Status.Conditions, "Stalled") {
		t.Errorf("conditions %+v", s.Status.Conditions)
	}
	calls := lab.Decrypts(key)
	poke(t, ns)
	lab.Settle(t, ns)
	unchanged(t, was)
	decrypts(t, key, calls)

	namespaces(t, ns, "*")
	lab.WaitReady(t, ns, "db")
	lab.Settle(t, ns)
	unchanged(t, was)
}
