// SPDX-License-Identifier: Apache-2.0

package security

import (
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/seal/keys"
)

func keysOf(entries ...keys.Entry) []keys.Entry { return entries }

// gaps notes when a Secret is without one of some keys, from now on and until
// the test ends.
type gaps struct {
	mu      sync.Mutex
	missing map[string]bool
}

func (g *gaps) seen() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var found []string
	for key := range g.missing {
		found = append(found, key)
	}
	return found
}

func watchKeys(t *testing.T, ns, secret string, always ...string) *gaps {
	t.Helper()
	c, err := client.NewWithWatch(lab.Cluster.Admin(), client.Options{Scheme: lab.Admin.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	w, err := c.Watch(t.Context(), &corev1.SecretList{}, client.InNamespace(ns))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	g := &gaps{missing: map[string]bool{}}
	go func() {
		for e := range w.ResultChan() {
			s, ok := e.Object.(*corev1.Secret)
			if !ok || s.Name != secret {
				continue
			}
			for _, key := range always {
				if _, found := s.Data[key]; !found {
					g.mu.Lock()
					g.missing[key] = true
					g.mu.Unlock()
				}
			}
		}
	}()
	return g
}

// The Secret belongs to a SealedSecret, which consents under seal. Neither takes
// away what the other has, not for a moment, and they don't take turns.
func TestMergeIntoTheSecretOfASealedSecret(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	owner := controllertest.Secret{
		Namespace: ns, Name: "app", Data: values{"theirs": "1"}, Annotations: map[string]string{mergeMark: "extra"},
	}
	lab.Create(t, lab.MustSeal(t, owner))
	lab.WaitReady(t, ns, "app")
	lab.Create(t, addition(t, ns, "extra", "app", values{"ours": "2"}))
	lab.WaitReady(t, ns, "extra")
	lab.WaitData(t, ns, "app", values{"theirs": "1", "ours": "2"})
	resting(t, ns, "app", "app", "extra")

	g := watchKeys(t, ns, "app", "theirs", "ours")
	owner.Data = values{"theirs": "3", "second": "4", "empty": ""}
	lab.Replace(t, lab.MustSeal(t, owner))
	lab.WaitReady(t, ns, "app")
	lab.WaitData(t, ns, "app", values{"theirs": "3", "second": "4", "empty": "", "ours": "2"})
	resting(t, ns, "app", "app", "extra")
	if missing := g.seen(); len(missing) > 0 {
		t.Errorf("the Secret was without %q for a moment", missing)
	}

	// A key that nobody may add still goes.
	lab.EditSecret(t, ns, "app", func(s *corev1.Secret) { s.Data["foreign"] = []byte("x") })
	lab.WaitData(t, ns, "app", values{"theirs": "3", "second": "4", "empty": "", "ours": "2"})

	lab.Delete(t, controllertest.NewSealedSecret(ns, "extra"))
	lab.WaitData(t, ns, "app", values{"theirs": "3", "second": "4", "empty": ""})
	resting(t, ns, "app", "app")
}

// What a document wrote as the owner it takes out again like anything that it
// has added.
func TestOwnerBecomesMerge(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	lab.Create(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "app", Data: values{"a": "1", "b": "2"}}))
	was := lab.WaitReady(t, ns, "app")
	lab.Replace(t, addition(t, ns, "app", "app", values{"a": "1", "b": "2"}))
	lab.WaitReason(t, ns, "app", "SecretNotOwned")
	annotate(t, ns, "app", map[string]string{mergeMark: "app"})
	g := watchKeys(t, ns, "app", "a")
	lab.WaitReady(t, ns, "app")
	now := lab.WaitData(t, ns, "app", values{"a": "1", "b": "2"})
	if now.UID != was.Status.Secret.UID || now.Annotations[ownerMark] != "" || len(now.OwnerReferences) != 0 {
		t.Errorf("the Secret still belongs to the document: %+v", now.ObjectMeta)
	}
	lab.Replace(t, lab.MustSealAddition(t, controllertest.Secret{Namespace: ns, Name: "app", Data: values{"a": "1"}}, "app"))
	lab.WaitReady(t, ns, "app")
	lab.WaitData(t, ns, "app", values{"a": "1"})
	if missing := g.seen(); len(missing) > 0 {
		t.Errorf("the Secret was without %q for a moment", missing)
	}
	lab.Delete(t, controllertest.NewSealedSecret(ns, "app"))
	if left := lab.WaitData(t, ns, "app", values{}); left.UID != now.UID {
		t.Error("the Secret was made anew")
	}
}

// A document that has added to a Secret takes it over when that consents, and
// what it had added doesn't go for a moment.
func TestMergeBecomesOwner(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	lab.Foreign(t, ns, "app", values{"theirs": "1"}, map[string]string{mergeMark: "app"})
	lab.Create(t, addition(t, ns, "app", "app", values{"ours": "2"}))
	lab.WaitReady(t, ns, "app")
	g := watchKeys(t, ns, "app", "ours")
	lab.Replace(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "app", Data: values{"ours": "2"}}))
	lab.WaitReason(t, ns, "app", "SecretNotOwned")
	lab.WaitData(t, ns, "app", values{"theirs": "1", "ours": "2"})
	now := annotate(t, ns, "app", map[string]string{adoptMark: "app"})
	lab.WaitReady(t, ns, "app")
	lab.WaitData(t, ns, "app", values{"ours": "2"})
	resting(t, ns, "app", "app")
	if missing := g.seen(); len(missing) > 0 {
		t.Errorf("the Secret was without %q for a moment", missing)
	}
	if s := lab.MustSecret(t, ns, "app"); s.UID != now.UID || s.Annotations[ownerMark] != "app" || s.Annotations[adoptMark] != "" {
		t.Errorf("Secret %+v", s.ObjectMeta)
	}

	// Retained, it keeps what was added once.
	lab.Update(t, ns, "app", func(o *unstructured.Unstructured) { controllertest.Set(t, o, "Retain", "spec", "deletionPolicy") })
	lab.WaitReady(t, ns, "app")
	kept := lab.WaitData(t, ns, "app", values{"ours": "2"})
	lab.Delete(t, controllertest.NewSealedSecret(ns, "app"))
	lab.Pass(t, ns)
	lab.Unchanged(t, kept)
}
