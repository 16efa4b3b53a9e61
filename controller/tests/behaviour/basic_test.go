// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/signet-secrets/signet/internal/controllertest"
)

func TestSecretIsMadeAsSealed(t *testing.T) {
	ns, key := start(t), lab.KMSKey()
	lab.Create(t, lab.MustSeal(t, controllertest.Secret{
		Namespace: ns, Name: "db", Data: values(), Type: "kubernetes.io/basic-auth", For: one(key),
		Labels: map[string]string{"app": "db"}, Annotations: map[string]string{"example.com/team": "core"},
	}))
	s := lab.WaitReady(t, ns, "db")
	got := lab.WaitData(t, ns, "db", values())
	if got.Labels["app"] != "db" || got.Annotations["example.com/team"] != "core" || got.Type != "kubernetes.io/basic-auth" || got.Immutable != nil {
		t.Errorf("Secret %+v, type %s, immutable %v", got.ObjectMeta, got.Type, got.Immutable)
	}
	if got.Labels["signet.dev/managed"] != "true" || got.Annotations["signet.dev/sealed-secret"] != "db" {
		t.Errorf("marks: labels %v, annotations %v", got.Labels, got.Annotations)
	}
	if s.Status.Secret.UID != got.UID || s.Status.Secret.ResourceVersion != got.ResourceVersion || s.Status.Key != "kms:"+key.ARN {
		t.Errorf("status %+v", s.Status)
	}
	if meta.FindStatusCondition(s.Status.Conditions, "Stalled") != nil {
		t.Errorf("conditions %+v", s.Status.Conditions)
	}
	lab.Settle(t, ns)
	lab.Unchanged(t, got)
	decrypts(t, key, 1)
}

// An owner reference that claims to be the controller keeps others from being
// it, and one that blocks deletion needs rights on finalizers.
func TestOwnerReferenceIsModest(t *testing.T) {
	ns := start(t)
	s := unsealed(t, ns)
	if len(s.OwnerReferences) != 1 {
		t.Fatalf("owner references %+v", s.OwnerReferences)
	}
	o := s.OwnerReferences[0]
	if o.Kind != "SealedSecret" || o.Name != "db" || o.Controller != nil || o.BlockOwnerDeletion != nil {
		t.Errorf("owner reference %+v", o)
	}
}
