// SPDX-License-Identifier: Apache-2.0

package noadmission

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
)

// longName is a name that is too long for a field manager.
func longName() string { return strings.Repeat("long-", 40) + "name" }

// forge writes the status of a SealedSecret by hand; nil clears it.
func forge(t *testing.T, ns, name string, status *v1alpha1.SealedSecretStatus) {
	t.Helper()
	var fields map[string]any
	if status != nil {
		fields = map[string]any{
			"observedGeneration": status.ObservedGeneration, "conditions": status.Conditions, "secret": status.Secret,
			"key": status.Key, "policyDigest": status.PolicyDigest,
		}
	}
	patch, err := json.Marshal(map[string]any{"status": fields})
	if err != nil {
		t.Fatal(err)
	}
	o := controllertest.NewSealedSecret(ns, name)
	if err := lab.Admin.Status().Patch(t.Context(), o, client.RawPatch(types.MergePatchType, patch)); err != nil {
		t.Fatal(err)
	}
}

// wellStatus returns what the status of an object says when its Secret is as sealed,
// for the generation that it has now.
func wellStatus(t *testing.T, ns, name string, secret *corev1.Secret) *v1alpha1.SealedSecretStatus {
	t.Helper()
	o, err := lab.SealedSecret(t.Context(), ns, name)
	if err != nil {
		t.Fatal(err)
	}
	s := o.Status.DeepCopy()
	s.ObservedGeneration = o.Generation
	s.Conditions = []metav1.Condition{{
		Type: "Ready", Status: metav1.ConditionTrue, Reason: "Unsealed", Message: "forged",
		ObservedGeneration: o.Generation, LastTransitionTime: metav1.NewTime(time.Now().Truncate(time.Second)),
	}}
	s.Secret.Name, s.Secret.UID, s.Secret.ResourceVersion = secret.Name, secret.UID, secret.ResourceVersion
	return s
}

// forgery is a change to a status that says that an update was done; nil clears
// the status. held says that the update waits for the next one then.
type forgery struct {
	change func(s *v1alpha1.SealedSecretStatus, other *corev1.Secret)
	held   bool
}

// forgeries are statuses that say that an update was done. Those with enough of
// it right hold it back until the next one.
func forgeries() map[string]forgery {
	return map[string]forgery{
		"all-right":        {func(*v1alpha1.SealedSecretStatus, *corev1.Secret) {}, true},
		"resource-version": {func(s *v1alpha1.SealedSecretStatus, _ *corev1.Secret) { s.Secret.ResourceVersion = "1" }, true},
		"fields":           {func(s *v1alpha1.SealedSecretStatus, _ *corev1.Secret) { s.Secret.Fields = "0" }, true},
		"version-and-fields": {func(s *v1alpha1.SealedSecretStatus, _ *corev1.Secret) {
			s.Secret.ResourceVersion, s.Secret.Fields = "1", ""
		}, false},
		"uid":               {func(s *v1alpha1.SealedSecretStatus, other *corev1.Secret) { s.Secret.UID = other.UID }, false},
		"name":              {func(s *v1alpha1.SealedSecretStatus, other *corev1.Secret) { s.Secret.Name = other.Name }, false},
		"another-secret":    {func(s *v1alpha1.SealedSecretStatus, other *corev1.Secret) { *s.Secret = secretStatus(other) }, false},
		"no-secret":         {func(s *v1alpha1.SealedSecretStatus, _ *corev1.Secret) { s.Secret = nil }, false},
		"generation-before": {func(s *v1alpha1.SealedSecretStatus, _ *corev1.Secret) { s.ObservedGeneration-- }, false},
		"generation-ahead":  {func(s *v1alpha1.SealedSecretStatus, _ *corev1.Secret) { s.ObservedGeneration += 5 }, false},
		"policy":            {func(s *v1alpha1.SealedSecretStatus, _ *corev1.Secret) { s.PolicyDigest = "0" }, false},
		"not-ready":         {func(s *v1alpha1.SealedSecretStatus, _ *corev1.Secret) { s.Conditions[0].Status = "False" }, false},
		"other-reason":      {func(s *v1alpha1.SealedSecretStatus, _ *corev1.Secret) { s.Conditions[0].Reason = "Suspended" }, false},
		"no-condition":      {func(s *v1alpha1.SealedSecretStatus, _ *corev1.Secret) { s.Conditions = nil }, false},
		"cleared":           {nil, false},
		"stalled": {func(s *v1alpha1.SealedSecretStatus, _ *corev1.Secret) {
			stalled := s.Conditions[0]
			stalled.Type = "Stalled"
			s.Conditions[0].Status, s.Conditions[0].Reason = "False", "TamperedDocument"
			s.Conditions = append(s.Conditions, stalled)
		}, true},
	}
}

func secretStatus(s *corev1.Secret) v1alpha1.SecretStatus {
	return v1alpha1.SecretStatus{Name: s.Name, UID: s.UID, ResourceVersion: s.ResourceVersion}
}

// A status that is forged while an update is due holds it back, at most, and
// until the next one. Nothing comes into a Secret that was not sealed for it, and
// nothing goes.
func TestForgedStatusHoldsBackOneUpdateAtMost(t *testing.T) {
	t.Parallel()
	ns := lab.Namespace(t)
	c := start(t, ns)
	bystander := lab.Foreign(t, ns, "bystander", values{"a": "1"}, nil)
	document := func(name, password string) controllertest.Secret {
		return controllertest.Secret{Namespace: ns, Name: name, Data: values{"password": password}}
	}
	for name := range forgeries() {
		lab.Create(t, lab.MustSeal(t, document(name, "first")))
	}
	before := map[string]*corev1.Secret{}
	for name := range forgeries() {
		lab.WaitReady(t, ns, name)
		before[name] = lab.MustSecret(t, ns, name)
	}
	stop(t, c)
	for name, forgery := range forgeries() {
		lab.Replace(t, lab.MustSeal(t, document(name, "second")))
		if forgery.change == nil {
			forge(t, ns, name, nil)
			continue
		}
		s := wellStatus(t, ns, name, before[name])
		forgery.change(s, bystander)
		forge(t, ns, name, s)
	}
	c = start(t, ns)
	for name, forgery := range forgeries() {
		if !forgery.held {
			lab.WaitData(t, ns, name, values{"password": "second"})
			lab.WaitReady(t, ns, name)
		}
	}
	lab.Pass(t, ns)
	for name, forgery := range forgeries() {
		if forgery.held {
			lab.Unchanged(t, before[name])
		}
		lab.Replace(t, lab.MustSeal(t, document(name, "third")))
	}
	for name := range forgeries() {
		lab.WaitReady(t, ns, name)
		if s := lab.WaitData(t, ns, name, values{"password": "third"}); s.UID != before[name].UID {
			t.Errorf("Secret %s was made anew", name)
		}
	}
	lab.Unchanged(t, bystander)
	checkPolicyChange(t, ns, c)
}

// checkPolicyChange forges statuses anew, and starts the controller with another
// deny-list: every object is looked at, whatever its status says of the old one.
func checkPolicyChange(t *testing.T, ns string, c *controllertest.Controller) {
	stop(t, c)
	for name := range forgeries() {
		secret := lab.MustSecret(t, ns, name)
		lab.Replace(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: name, Data: values{"password": "fourth"}}))
		forge(t, ns, name, wellStatus(t, ns, name, secret))
	}
	start(t, ns, "--deny-types", "example.com/denied")
	for name := range forgeries() {
		lab.WaitData(t, ns, name, values{"password": "fourth"})
		lab.WaitReady(t, ns, name)
	}
}

// The name of the Secret has changed, and the status says that the new one is
// there: it is not, or it is somebody else's. What was written before stays.
func TestForgedStatusDeletesNothing(t *testing.T) {
	t.Parallel()
	ns := lab.Namespace(t)
	c := start(t, ns)
	document := func(name, secret string) controllertest.Secret {
		return controllertest.Secret{Namespace: ns, Name: secret, Data: values{"password": name}}
	}
	lab.Create(t, lab.MustSeal(t, document("other", "other")))
	for _, name := range []string{"owner", "missing"} {
		lab.Create(t, lab.MustSeal(t, document(name, name)))
	}
	lab.Foreign(t, ns, "app", values{"a": "1"}, map[string]string{"signet.dev/merge": "merge"})
	lab.Create(t, lab.MustSealAddition(t, document("merge", "app"), "merge"))
	for _, name := range []string{"other", "owner", "missing", "merge"} {
		lab.WaitReady(t, ns, name)
	}
	was := []*corev1.Secret{}
	for _, name := range []string{"other", "owner", "missing", "app"} {
		was = append(was, lab.MustSecret(t, ns, name))
	}
	stop(t, c)

	other := was[0]
	for _, name := range []string{"owner", "merge"} {
		o := controllertest.Named(lab.MustSeal(t, document(name, "other")), name)
		if name == "merge" {
			o = lab.MustSealAddition(t, document(name, "other"), name)
		}
		lab.Replace(t, o)
		forge(t, ns, name, wellStatus(t, ns, name, other))
	}
	lab.Replace(t, controllertest.Named(lab.MustSeal(t, document("missing", "other2")), "missing"))
	gone := other.DeepCopy()
	gone.Name = "other2"
	forge(t, ns, "missing", wellStatus(t, ns, "missing", gone))
	lab.Foreign(t, ns, "other2", values{"a": "1"}, nil)

	start(t, ns)
	for _, name := range []string{"owner", "merge", "missing"} {
		lab.WaitReason(t, ns, name, "SecretNotOwned")
	}
	lab.Pass(t, ns)
	for _, s := range was {
		lab.Unchanged(t, s)
	}
}

// Another allow-list concerns every object, also those whose status was forged.
// What was unsealed before stays.
func TestAnotherAllowListIsAskedAboutEveryObject(t *testing.T) {
	t.Parallel()
	ns := lab.Namespace(t)
	key, emergency := lab.KMSKey(), lab.KMSKey()
	c := start(t, ns)
	document := func(name, password string, key keys.Entry) controllertest.Secret {
		return controllertest.Secret{Namespace: ns, Name: name, Data: values{"password": password}, For: []keys.Entry{key}, Reach: seal.Namespace}
	}
	names := []string{"plain", "forged"}
	var was []*corev1.Secret
	for _, name := range names {
		lab.Create(t, lab.MustSeal(t, document(name, "first", key)))
		lab.WaitReady(t, ns, name)
		was = append(was, lab.MustSecret(t, ns, name))
	}
	stop(t, c)
	lab.Replace(t, lab.MustSeal(t, document("forged", "second", key)))
	forge(t, ns, "forged", wellStatus(t, ns, "forged", was[1]))
	calls := lab.Decrypts(key)

	c = start(t, ns, "--allow-keys", "kms="+emergency.ARN)
	for i, name := range names {
		lab.WaitReason(t, ns, name, "KeyNotAllowed")
		lab.Unchanged(t, was[i])
	}
	if n := lab.Decrypts(key); n != calls {
		t.Errorf("%d calls for a key that is not allowed", n-calls)
	}
	stop(t, c)
	start(t, ns)
	for _, name := range names {
		lab.WaitReady(t, ns, name)
	}
	lab.WaitData(t, ns, "forged", values{"password": "second"})
	lab.Unchanged(t, was[0])
}

// Who resets the managed fields of a Secret takes away how a change is noticed.
// Then every change of the Secret counts.
func TestDriftIsHealedWithoutManagedFields(t *testing.T) {
	t.Parallel()
	ns := lab.Namespace(t)
	start(t, ns)
	lab.Create(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "app", Data: values{"password": "sealed"}}))
	lab.WaitReady(t, ns, "app")
	for _, value := range []string{"b25l", "dHdv"} {
		patch := `{"metadata":{"managedFields":[{}]},"data":{"password":"` + value + `"}}`
		if err := lab.Admin.Patch(t.Context(), lab.MustSecret(t, ns, "app"), client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
			t.Fatal(err)
		}
		lab.WaitData(t, ns, "app", values{"password": "sealed"})
		lab.WaitReady(t, ns, "app")
	}
	lab.EditSecret(t, ns, "app", func(s *corev1.Secret) { s.Data["password"] = []byte("by hand") })
	lab.WaitData(t, ns, "app", values{"password": "sealed"})
}
