// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/internal/controllertest"
)

// The user has the values of somebody else's document come out in a Secret of
// their own, beside a key, a label and an annotation that they choose, by which
// other programs would carry the values away. The document was not sealed to be
// added to the Secret of somebody else.
func TestUserCannotLureADocumentIntoAnotherSecret(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	user := mallory(t, ns)
	victim := lab.MustSeal(t, controllertest.Secret{
		Namespace: ns, Name: "db", Data: values{"password": "correct horse"}, Labels: map[string]string{"app": "db"},
	})
	lab.Create(t, victim.DeepCopy())
	lab.WaitReady(t, ns, "db")
	if err := user.Delete(t.Context(), controllertest.NewSealedSecret(ns, "db"), client.PropagationPolicy(metav1.DeletePropagationOrphan)); err != nil {
		t.Fatal(err)
	}
	controllertest.Until(t, "the SealedSecret is gone", func(ctx context.Context) error {
		err := user.Get(ctx, client.ObjectKey{Namespace: ns, Name: "db"}, controllertest.NewSealedSecret(ns, "db"))
		if err == nil {
			return errors.New("is there")
		}
		return client.IgnoreNotFound(err)
	})
	create(t, user, lab.MustSeal(t, controllertest.Secret{
		Namespace: ns, Name: "db", Data: values{"DB_HOST": "evil.example.com"}, Labels: map[string]string{"mine": "yes"},
		Annotations: map[string]string{mergeMark: "theirs", "replicator.example.com/replicate-to": "mallory"},
	}))
	lab.WaitReady(t, ns, "db")
	for _, test := range []struct {
		name, says string
		edit       func(*unstructured.Unstructured)
	}{
		{"as it is", "seal it with --merge", func(*unstructured.Unstructured) {}},
		{"with a mark that is false", "seal it with --merge", func(o *unstructured.Unstructured) { controllertest.Set(t, o, false, "spec", "sealed", "merge") }},
		{"with a mark that is text", "spec.sealed.merge", func(o *unstructured.Unstructured) { controllertest.Set(t, o, "true", "spec", "sealed", "merge") }},
	} {
		o := lured(t, victim)
		test.edit(o)
		if err := user.Create(t.Context(), o); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want a refusal that says %q", test.name, err, test.says)
		}
	}
	// The API server can't tell that this mark is not under the seal.
	forged := lured(t, victim)
	controllertest.Set(t, forged, true, "spec", "sealed", "merge")
	create(t, user, forged)
	lab.WaitReason(t, ns, "theirs", "TamperedDocument")
	lab.Pass(t, ns)
	lab.WaitData(t, ns, "db", values{"DB_HOST": "evil.example.com"})
}

// lured returns somebody's document as the user applies it again.
func lured(t *testing.T, victim *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	o := controllertest.Named(victim.DeepCopy(), "theirs")
	controllertest.Set(t, o, "Merge", "spec", "creationPolicy")
	return o
}

// The other way round: what was sealed to be added does not become a Secret of
// its own, and a document can't change from one to the other by its policy.
func TestUserCannotMakeASecretOfAnAddition(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	user := mallory(t, ns)
	for name, edit := range map[string]func(*unstructured.Unstructured){
		"owner":     func(o *unstructured.Unstructured) { controllertest.Set(t, o, "Owner", "spec", "creationPolicy") },
		"no policy": func(o *unstructured.Unstructured) { unstructured.RemoveNestedField(o.Object, "spec", "creationPolicy") },
	} {
		o := addition(t, ns, "extra", "app", values{"password": "correct horse"})
		edit(o)
		if err := user.Create(t.Context(), o); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "seal it without --merge") {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
	}
	unmarked := addition(t, ns, "extra", "app", values{"password": "correct horse"})
	unstructured.RemoveNestedField(unmarked.Object, "spec", "creationPolicy")
	unstructured.RemoveNestedField(unmarked.Object, "spec", "sealed", "merge")
	create(t, user, unmarked)
	lab.WaitReason(t, ns, "extra", "TamperedDocument")
	if s, err := lab.Secret(t.Context(), ns, "app"); s != nil || err != nil {
		t.Errorf("Secret %v, error %v, want none", s, err)
	}
}
