// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/internal/controllertest"
)

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// serverSide are the arguments with which a manager applies, and takes over what
// others manage.
func serverSide(manager string) []string {
	return []string{"apply", "--server-side", "--force-conflicts", "--field-manager=" + manager}
}

func live(t *testing.T, namespace string) *unstructured.Unstructured {
	t.Helper()
	o := controllertest.NewSealedSecret(namespace, "db")
	if err := lab.Admin.Get(t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
		t.Fatal(err)
	}
	return o
}

// Argo CD applies on the client's side, as kubectl does, until ServerSideApply is
// set; Flux takes over from kubectl. Documents change in between, and lose
// values. The Secret is as sealed each time, and the same object throughout.
func TestFromClientSideToServerSideApply(t *testing.T) {
	for _, manager := range []string{"argocd-controller", "kustomize-controller"} {
		t.Run(manager, func(t *testing.T) {
			ns := start(t)
			first, then := values()
			kubectl(t, document(t, ns, first, nil), "apply")
			was := unsealed(t, ns, first)
			if live(t, ns).GetAnnotations()[lastApplied] == "" {
				t.Fatal("kubectl did not apply on the client's side")
			}
			notApplied(t, was)

			kubectl(t, document(t, ns, then, nil), "apply")
			notApplied(t, unsealed(t, ns, then))

			kubectl(t, document(t, ns, first, nil), serverSide(manager)...)
			notApplied(t, unsealed(t, ns, first))

			retained := document(t, ns, then, map[string]any{"deletionPolicy": "Retain"})
			kubectl(t, retained, serverSide(manager)...)
			unsealed(t, ns, then)
			kubectl(t, document(t, ns, then, nil), serverSide(manager)...)
			now := unsealed(t, ns, then)
			if now.UID != was.UID {
				t.Error("the Secret was made anew")
			}
			if policy, found, _ := unstructured.NestedString(live(t, ns).Object, "spec", "deletionPolicy"); found && policy != "Delete" {
				t.Errorf("a field that is no longer applied stays: %s", policy)
			}
		})
	}
}

// notApplied checks that nothing of the SealedSecret's last-applied annotation
// is in the Secret: it would hold values twice.
func notApplied(t *testing.T, s *corev1.Secret) {
	t.Helper()
	if _, has := s.Annotations[lastApplied]; has || len(s.Annotations) != 2 || s.Labels["app"] != "db" {
		t.Errorf("labels %v, annotations %v", s.Labels, s.Annotations)
	}
}

// Both tools compare what they would apply with what is there, by a dry run of
// the apply. For a document that has not changed there must be no difference, or
// they would apply it, and show it as out of sync, for ever.
func TestNoDrift(t *testing.T) {
	ns := start(t)
	first, _ := values()
	o := document(t, ns, first, nil)
	kubectl(t, o, serverSide("kustomize-controller")...)
	secret := unsealed(t, ns, first)
	was := live(t, ns)
	var dry unstructured.Unstructured
	if err := dry.UnmarshalJSON(kubectl(t, o, append(serverSide("kustomize-controller"), "--dry-run=server", "--output=json")...)); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"spec", "metadata"} {
		a, _, _ := unstructured.NestedMap(was.Object, part)
		b, _, _ := unstructured.NestedMap(dry.Object, part)
		delete(a, "managedFields")
		delete(b, "managedFields")
		if !equality.Semantic.DeepEqual(a, b) {
			t.Errorf("%s: a dry run makes\n%v\nof\n%v", part, b, a)
		}
	}
	kubectl(t, o, serverSide("kustomize-controller")...)
	lab.Settle(t, ns)
	now := live(t, ns)
	if now.GetResourceVersion() != was.GetResourceVersion() || now.GetGeneration() != 1 {
		t.Errorf("applied again, the object was written: resource version %s, was %s; generation %d",
			now.GetResourceVersion(), was.GetResourceVersion(), now.GetGeneration())
	}
	// What was applied is there as it was: nothing is defaulted into it or pruned.
	want, _, _ := unstructured.NestedMap(o.Object, "spec", "sealed")
	got, _, _ := unstructured.NestedMap(now.Object, "spec", "sealed")
	if !equality.Semantic.DeepEqual(want, got) {
		t.Error("the envelope is not what was applied")
	}
	lab.Unchanged(t, secret)
}

// Two managers that apply two versions of a document never make a mixture of
// them: the envelope is one field.
func TestTwoAppliersDoNotMix(t *testing.T) {
	ns := start(t)
	reasons := lab.WatchReasons(t, ns, "db")
	first, then := values()
	a, b := document(t, ns, first, nil), document(t, ns, then, nil)
	for range 3 {
		kubectl(t, a, serverSide("argocd-controller")...)
		unsealed(t, ns, first)
		kubectl(t, b, serverSide("kustomize-controller")...)
		unsealed(t, ns, then)
	}
	if seen := reasons.Seen(); !slices.Equal(seen, []string{"Unsealed"}) {
		t.Errorf("reasons %v", seen)
	}
}
