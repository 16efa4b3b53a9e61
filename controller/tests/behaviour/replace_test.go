// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/internal/controllertest"
)

// This is what `kubectl replace --force` and Argo CD's Replace=true do. The
// garbage collector is after the Secret of the first object while the second is
// there already.
func TestDeletedAndCreatedAgainAtOnce(t *testing.T) {
	ns := start(t)
	reasons := lab.WatchReasons(t, ns, "db")
	unsealed(t, ns)
	for i := range 5 {
		data := map[string]string{"password": fmt.Sprint("number ", i)}
		next := document(t, ns, data)
		begin := time.Now()
		lab.Delete(t, controllertest.NewSealedSecret(ns, "db"))
		lab.Create(t, next)
		lab.WaitReady(t, ns, "db")
		lab.WaitData(t, ns, "db", data)
		controllertest.UntilWithin(t, 5*time.Second, "the Secret belongs to the new object", func(ctx context.Context) error {
			return belongs(ctx, next, data)
		})
		t.Logf("round %d took %v", i, time.Since(begin))
	}
	lab.Settle(t, ns)
	last, err := lab.SealedSecret(t.Context(), ns, "db")
	if err != nil {
		t.Fatal(err)
	}
	if err := belongs(t.Context(), last, map[string]string{"password": "number 4"}); err != nil {
		t.Error(err)
	}
	if seen := reasons.Seen(); !slices.Equal(seen, []string{"Unsealed"}) {
		t.Errorf("reasons %v", seen)
	}
}

// belongs tells why there is no Secret called db of an object with the values.
func belongs(ctx context.Context, o client.Object, data map[string]string) error {
	s, err := lab.Secret(ctx, o.GetNamespace(), "db")
	switch {
	case err != nil:
		return err
	case s == nil || s.DeletionTimestamp != nil:
		return fmt.Errorf("there is none")
	case len(s.OwnerReferences) != 1 || s.OwnerReferences[0].UID != o.GetUID():
		return fmt.Errorf("owner %+v, want uid %s", s.OwnerReferences, o.GetUID())
	case string(s.Data["password"]) != data["password"]:
		return fmt.Errorf("another value")
	}
	return nil
}

func TestDeletionDeletesTheSecret(t *testing.T) {
	for _, how := range []metav1.DeletionPropagation{metav1.DeletePropagationBackground, metav1.DeletePropagationForeground} {
		t.Run(string(how), func(t *testing.T) {
			ns := start(t)
			was := unsealed(t, ns)
			lab.Delete(t, controllertest.NewSealedSecret(ns, "db"), client.PropagationPolicy(how))
			lab.WaitGone(t, ns, "db", was.UID)
			lab.Settle(t, ns)
			if s, err := lab.Secret(t.Context(), ns, "db"); err != nil || s != nil {
				t.Errorf("Secret %v, %v", s, err)
			}
		})
	}
}

func TestRetainedSecretStays(t *testing.T) {
	ns := start(t)
	o := document(t, ns, values())
	setSpec(o, "deletionPolicy", "Retain")
	lab.Create(t, o)
	lab.WaitReady(t, ns, "db")
	was := lab.WaitData(t, ns, "db", values())
	if len(was.OwnerReferences) != 0 {
		t.Errorf("owner references %+v", was.OwnerReferences)
	}
	lab.Delete(t, o)
	lab.Settle(t, ns)
	lab.Unchanged(t, was)
}

func TestOrphanedSecretIsTakenAgain(t *testing.T) {
	ns := start(t)
	reasons := lab.WatchReasons(t, ns, "db")
	was := unsealed(t, ns)
	o := controllertest.NewSealedSecret(ns, "db")
	lab.Delete(t, o, client.PropagationPolicy(metav1.DeletePropagationOrphan))
	controllertest.Until(t, "the object goes", func(ctx context.Context) error {
		if err := lab.Admin.Get(ctx, client.ObjectKeyFromObject(o), o); !apierrors.IsNotFound(err) {
			return fmt.Errorf("it is there: %v", err)
		}
		return nil
	})
	lab.Settle(t, ns)
	orphan := lab.MustSecret(t, ns, "db")
	if orphan.UID != was.UID || len(orphan.OwnerReferences) != 0 {
		t.Fatalf("Secret %+v", orphan.ObjectMeta)
	}
	next := document(t, ns, map[string]string{"password": "new"})
	lab.Create(t, next)
	lab.WaitReady(t, ns, "db")
	got := lab.WaitData(t, ns, "db", map[string]string{"password": "new"})
	if got.UID != was.UID || len(got.OwnerReferences) != 1 || got.OwnerReferences[0].UID != next.GetUID() {
		t.Errorf("Secret %+v", got.ObjectMeta)
	}
	if seen := reasons.Seen(); !slices.Equal(seen, []string{"Unsealed"}) {
		t.Errorf("reasons %v", seen)
	}
}

func TestSecondClaimWaitsForTheFirst(t *testing.T) {
	ns := start(t)
	was := unsealed(t, ns)
	second := map[string]string{"password": "of the second"}
	lab.Create(t, controllertest.Named(document(t, ns, second), "second"))
	lab.WaitReason(t, ns, "second", "SecretNotOwned")
	lab.Settle(t, ns)
	lab.Unchanged(t, was)
	lab.WaitReady(t, ns, "db")

	lab.Delete(t, controllertest.NewSealedSecret(ns, "db"))
	controllertest.UntilWithin(t, 30*time.Second, "the second has it", func(ctx context.Context) error { // and not after the poll
		s, err := lab.Secret(ctx, ns, "db")
		if err == nil && (s == nil || string(s.Data["password"]) != second["password"]) {
			err = fmt.Errorf("Secret %v", s)
		}
		return err
	})
	lab.WaitReady(t, ns, "second")
	got := lab.WaitData(t, ns, "db", second)
	if got.Annotations["signet.dev/sealed-secret"] != "second" || got.UID == was.UID {
		t.Errorf("Secret %+v", got.ObjectMeta)
	}
}

func TestNamespaceDeletedAndCreatedAgain(t *testing.T) {
	ns := start(t)
	unsealed(t, ns)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}
	lab.Delete(t, namespace)
	controllertest.Until(t, "the namespace goes", func(ctx context.Context) error {
		if err := lab.Admin.Get(ctx, client.ObjectKeyFromObject(namespace), namespace); !apierrors.IsNotFound(err) {
			return fmt.Errorf("it is there: %v", err)
		}
		return nil
	})
	lab.Create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
	reasons := lab.WatchReasons(t, ns, "db")
	unsealed(t, ns)
	if seen := reasons.Seen(); !slices.Equal(seen, []string{"Unsealed"}) {
		t.Errorf("reasons %v", seen)
	}
}

// Writing fails in a namespace that is going; that is neither a reason to end
// nor one to try without pause.
func TestTerminatingNamespace(t *testing.T) {
	ns, beside := start(t), lab.Namespace(t)
	was := unsealed(t, ns)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}
	reasons := lab.WatchReasons(t, ns, "db")
	lab.Delete(t, namespace)
	lab.Delete(t, was) // it is some seconds before anything else is deleted
	lab.WaitReason(t, ns, "db", "NamespaceTerminating")
	controllertest.Until(t, "the namespace goes", func(ctx context.Context) error {
		if err := lab.Admin.Get(ctx, client.ObjectKeyFromObject(namespace), namespace); !apierrors.IsNotFound(err) {
			return fmt.Errorf("it is there: %v", err)
		}
		return nil
	})
	lab.Settle(t, beside)
	before := controllerLog(t, ns)
	lab.Settle(t, beside)
	if now := controllerLog(t, ns); now != before || len(now) > 4000 {
		t.Errorf("the log goes on about %s:\n%s", ns, now)
	}
	if seen := reasons.Seen(); !slices.Equal(seen, []string{"Unsealed", "NamespaceTerminating"}) &&
		!slices.Equal(seen, []string{"NamespaceTerminating"}) {
		t.Errorf("reasons %v", seen)
	}
}

func controllerLog(t *testing.T, word string) string {
	t.Helper()
	return lab.Controller(t).LogAbout(word)
}

// A hash stands for a name of this length where field managers are recorded.
func TestNamesTooLongForAFieldManager(t *testing.T) {
	ns := start(t)
	name := fmt.Sprintf("%0200d", 7)
	sealed := func(name, secret string, data map[string]string, spec map[string]any) *unstructured.Unstructured {
		return controllertest.Named(lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: secret, Data: data, Spec: spec}), name)
	}
	lab.Create(t, sealed(name, name, values(), nil))
	lab.WaitReady(t, ns, name)
	lab.WaitData(t, ns, name, values())
	lab.Replace(t, sealed(name, name, map[string]string{"password": "new"}, nil))
	lab.WaitReady(t, ns, name)
	was := lab.WaitData(t, ns, name, map[string]string{"password": "new"})
	lab.EditSecret(t, ns, name, func(s *corev1.Secret) { s.Data["password"] = []byte("by hand") })
	lab.WaitData(t, ns, name, map[string]string{"password": "new"})
	lab.Delete(t, controllertest.NewSealedSecret(ns, name))
	lab.WaitGone(t, ns, name, was.UID)

	merging := name + "m"
	target := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "target", Annotations: map[string]string{"signet.dev/merge": merging}},
		Data:       map[string][]byte{"theirs": []byte("stays")},
	}
	lab.Create(t, target)
	lab.Create(t, sealed(merging, "target", map[string]string{"ours": "added"}, map[string]any{"creationPolicy": "Merge"}))
	lab.WaitReady(t, ns, merging)
	lab.WaitData(t, ns, "target", map[string]string{"theirs": "stays", "ours": "added"})
	lab.Delete(t, controllertest.NewSealedSecret(ns, merging))
	if got := lab.WaitData(t, ns, "target", map[string]string{"theirs": "stays"}); got.UID != target.UID {
		t.Error("another Secret")
	}
}
