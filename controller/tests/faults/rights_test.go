// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

// TestLeastPrivilege has the controller do everything that it does, and compares
// what it asked the API server for with the rights that the install manifests
// give it: none is missing, and none is too many.
func TestLeastPrivilege(t *testing.T) {
	p := &palette{t: t, ns: lab.Namespace(t)}
	granted := grantedRights(t)
	withoutLease(t) // it is to make one
	c := lab.RunController(t)
	p.own()
	p.replace()
	p.merge()
	p.sweep()
	p.sealingKey()
	settled := map[string]string{"password": "correct horse"}
	lab.Create(t, p.seal(controllertest.Secret{Name: "settled", Data: settled}))
	lab.WaitReady(t, p.ns, "settled")
	if err := c.Stop(); err != nil { // gives the Lease up
		t.Error(err)
	}
	// As on an API server that does not stream lists.
	old := lab.LaunchController(t, controllertest.Launch{
		Env: []string{"KUBE_FEATURE_WatchListClient=false"},
	})
	// It doesn't keep the document of what is settled, and has to read it again.
	lab.EditSecret(t, p.ns, "settled", func(s *corev1.Secret) { s.Data["password"] = []byte("by hand") })
	lab.WaitData(t, p.ns, "settled", settled)
	controllertest.Until(t, "every right is used, and no other", func(context.Context) error {
		if diff := cmp.Diff(granted, used(t, c, old)); diff != "" {
			return fmt.Errorf("(-granted +used)\n%s", diff)
		}
		return nil
	})
	for _, e := range append(requests(t, c), requests(t, old)...) {
		if e.ResponseStatus != nil && e.ResponseStatus.Code == 403 {
			t.Errorf("%s %s was refused: %s", e.Verb, e.RequestURI, e.ResponseStatus.Message)
		}
	}
}

// withoutLease takes away the Lease that an earlier test may have left.
func withoutLease(t *testing.T) {
	t.Helper()
	lease := &unstructured.Unstructured{}
	lease.SetAPIVersion("coordination.k8s.io/v1")
	lease.SetKind("Lease")
	lease.SetNamespace(controllertest.AccountNamespace)
	lease.SetName(leaseName)
	if err := lab.Admin.Delete(t.Context(), lease); client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
}

// used are the rights that controllers have made use of.
func used(t *testing.T, controllers ...*controllertest.Controller) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, c := range controllers {
		for _, e := range requests(t, c) {
			if r, ok := controllertest.RightOf(e); ok {
				found[r.String()] = true
			}
		}
	}
	return found
}

// grantedRights are those of the roles that are bound to the controller's
// account.
func grantedRights(t *testing.T) map[string]bool {
	t.Helper()
	api, err := kubernetes.NewForConfig(lab.Cluster.Admin())
	if err != nil {
		t.Fatal(err)
	}
	var rules []rbacv1.PolicyRule
	mine := func(s rbacv1.Subject) bool {
		return s.Kind == "ServiceAccount" && s.Namespace == controllertest.AccountNamespace && s.Name == controllertest.AccountName
	}
	clusterBindings, err := api.RbacV1().ClusterRoleBindings().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range clusterBindings.Items {
		if slices.ContainsFunc(b.Subjects, mine) {
			role, err := api.RbacV1().ClusterRoles().Get(t.Context(), b.RoleRef.Name, metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			rules = append(rules, role.Rules...)
		}
	}
	bindings, err := api.RbacV1().RoleBindings("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bindings.Items {
		if slices.ContainsFunc(b.Subjects, mine) {
			role, err := api.RbacV1().Roles(b.Namespace).Get(t.Context(), b.RoleRef.Name, metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			rules = append(rules, role.Rules...)
		}
	}
	found := map[string]bool{}
	for _, rule := range rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					found[controllertest.Right{Group: group, Resource: resource, Verb: verb}.String()] = true
				}
			}
		}
	}
	if len(found) == 0 {
		t.Fatal("the account has no rights")
	}
	return found
}

// palette is everything that a controller does.
type palette struct {
	t  *testing.T
	ns string
}

// seal makes a document, with another name than its Secret's if one is given.
func (p *palette) seal(s controllertest.Secret, name ...string) *unstructured.Unstructured {
	p.t.Helper()
	s.Namespace = p.ns
	o := lab.MustSeal(p.t, s)
	for _, n := range name {
		o = controllertest.Named(o, n)
	}
	return o
}

// own makes a Secret, heals it and gives it new values.
func (p *palette) own() {
	p.t.Helper()
	lab.Create(p.t, p.seal(controllertest.Secret{Name: "own", Data: map[string]string{"value": "first"}}))
	lab.WaitReady(p.t, p.ns, "own")
	lab.EditSecret(p.t, p.ns, "own", func(s *corev1.Secret) { s.Data["value"] = []byte("drift") })
	lab.WaitData(p.t, p.ns, "own", map[string]string{"value": "first"})
	lab.Replace(p.t, p.seal(controllertest.Secret{Name: "own", Data: map[string]string{"value": "second"}}))
	lab.WaitData(p.t, p.ns, "own", map[string]string{"value": "second"})
}

// replace takes a Secret over, and makes one anew for its type.
func (p *palette) replace() {
	p.t.Helper()
	lab.Create(p.t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: p.ns, Name: "adopted"}})
	lab.Create(p.t, p.seal(controllertest.Secret{Name: "adopted", Data: map[string]string{"password": "first"}}))
	lab.WaitReason(p.t, p.ns, "adopted", "SecretNotOwned")
	lab.EditSecret(p.t, p.ns, "adopted", func(s *corev1.Secret) {
		s.Annotations = map[string]string{"signet.dev/adopt": "adopted"}
		s.Labels = map[string]string{"signet.dev/managed": "true"} // so that it need not be polled
	})
	lab.WaitReady(p.t, p.ns, "adopted")
	lab.Replace(p.t, p.seal(controllertest.Secret{
		Name: "adopted", Type: string(corev1.SecretTypeBasicAuth), Data: map[string]string{"password": "second"},
	}))
	s := lab.WaitData(p.t, p.ns, "adopted", map[string]string{"password": "second"})
	if s.Type != corev1.SecretTypeBasicAuth {
		p.t.Errorf("type %s", s.Type)
	}
}

// merge adds to a Secret, and takes out again what was added.
func (p *palette) merge() {
	p.t.Helper()
	lab.Create(p.t, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.ns, Name: "shared", Annotations: map[string]string{"signet.dev/merge": "partner"}},
		Data:       map[string][]byte{"theirs": []byte("theirs")},
	})
	lab.Create(p.t, p.seal(controllertest.Secret{
		Name: "shared", Data: map[string]string{"ours": "ours"}, Spec: map[string]any{"creationPolicy": "Merge"},
	}, "partner"))
	lab.WaitData(p.t, p.ns, "shared", map[string]string{"theirs": "theirs", "ours": "ours"})
	lab.Delete(p.t, controllertest.NewSealedSecret(p.ns, "partner"))
	lab.WaitData(p.t, p.ns, "shared", map[string]string{"theirs": "theirs"})
}

// sweep gives a Secret another name. Copies that somebody has made of the old
// one go with it; their events are one series.
func (p *palette) sweep() {
	p.t.Helper()
	lab.Create(p.t, p.seal(controllertest.Secret{Name: "old", Data: map[string]string{"value": "same"}}))
	lab.WaitReady(p.t, p.ns, "old")
	old := lab.MustSecret(p.t, p.ns, "old")
	for i := range 2 {
		again := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
			Namespace: p.ns, Name: fmt.Sprintf("old-copy-%d", i),
			Labels: old.Labels, Annotations: old.Annotations, OwnerReferences: old.OwnerReferences,
		}}
		lab.Create(p.t, again)
	}
	lab.Replace(p.t, p.seal(controllertest.Secret{Name: "new", Data: map[string]string{"value": "same"}}, "old"))
	lab.WaitReady(p.t, p.ns, "old")
	for _, name := range []string{"old", "old-copy-0", "old-copy-1"} {
		controllertest.Until(p.t, "Secret "+name+" is gone", func(ctx context.Context) error {
			if s, err := lab.Secret(ctx, p.ns, name); err != nil || s != nil {
				return fmt.Errorf("it is there: %v", err)
			}
			return nil
		})
	}
}

// sealingKey opens a document with a SealingKey.
func (p *palette) sealingKey() {
	p.t.Helper()
	key, recipient, err := lab.SealingKey(p.t.Context(), p.ns, lab.KMS.CreateKey(kmstest.Key{}), p.ns)
	if err != nil {
		p.t.Fatal(err)
	}
	lab.Create(p.t, key)
	lab.Create(p.t, p.seal(controllertest.Secret{Name: "key", Data: map[string]string{"value": "key"}, For: []keys.Entry{recipient}}))
	lab.WaitReady(p.t, p.ns, "key")
}
