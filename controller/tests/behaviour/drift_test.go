// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"context"
	"fmt"
	"maps"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/signet-secrets/signet/internal/controllertest"
)

func TestDriftIsHealedOnce(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*corev1.Secret)
	}{
		{"value changed", func(s *corev1.Secret) { s.Data["password"] = []byte("by hand") }},
		{"value removed", func(s *corev1.Secret) { delete(s.Data, "password") }},
		{"key added", func(s *corev1.Secret) { s.Data["extra"] = []byte("by hand") }},
		{"all values removed", func(s *corev1.Secret) { s.Data = nil }},
		{"sealed label changed", func(s *corev1.Secret) { s.Labels["app"] = "by-hand" }},
		{"sealed annotation removed", func(s *corev1.Secret) { delete(s.Annotations, "example.com/team") }},
		{"mark removed", func(s *corev1.Secret) { delete(s.Labels, "signet.dev/managed") }},
		{"mark changed", func(s *corev1.Secret) { s.Labels["signet.dev/managed"] = "false" }},
		{"owner reference removed", func(s *corev1.Secret) { s.OwnerReferences = nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			ns, key := start(t), lab.KMSKey()
			lab.Create(t, lab.MustSeal(t, controllertest.Secret{
				Namespace: ns, Name: "db", Data: values(), For: one(key),
				Labels: map[string]string{"app": "db"}, Annotations: map[string]string{"example.com/team": "core"},
			}))
			lab.WaitReady(t, ns, "db")
			was := lab.WaitData(t, ns, "db", values())
			now := lab.EditSecret(t, ns, "db", c.change)
			controllertest.Until(t, "the Secret is as it was", func(ctx context.Context) error { return same(ctx, was, now) })
			lab.WaitReady(t, ns, "db")
			lab.WaitEvents(t, ns, "db", "Healed", 1)
			last := lab.MustSecret(t, ns, "db")
			lab.Settle(t, ns)
			lab.Unchanged(t, last)
			decrypts(t, key, 2)
		})
	}
}

// same tells in what a Secret differs from what it was before somebody changed it.
func same(ctx context.Context, was, changed *corev1.Secret) error {
	s, err := lab.Secret(ctx, was.Namespace, was.Name)
	switch {
	case err != nil:
		return err
	case s == nil || s.ResourceVersion == changed.ResourceVersion:
		return fmt.Errorf("nothing has happened")
	case !maps.EqualFunc(s.Data, was.Data, func(a, b []byte) bool { return string(a) == string(b) }):
		return fmt.Errorf("it has %d keys", len(s.Data))
	case !maps.Equal(s.Labels, was.Labels) || !maps.Equal(s.Annotations, was.Annotations):
		return fmt.Errorf("labels %v, annotations %v", s.Labels, s.Annotations)
	case len(s.OwnerReferences) != 1 || s.Immutable != nil:
		return fmt.Errorf("owners %v, immutable %v", s.OwnerReferences, s.Immutable)
	}
	return nil
}

func TestDeletedSecretIsMadeAnew(t *testing.T) {
	ns, key := start(t), lab.KMSKey()
	was := unsealed(t, ns, key)
	lab.Delete(t, was)
	lab.WaitGone(t, ns, "db", was.UID)
	now := lab.WaitData(t, ns, "db", values())
	lab.WaitEvents(t, ns, "db", "Healed", 1)
	controllertest.Until(t, "the status names the new one", func(ctx context.Context) error {
		s, err := lab.SealedSecret(ctx, ns, "db")
		if err == nil && s.Status.Secret.UID != now.UID {
			err = fmt.Errorf("status %+v", s.Status)
		}
		return err
	})
	lab.Settle(t, ns)
	lab.Unchanged(t, now)
	decrypts(t, key, 2)
}

func TestForeignMetadataIsKept(t *testing.T) {
	ns, key := start(t), lab.KMSKey()
	unsealed(t, ns, key)
	other := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "owner"}}
	lab.Create(t, other)
	was := lab.EditSecret(t, ns, "db", func(s *corev1.Secret) {
		s.Labels["example.com/theirs"] = "label"
		s.Annotations["example.com/theirs"] = "annotation"
		s.OwnerReferences = append(s.OwnerReferences, metav1.OwnerReference{
			APIVersion: "v1", Kind: "ConfigMap", Name: "owner", UID: other.UID, Controller: new(true),
		})
		s.Finalizers = []string{"example.com/theirs"}
	})
	lab.Settle(t, ns)
	kept := func(s *corev1.Secret) {
		t.Helper()
		if s.Labels["example.com/theirs"] != "label" || s.Annotations["example.com/theirs"] != "annotation" ||
			len(s.OwnerReferences) != 2 || len(s.Finalizers) != 1 {
			t.Errorf("Secret %+v", s.ObjectMeta)
		}
	}
	now := lab.MustSecret(t, ns, "db")
	kept(now)

	lab.Replace(t, document(t, ns, map[string]string{"password": "new"}, key))
	lab.WaitReady(t, ns, "db")
	now = lab.WaitData(t, ns, "db", map[string]string{"password": "new"})
	kept(now)
	if now.UID != was.UID {
		t.Error("another Secret")
	}
}

// Annotators, and the API server when it encrypts its storage anew, write to
// every Secret there is.
func TestChurnCostsNothing(t *testing.T) {
	ns, key := start(t), lab.KMSKey()
	unsealed(t, ns, key)
	var secret *corev1.Secret
	for i := range 5 {
		secret = lab.EditSecret(t, ns, "db", func(s *corev1.Secret) { s.Annotations["example.com/churn"] = fmt.Sprint(i) })
		lab.Update(t, ns, "db", func(o *unstructured.Unstructured) {
			o.SetAnnotations(map[string]string{"example.com/churn": fmt.Sprint(i)})
			o.SetLabels(map[string]string{"example.com/churn": fmt.Sprint(i)})
		})
	}
	s, err := lab.SealedSecret(t.Context(), ns, "db")
	if err != nil {
		t.Fatal(err)
	}
	lab.Settle(t, ns)
	lab.Unchanged(t, secret)
	now, err := lab.SealedSecret(t.Context(), ns, "db")
	if err != nil || now.ResourceVersion != s.ResourceVersion {
		t.Errorf("the SealedSecret was written: %v, %+v", err, now.Status)
	}
	decrypts(t, key, 1)
}

// Whoever moves a Secret to Signet seals the values that it has. They belong to
// the document all the same: others come and go without a key call, and the
// Secret can be made anew when its type changes.
func TestAdoptedValuesAreOurs(t *testing.T) {
	ns, key := start(t), lab.KMSKey()
	lab.Create(t, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: ns, Name: "db",
			Annotations: map[string]string{"signet.dev/adopt": "db"}, Labels: map[string]string{"example.com/theirs": "kept"},
		},
		StringData: values(),
	})
	lab.Create(t, document(t, ns, values(), key))
	lab.WaitReady(t, ns, "db")
	var secret *corev1.Secret
	for i := range 5 {
		secret = lab.EditSecret(t, ns, "db", func(s *corev1.Secret) { s.Annotations["example.com/churn"] = fmt.Sprint(i) })
	}
	lab.Settle(t, ns)
	lab.Unchanged(t, secret)
	decrypts(t, key, 1)

	lab.Replace(t, lab.MustSeal(t, controllertest.Secret{
		Namespace: ns, Name: "db", Data: values(), For: one(key), Type: "kubernetes.io/basic-auth",
	}))
	lab.WaitReady(t, ns, "db")
	anew := lab.WaitData(t, ns, "db", values())
	if anew.UID == secret.UID || anew.Type != "kubernetes.io/basic-auth" {
		t.Errorf("type %s, the same Secret: %v", anew.Type, anew.UID == secret.UID)
	}
	if anew.Labels["example.com/theirs"] != "kept" || anew.Annotations["example.com/churn"] != "4" {
		t.Errorf("metadata of others is gone: %v, %v", anew.Labels, anew.Annotations)
	}
}
