// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

// perKind is how many documents there are of each kind: with a KMS key of their
// own, and with a SealingKey.
const perKind = 10

// outage is a cluster with documents that are unsealed, whose next versions need
// the KMS, each for itself or by way of a SealingKey that no process has opened.
type outage struct {
	t          *testing.T
	front      *front
	controller *controllertest.Controller
	namespace  string
	other      string // a namespace that the controller serves too
	arn        string
	sealingKey string
	next       []*unstructured.Unstructured
	before     map[string]version
}

func newOutage(t *testing.T, args ...string) *outage {
	o := &outage{t: t, front: newFront(t), namespace: lab.Namespace(t), other: lab.Namespace(t), arn: lab.KMS.CreateKey(kmstest.Key{})}
	o.sealingKey = o.namespace
	key, recipient, err := lab.SealingKey(t.Context(), o.sealingKey, o.arn, o.namespace)
	if err != nil {
		t.Fatal(err)
	}
	o.controller = lab.LaunchController(t, controllertest.Launch{Args: alone(args, o.namespace, o.other), Env: o.front.env()})
	createAll(t, lab, 2*perKind, func(i int) controllertest.Secret { return o.secret(i, "before", nil) })
	waitAll(t, lab, controllertest.Patience, o.namespace, "")
	for i := range 2 * perKind {
		entry := recipient
		if i < perKind {
			entry = keys.KMSEntry{ARN: o.arn}
		}
		o.next = append(o.next, lab.MustSeal(t, o.secret(i, "after", entry)))
	}
	lab.Create(t, key)
	o.before = versions(t, lab, o.namespace)
	lab.KMS.ResetCounts()
	t.Cleanup(func() {
		lab.KMS.SetFaults(kmstest.Faults{})
		lab.KMS.AllowAll()
	})
	return o
}

func (o *outage) secret(i int, value string, entry keys.Entry) controllertest.Secret {
	s := controllertest.Secret{Namespace: o.namespace, Name: fmt.Sprintf("doc-%d", i), Data: map[string]string{"value": value}}
	if entry != nil {
		s.For = []keys.Entry{entry}
	}
	return s
}

// change puts the next versions of all documents into the cluster.
func (o *outage) change() {
	o.t.Helper()
	for _, next := range o.next {
		lab.Replace(o.t, next)
	}
}

// untouched checks that every Secret is as it was before.
func (o *outage) untouched() {
	o.t.Helper()
	if diff := cmp.Diff(o.before, versions(o.t, lab, o.namespace)); diff != "" {
		o.t.Errorf("Secrets were touched though no key was there (-before +now):\n%s", diff)
	}
}

// recovered checks that every Secret gets its new value within a limit.
func (o *outage) recovered(limit time.Duration) {
	o.t.Helper()
	began := time.Now()
	waitAll(o.t, lab, limit, o.namespace, "")
	o.t.Logf("all are ready %.1f s after the KMS", time.Since(began).Seconds())
	for i := range 2 * perKind {
		lab.WaitData(o.t, o.namespace, fmt.Sprintf("doc-%d", i), map[string]string{"value": "after"})
	}
}

// servesAge makes documents that need no KMS, one after the other for some time,
// and returns how long it took at worst until one was unsealed.
func servesAge(t *testing.T, namespace string, during time.Duration) time.Duration {
	t.Helper()
	worst := time.Duration(0)
	end := time.Now().Add(during)
	for i := 0; i == 0 || time.Now().Before(end); i++ {
		name := fmt.Sprintf("age-%d", i)
		began := time.Now()
		lab.Create(t, lab.MustSeal(t, controllertest.Secret{Namespace: namespace, Name: name, Data: map[string]string{"value": "age"}}))
		lab.WaitReady(t, namespace, name)
		worst = max(worst, time.Since(began))
	}
	return worst
}

// soon is "a second or so" on a machine that is busy with other tests.
const soon = 6 * time.Second

// TestKMSRefusesAndComesBack also shows that one document that is opened wakes
// the others: they would wait for half a minute at least.
func TestKMSRefusesAndComesBack(t *testing.T) {
	o := newOutage(t, "--min-backoff", "1m")
	o.front.refuse()
	o.change()
	waitAll(t, lab, controllertest.Patience, o.namespace, "KeyUnavailable")
	lab.WaitKeyReason(t, o.sealingKey, "KeyUnavailable")
	o.untouched()
	if n := keyCalls(t, o.controller); n > 2*perKind {
		t.Errorf("%d calls of the KMS for %d documents, each tried once", n, 2*perKind)
	}
	o.front.open(t)
	lab.Create(t, lab.MustSeal(t, o.secret(1000, "after", keys.KMSEntry{ARN: o.arn})))
	o.recovered(20 * time.Second)
	lab.WaitKeyReason(t, o.sealingKey, "Opened")
	if n := lab.KMS.Succeeded("Decrypt"); n != perKind+2 {
		t.Errorf("%d calls of the KMS, want one for each of %d documents, one for the SealingKey and one more", n, perKind)
	}
}

// TestKMSDeniesAndAllows is as TestKMSRefusesAndComesBack, but a denial is
// remembered for ten seconds.
func TestKMSDeniesAndAllows(t *testing.T) {
	o := newOutage(t, "--min-backoff", "1m")
	lab.KMS.Deny(kmstest.Denial{Operation: "Decrypt", KeyARN: o.arn})
	o.change()
	waitAll(t, lab, controllertest.Patience, o.namespace, "KeyAccessDenied")
	lab.WaitKeyReason(t, o.sealingKey, "KeyAccessDenied")
	o.untouched()
	if n := lab.KMS.Count("Decrypt"); n > perKind+1 {
		t.Errorf("%d calls of the KMS for %d documents and one SealingKey", n, perKind)
	}
	// Until the denials are forgotten: a document that is unsealed before wakes the
	// others in vain.
	if worst := servesAge(t, o.other, keys.DefaultCacheFailureTTL); worst > soon {
		t.Errorf("a document that needs no KMS took %v", worst)
	}
	lab.KMS.AllowAll()
	lab.Create(t, lab.MustSeal(t, o.secret(1000, "after", keys.KMSEntry{ARN: o.arn})))
	o.recovered(20 * time.Second)
	lab.WaitKeyReason(t, o.sealingKey, "Opened")
}

// TestKMSHangsAndAnswers has every call hang, each attempt for as long as the
// client bears it.
func TestKMSHangsAndAnswers(t *testing.T) {
	o := newOutage(t, "--min-backoff", "200ms")
	lab.KMS.SetFaults(kmstest.Faults{Hang: 1})
	o.change()
	controllertest.Until(t, "the KMS hangs", func(context.Context) error {
		if lab.KMS.Count("Decrypt") == 0 {
			return fmt.Errorf("no call yet")
		}
		return nil
	})
	if worst := servesAge(t, o.other, 10*time.Second); worst > soon {
		t.Errorf("a document that needs no KMS took %v", worst)
	}
	o.untouched()
	if n := lab.KMS.Count("Decrypt"); n > 8*(perKind+1) {
		t.Errorf("%d calls of the KMS in ten seconds for %d documents and one SealingKey", n, perKind)
	}
	lab.KMS.SetFaults(kmstest.Faults{})
	o.recovered(30 * time.Second)
	lab.WaitKeyReason(t, o.sealingKey, "Opened")
}

// TestKMSHangsForLong has every call hang until the controller gives it up: then
// the objects say so, and no longer what was before.
func TestKMSHangsForLong(t *testing.T) {
	o := newOutage(t, "--min-backoff", "2m")
	lab.KMS.SetFaults(kmstest.Faults{Hang: 1})
	o.change()
	waitAll(t, lab, 2*controllertest.Patience, o.namespace, "KeyUnavailable")
	lab.WaitKeyReason(t, o.sealingKey, "KeyUnavailable")
	o.untouched()
	lab.KMS.SetFaults(kmstest.Faults{})
	lab.Create(t, lab.MustSeal(t, o.secret(1000, "after", keys.KMSEntry{ARN: o.arn})))
	o.recovered(30 * time.Second)
	lab.WaitKeyReason(t, o.sealingKey, "Opened")
}

// TestKMSThrottles has every second call refused for being one too many.
func TestKMSThrottles(t *testing.T) {
	o := newOutage(t, "--min-backoff", "200ms")
	lab.KMS.SetFaults(kmstest.Faults{Throttle: 0.5, Seed: 1})
	o.change()
	o.recovered(30 * time.Second)
	if n := lab.KMS.Count("Decrypt"); n > 5*(perKind+1) {
		t.Errorf("%d calls of the KMS for %d documents and one SealingKey", n, perKind)
	}
}
