// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/seal"
)

// The tests in this file are about a user who may do everything with
// SealedSecrets in a namespace and nothing with Secrets.

// create makes an object as the user.
func create(t *testing.T, user client.Client, o client.Object) {
	t.Helper()
	if err := user.Create(t.Context(), o); err != nil {
		t.Fatalf("create %s as the user: %v", o.GetName(), err)
	}
}

func TestUserCannotReplaceASecret(t *testing.T) {
	key := lab.KMSKey()
	for _, test := range []struct {
		name        string
		annotations map[string]string
		secret      controllertest.Secret
		as          string // name of the SealedSecret, "" is that of the Secret
	}{
		{"by its name", nil, controllertest.Secret{}, ""},
		{"by secretName", nil, controllertest.Secret{}, "mine"},
		{"that consents to another", map[string]string{adoptMark: "other,mine2"}, controllertest.Secret{}, "mine"},
		{"that consents to an addition", map[string]string{mergeMark: "mine"}, controllertest.Secret{}, "mine"},
		{"with equal values", nil, controllertest.Secret{Data: values{"password": "hunter2"}}, "mine"},
		{"with another type", nil, controllertest.Secret{Type: "example.com/own"}, "mine"},
		{"with an immutable one", nil, controllertest.Secret{Immutable: true}, "mine"},
		{"and keep it", nil, controllertest.Secret{Spec: map[string]any{"deletionPolicy": "Retain"}}, "mine"},
		{"of another SealedSecret", map[string]string{ownerMark: "other"}, controllertest.Secret{}, "mine"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ns := namespace(t)
			user := mallory(t, ns)
			was := lab.Foreign(t, ns, "app", values{"password": "hunter2"}, test.annotations)
			s := test.secret
			s.Namespace, s.Name, s.For = ns, "app", keysOf(key)
			if s.Data == nil {
				s.Data = values{"password": "correct horse"}
			}
			o := lab.MustSeal(t, s)
			if test.as != "" {
				o = controllertest.Named(o, test.as)
			}
			create(t, user, o)
			lab.WaitReason(t, ns, o.GetName(), "SecretNotOwned")
			lab.Unchanged(t, was)
			if err := user.Delete(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			lab.Pass(t, ns)
			lab.Unchanged(t, was)
		})
	}
}

// Pods read Secrets whole (envFrom), so another key is as bad as another value.
func TestUserCannotAddToASecret(t *testing.T) {
	for _, test := range []struct {
		name        string
		annotations map[string]string
	}{
		{"without consent", nil},
		{"with consent to another", map[string]string{mergeMark: "other"}},
		{"with consent to being taken over", map[string]string{adoptMark: "mine"}},
		{"that belongs to another SealedSecret", map[string]string{ownerMark: "other"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ns := namespace(t)
			user := mallory(t, ns)
			was := lab.Foreign(t, ns, "app", values{"password": "hunter2"}, test.annotations)
			o := lab.MustSealAddition(t, controllertest.Secret{
				Namespace: ns, Name: "app", Data: values{"LD_PRELOAD": "/tmp/x.so"}, Labels: map[string]string{"a": "b"},
			}, "mine")
			create(t, user, o)
			lab.WaitReason(t, ns, "mine", "SecretNotOwned")
			lab.Unchanged(t, was)
			if err := user.Delete(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			lab.Pass(t, ns)
			lab.Unchanged(t, was)
		})
	}
}

// With consent to add, a claim to what somebody else has is refused by its name:
// right and wrong guesses can't be told apart, in nothing that anybody sees.
func TestUserCannotGuessValues(t *testing.T) {
	for _, test := range []struct {
		name         string
		right, wrong controllertest.Secret
	}{
		{"value", controllertest.Secret{Data: values{"password": "hunter2"}}, controllertest.Secret{Data: values{"password": "letmein"}}},
		{"label", controllertest.Secret{Data: values{"x": "y"}, Labels: map[string]string{"team": "payments"}},
			controllertest.Secret{Data: values{"x": "y"}, Labels: map[string]string{"team": "research"}}},
		{"annotation", controllertest.Secret{Data: values{"x": "y"}, Annotations: map[string]string{mergeMark: "mine"}},
			controllertest.Secret{Data: values{"x": "y"}, Annotations: map[string]string{mergeMark: "mine,other"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ns := namespace(t)
			user := mallory(t, ns)
			was := lab.Foreign(t, ns, "app", values{"password": "hunter2"}, map[string]string{mergeMark: "mine"})
			outcome := func(s controllertest.Secret) string {
				t.Helper()
				s.Namespace, s.Name = ns, "app"
				o := lab.MustSealAddition(t, s, "mine")
				create(t, user, o)
				text := message(t, ns, "mine", "KeyConflict")
				lab.Unchanged(t, was)
				if err := user.Delete(t.Context(), o); err != nil {
					t.Fatal(err)
				}
				return text
			}
			if right, wrong := outcome(test.right), outcome(test.wrong); right != wrong {
				t.Errorf("right guess: %q, wrong guess: %q", right, wrong)
			}
		})
	}
}

// Without managed fields nothing says whose the keys are.
func TestUserCannotClaimKeysOfASecretWithoutManagedFields(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	user := mallory(t, ns)
	was := lab.Foreign(t, ns, "app", values{"password": "hunter2"}, map[string]string{mergeMark: "mine"})
	reset := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"managedFields":[{}]}}`))
	if err := lab.Admin.Patch(t.Context(), was, reset); err != nil {
		t.Fatal(err)
	}
	was = lab.MustSecret(t, ns, "app")
	if len(was.ManagedFields) != 0 {
		t.Fatalf("managed fields %v, want none", was.ManagedFields)
	}
	for _, guess := range []string{"hunter2", "letmein"} {
		o := addition(t, ns, "mine", "app", values{"password": guess})
		create(t, user, o)
		lab.WaitReason(t, ns, "mine", "KeyConflict")
		lab.Unchanged(t, was)
		if err := user.Delete(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUserCannotMergeWhatDoesNotFit(t *testing.T) {
	for _, test := range []struct {
		name   string
		secret controllertest.Secret
		target corev1.SecretType // "" is Opaque
		lock   bool
	}{
		{"another type", controllertest.Secret{Type: "example.com/own"}, "", false},
		{"immutable Secret", controllertest.Secret{}, "", true},
		{"token", controllertest.Secret{}, corev1.SecretTypeBootstrapToken, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ns := namespace(t)
			user := mallory(t, ns)
			was := lab.Foreign(t, ns, "app", values{"password": "hunter2"}, map[string]string{mergeMark: "mine"})
			if test.lock {
				lab.EditSecret(t, ns, "app", func(s *corev1.Secret) { s.Immutable = new(true) })
				was = lab.MustSecret(t, ns, "app")
			}
			if test.target != "" {
				lab.Delete(t, was)
				was = &corev1.Secret{Type: test.target, ObjectMeta: metav1.ObjectMeta{
					Namespace: ns, Name: "app", Annotations: map[string]string{mergeMark: "mine"},
				}}
				lab.Create(t, was)
				was = lab.MustSecret(t, ns, "app")
			}
			s := test.secret
			s.Namespace, s.Name, s.Data = ns, "app", values{"ours": "2"}
			create(t, user, lab.MustSealAddition(t, s, "mine"))
			lab.WaitReason(t, ns, "mine", "SecretIncompatible")
			lab.Pass(t, ns)
			lab.Unchanged(t, was)
		})
	}
}

// Every Secret that the user's documents name is somebody else's, and there are
// some of every kind.
func TestUserCannotReachOthersByDeleting(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	user := mallory(t, ns)
	lab.Create(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "theirs", Data: values{"a": "1"}}))
	owned := lab.WaitReady(t, ns, "theirs")
	was := []*corev1.Secret{lab.MustSecret(t, ns, "theirs"), lab.Foreign(t, ns, "plain", values{"a": "1"}, nil)}
	for _, s := range was {
		for _, policy := range []string{"Owner", "Merge"} {
			o := lab.MustSeal(t, controllertest.Secret{
				Namespace: ns, Name: s.Name, Data: values{"a": "1"}, Spec: map[string]any{"creationPolicy": policy},
			})
			o = controllertest.Named(o, "mine-"+strings.ToLower(policy)+"-"+s.Name)
			// A claim to belong to the other object, too.
			o.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "signet.dev/v1alpha1", Kind: "SealedSecret", Name: "theirs", UID: owned.UID}})
			o.SetLabels(map[string]string{managed: "true"})
			o.SetAnnotations(map[string]string{ownerMark: s.Name, adoptMark: s.Name, mergeMark: s.Name})
			create(t, user, o)
			lab.WaitReason(t, ns, o.GetName(), "SecretNotOwned")
			if err := user.Delete(t.Context(), o, client.PropagationPolicy(metav1.DeletePropagationForeground)); err != nil {
				t.Fatal(err)
			}
		}
	}
	lab.Pass(t, ns)
	for _, s := range was {
		lab.Unchanged(t, s)
	}
}

// An owner reference of ours without the annotation makes no Secret ours.
func TestOwnerReferencesProveNothing(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	user := mallory(t, ns)
	for _, policy := range []string{"Owner", "Merge"} {
		name := "mine-" + strings.ToLower(policy)
		o := lab.MustSeal(t, controllertest.Secret{
			Namespace: ns, Name: name, Data: values{"a": "1"}, Spec: map[string]any{"creationPolicy": policy, "suspend": true},
		})
		create(t, user, o)
		was := lab.Foreign(t, ns, name, values{"password": "hunter2"}, nil)
		was.OwnerReferences = []metav1.OwnerReference{{APIVersion: "signet.dev/v1alpha1", Kind: "SealedSecret", Name: name, UID: o.GetUID()}}
		was.Labels[managed] = "true"
		if err := lab.Admin.Update(t.Context(), was); err != nil {
			t.Fatal(err)
		}
		was = lab.MustSecret(t, ns, name)
		lab.Update(t, ns, name, func(o *unstructured.Unstructured) { unstructured.RemoveNestedField(o.Object, "spec", "suspend") })
		lab.WaitReason(t, ns, name, "SecretNotOwned")
		// Another name: what is left behind under the old one is not ours to remove.
		again := lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: name + "-new", Data: values{"a": "1"}})
		lab.Replace(t, controllertest.Named(again, name))
		lab.WaitReady(t, ns, name)
		lab.Pass(t, ns)
		lab.Unchanged(t, was)
	}
}

// A document that is copied to a namespace that the user controls is refused at
// once, whatever it is to become there.
func TestCopyIsRefusedAtAdmission(t *testing.T) {
	t.Parallel()
	victim, ns := lab.Namespace(t), namespace(t)
	user := mallory(t, ns)
	lab.Pass(t, ns)
	for _, test := range []struct {
		name    string
		reach   seal.Reach
		policy  string
		refused bool
	}{
		{"strict", seal.Strict, "Owner", true},
		{"namespace", seal.Namespace, "Owner", true},
		{"addition", seal.Namespace, "Merge", true},
		{"cluster", seal.Cluster, "Owner", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := lab.MustSeal(t, controllertest.Secret{
				Namespace: victim, Name: test.name, Data: values{"a": "1"}, Reach: test.reach, Spec: map[string]any{"creationPolicy": test.policy},
			})
			o.SetNamespace(ns)
			err := user.Create(t.Context(), o)
			if !test.refused {
				if err != nil {
					t.Fatal(err)
				}
				lab.WaitData(t, ns, test.name, values{"a": "1"})
				return
			}
			if err == nil || !strings.Contains(err.Error(), "was not sealed for "+ns+"/"+test.name) {
				t.Errorf("error %v, want a refusal that names the place", err)
			}
		})
	}
}

// What may not come out doesn't go in either: the API server refuses the types
// and the marks by which the document would be given more.
func TestUserCannotSmuggleMarks(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	user := mallory(t, ns)
	lab.Pass(t, ns)
	for _, test := range []struct {
		name                string
		kind                string
		labels, annotations map[string]string
	}{
		{name: "adopt", annotations: map[string]string{adoptMark: "mine"}},
		{name: "owner", annotations: map[string]string{ownerMark: "other"}},
		{name: "label", labels: map[string]string{managed: "false"}},
		{name: "merge as a label", labels: map[string]string{mergeMark: "mine"}},
		{name: "tracking of Argo CD", annotations: map[string]string{"argocd.argoproj.io/tracking-id": "app:/Secret:x/y"}},
		{name: "Helm", labels: map[string]string{"app.kubernetes.io/managed-by": "Helm"}},
		{name: "service account token", kind: "kubernetes.io/service-account-token"},
		{name: "bootstrap token", kind: "bootstrap.kubernetes.io/token"},
		{name: "Helm release", kind: "helm.sh/release.v1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := lab.MustSealUnchecked(t, controllertest.Secret{
				Namespace: ns, Name: "mine", Data: values{"a": "1"}, Type: test.kind, Labels: test.labels, Annotations: test.annotations,
			})
			controllertest.Until(t, "the document is refused", func(ctx context.Context) error {
				if err := user.Create(ctx, o.DeepCopy()); err != nil && strings.Contains(err.Error(), "spec.sealed") {
					return nil
				}
				_ = user.Delete(ctx, o.DeepCopy())
				return errAccepted
			})
			if s, err := lab.Secret(t.Context(), ns, "mine"); s != nil || err != nil {
				t.Errorf("Secret %v, error %v", s, err)
			}
		})
	}
}
