// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"context"
	"fmt"
	"testing"
	"time"

	"filippo.io/age"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

func TestUndecryptableKeepsTheSecret(t *testing.T) {
	stranger, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	lost, denied := lab.KMSKey(), lab.KMSKey()
	for _, c := range []struct {
		name   string
		key    keys.Entry
		reason string
		begin  func() // after sealing
	}{
		{"no identity", keys.AgeEntry{Recipient: stranger.Recipient().String()}, "KeyUnavailable", func() {}},
		{"key is gone", lost, "KeyUnavailable", func() { lab.KMS.SetState(lost.ARN, kmstest.Deleted) }},
		{"access denied", denied, "KeyAccessDenied", func() { lab.KMS.Deny(kmstest.Denial{KeyARN: denied.ARN}) }},
		{"key of another account", keys.KMSEntry{ARN: lab.KMS.CreateKey(kmstest.Key{Account: "444455556666"})}, "KeyNotAllowed", func() {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ns := start(t)
			was := unsealed(t, ns)
			broken := document(t, ns, map[string]string{"password": "new"}, c.key)
			c.begin()
			lab.Replace(t, broken)
			s := lab.WaitReason(t, ns, "db", c.reason)
			if s.Status.Secret == nil || s.Status.Secret.UID != was.UID {
				t.Errorf("status %+v", s.Status)
			}
			if stalled := meta.IsStatusConditionTrue(s.Status.Conditions, "Stalled"); stalled != (c.reason == "KeyNotAllowed") {
				t.Errorf("conditions %+v", s.Status.Conditions)
			}
			lab.Settle(t, ns)
			lab.Unchanged(t, was)

			lab.Replace(t, document(t, ns, map[string]string{"password": "newer"}))
			lab.WaitReady(t, ns, "db")
			lab.WaitData(t, ns, "db", map[string]string{"password": "newer"})
		})
	}
}

func TestTamperedStallsUntilCorrected(t *testing.T) {
	ns, key := start(t), lab.KMSKey()
	was := unsealed(t, ns, key)
	tampered := document(t, ns, map[string]string{"password": "new"}, key)
	if err := unstructured.SetNestedStringMap(tampered.Object, map[string]string{"app": "leaky"}, "spec", "sealed", "labels"); err != nil {
		t.Fatal(err)
	}
	lab.Replace(t, tampered)
	s := lab.WaitReason(t, ns, "db", "TamperedDocument")
	if !meta.IsStatusConditionTrue(s.Status.Conditions, "Stalled") {
		t.Errorf("conditions %+v", s.Status.Conditions)
	}
	calls := lab.Decrypts(key)
	poke(t, ns)
	lab.Settle(t, ns)
	lab.Unchanged(t, was)
	decrypts(t, key, calls)

	lab.Replace(t, document(t, ns, map[string]string{"password": "newer"}, key))
	s = lab.WaitReady(t, ns, "db")
	lab.WaitData(t, ns, "db", map[string]string{"password": "newer"})
	if meta.FindStatusCondition(s.Status.Conditions, "Stalled") != nil {
		t.Errorf("conditions %+v", s.Status.Conditions)
	}
}

// The controller that counts what is used doesn't run here, so what it would
// write is written by hand; the API server refuses by that.
func TestQuotaIsWaitedFor(t *testing.T) {
	ns := start(t)
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "few"}}
	quota.Spec.Hard = corev1.ResourceList{corev1.ResourceSecrets: resource.MustParse("0")}
	lab.Create(t, quota)
	setQuota(t, quota, "0")
	controllertest.Until(t, "the quota takes effect", func(ctx context.Context) error {
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, GenerateName: "probe-"}}
		if err := lab.Admin.Create(ctx, s, client.DryRunAll); !apierrors.IsForbidden(err) {
			return fmt.Errorf("not refused: %v", err)
		}
		return nil
	})
	lab.Create(t, document(t, ns, values()))
	s := lab.WaitReason(t, ns, "db", "QuotaExceeded")
	if meta.IsStatusConditionTrue(s.Status.Conditions, "Stalled") {
		t.Errorf("conditions %+v", s.Status.Conditions)
	}
	setQuota(t, quota, "5")
	lab.WaitReady(t, ns, "db")
	lab.WaitData(t, ns, "db", values())
}

// setQuota allows a namespace a number of Secrets.
func setQuota(t *testing.T, quota *corev1.ResourceQuota, n string) {
	t.Helper()
	hard := corev1.ResourceList{corev1.ResourceSecrets: resource.MustParse(n)}
	quota.Spec.Hard = hard
	if err := lab.Admin.Update(t.Context(), quota); err != nil {
		t.Fatal(err)
	}
	quota.Status.Hard, quota.Status.Used = hard, corev1.ResourceList{corev1.ResourceSecrets: resource.MustParse("0")}
	if err := lab.Admin.Status().Update(t.Context(), quota); err != nil {
		t.Fatal(err)
	}
}

// Every write of somebody else makes the controller's a conflict.
func TestStatusIsRightWhileOthersWrite(t *testing.T) {
	ns := start(t)
	unsealed(t, ns)
	stop, done := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		defer func() { done <- n }()
		often := time.Tick(5 * time.Millisecond)
		for {
			select {
			case <-stop:
				return
			case <-often:
			}
			patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"example.com/n":"%d"}}}`, n)
			if lab.Admin.Patch(t.Context(), controllertest.NewSealedSecret(ns, "db"), client.RawPatch("application/merge-patch+json", patch)) == nil {
				n++
			}
		}
	}()
	last := ""
	for i := range 10 {
		last = fmt.Sprint("number ", i)
		lab.Replace(t, document(t, ns, map[string]string{"password": last}))
		lab.WaitData(t, ns, "db", map[string]string{"password": last})
	}
	lab.WaitReady(t, ns, "db") // while they still write
	close(stop)
	n := <-done
	lab.Settle(t, ns)
	s := lab.WaitReady(t, ns, "db")
	got := lab.WaitData(t, ns, "db", map[string]string{"password": last})
	if s.Status.Secret.ResourceVersion != got.ResourceVersion || s.Status.Secret.UID != got.UID {
		t.Errorf("after %d writes: status %+v, Secret %+v", n, s.Status, got.ObjectMeta)
	}
	if n < 20 {
		t.Errorf("only %d writes: they prove nothing", n)
	}
}

// The schema sees this before the controller does.
func TestOtherSecretNameThanTheSealedOneIsRefused(t *testing.T) {
	ns := start(t)
	unsealed(t, ns)
	o := document(t, ns, values())
	o.SetName("other")
	unstructured.RemoveNestedField(o.Object, "spec", "secretName") // so it would be the name of the object
	if err := lab.Admin.Create(t.Context(), o); !apierrors.IsInvalid(err) && !apierrors.IsForbidden(err) {
		t.Errorf("created: %v", err)
	}
	now := controllertest.NewSealedSecret(ns, "db")
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"secretName":"other"}}`))
	if err := lab.Admin.Patch(t.Context(), now, patch); !apierrors.IsInvalid(err) && !apierrors.IsForbidden(err) {
		t.Errorf("changed: %v", err)
	}
}
