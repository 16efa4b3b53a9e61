// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"syscall"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

// leaseName is that of the Lease for which the controller has rights.
const leaseName = "signet-controller"

// The times of the elections here.
const (
	leaseDuration = 4 * time.Second
	renewDeadline = 3 * time.Second
)

// replicas are two controllers that agree on who works. The first one leads.
type replicas struct {
	t              *testing.T
	namespace      string
	leader, second *controllertest.Controller
}

func newReplicas(t *testing.T) *replicas {
	r := &replicas{t: t, namespace: lab.Namespace(t)}
	args := []string{
		"--watch-namespaces", r.namespace, "--leader-elect-retry-period", "500ms",
		"--leader-elect-lease-duration", leaseDuration.String(), "--leader-elect-renew-deadline", renewDeadline.String(),
	}
	r.leader = lab.RunController(t, args...)
	r.unsealed("first")
	r.second = lab.RunController(t, args...)
	return r
}

// unsealed makes a document and waits until somebody has unsealed it.
func (r *replicas) unsealed(name string) {
	r.t.Helper()
	lab.Create(r.t, lab.MustSeal(r.t, controllertest.Secret{Namespace: r.namespace, Name: name, Data: map[string]string{"value": name}}))
	lab.WaitReady(r.t, r.namespace, name)
	lab.WaitData(r.t, r.namespace, name, map[string]string{"value": name})
}

// heardOf returns the writes of the Lease by a controller that succeeded.
func (r *replicas) heardOf(c *controllertest.Controller) []auditv1.Event {
	r.t.Helper()
	var found []auditv1.Event
	for _, e := range requests(r.t, c) {
		if isLease(e) && controllertest.IsWrite(e) && succeeded(e) {
			found = append(found, e)
		}
	}
	return found
}

// takeover waits until the second replica leads, and returns the last time that
// the Lease was written by the first one, and the first time by the second.
func (r *replicas) takeover() (last, first auditv1.Event) {
	r.t.Helper()
	controllertest.Until(r.t, "the second replica has the Lease", func(context.Context) error {
		if len(r.heardOf(r.second)) == 0 {
			return fmt.Errorf("it has not written it")
		}
		return nil
	})
	before := r.heardOf(r.leader)
	return before[len(before)-1], r.heardOf(r.second)[0]
}

func at(e auditv1.Event) time.Time { return e.RequestReceivedTimestamp.Time }

// holder is who has the Lease as a write of it says.
func holder(t *testing.T, e auditv1.Event) string {
	t.Helper()
	l := &coordinationv1.Lease{}
	if err := json.Unmarshal(e.RequestObject.Raw, l); err != nil {
		t.Fatal(err)
	}
	return holderOf(l)
}

func holderOf(l *coordinationv1.Lease) string {
	if l.Spec.HolderIdentity == nil {
		return ""
	}
	return *l.Spec.HolderIdentity
}

// TestLeaderKilled wants the other replica to take over when the Lease is over.
func TestLeaderKilled(t *testing.T) {
	r := newReplicas(t)
	r.leader.Kill()
	r.unsealed("second")
	last, first := r.takeover()
	took := at(first).Sub(at(last))
	t.Logf("took over %.1f s after the leader was last heard of", took.Seconds())
	if took > leaseDuration+soon {
		t.Errorf("took over %v after the leader was last heard of, with a Lease of %v", took, leaseDuration)
	}
	if n := checkConditional(t, r.leader) + checkConditional(t, r.second); n == 0 {
		t.Error("no write was looked at")
	}
}

// TestLeaderTerminated wants the Lease to be given up at once.
func TestLeaderTerminated(t *testing.T) {
	r := newReplicas(t)
	began := time.Now()
	if err := r.leader.Stop(); err != nil {
		t.Errorf("SIGTERM is no failure, but: %v", err)
	}
	r.unsealed("second")
	last, first := r.takeover()
	if holder(t, last) != "" {
		t.Error("the Lease was not given up")
	}
	t.Logf("took over %.1f s after SIGTERM", at(first).Sub(began).Seconds())
	if took := at(first).Sub(at(last)); took >= leaseDuration {
		t.Errorf("took over %v after the Lease was given up, as if nobody had", took)
	}
}

// TestLeaderPaused stops the leader in the middle of its work for longer than
// the Lease, and wants it to write nothing when it goes on, and to end.
func TestLeaderPaused(t *testing.T) {
	const documents = 30
	r := newReplicas(t)
	arn := lab.KMS.CreateKey(kmstest.Key{})
	lab.KMS.ResetCounts()
	t.Cleanup(func() { lab.KMS.SetFaults(kmstest.Faults{}) })
	lab.KMS.SetFaults(kmstest.Faults{Latency: time.Second})
	for i := range documents {
		lab.Create(t, lab.MustSeal(t, controllertest.Secret{
			Namespace: r.namespace, Name: fmt.Sprintf("doc-%d", i), Data: map[string]string{"value": "paused"},
			For: []keys.Entry{keys.KMSEntry{ARN: arn}},
		}))
		if lab.KMS.Count("Decrypt") > 0 {
			break
		}
	}
	controllertest.Until(t, "the leader waits for the KMS", func(context.Context) error {
		if lab.KMS.Count("Decrypt") == 0 {
			return fmt.Errorf("no call yet")
		}
		return nil
	})
	signal(t, r.leader, syscall.SIGSTOP)
	lab.KMS.SetFaults(kmstest.Faults{})
	r.unsealed("second")
	last, _ := r.takeover()
	waitAll(t, lab, controllertest.Patience, r.namespace, "")
	before := versions(t, lab, r.namespace)
	signal(t, r.leader, syscall.SIGCONT)
	select {
	case <-r.leader.Done():
	case <-time.After(controllertest.Patience):
		t.Fatal("the paused leader goes on")
	}
	if err := r.leader.Stop(); err == nil {
		t.Error("a leader that was lost ends as if nothing had happened")
	}
	r.unsealed("third")
	for _, e := range requests(t, r.leader) {
		if controllertest.IsWrite(e) && succeeded(e) && at(e).After(at(last).Add(renewDeadline)) {
			t.Errorf("the paused leader did %s %s %v after it was last heard of", e.Verb, e.RequestURI, at(e).Sub(at(last)))
		}
	}
	now := versions(t, lab, r.namespace)
	for name, was := range before {
		if now[name] != was {
			t.Errorf("Secret %s was written after the leader went on", name)
		}
	}
	r.leads(r.second)
}

// leads checks that the Lease is held by a replica.
func (r *replicas) leads(c *controllertest.Controller) {
	r.t.Helper()
	client, err := kubernetes.NewForConfig(lab.Cluster.Admin())
	if err != nil {
		r.t.Fatal(err)
	}
	l, err := client.CoordinationV1().Leases(controllertest.AccountNamespace).Get(r.t.Context(), leaseName, metav1.GetOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	if got, want := holderOf(l), holder(r.t, r.heardOf(c)[0]); got != want {
		r.t.Errorf("the Lease is that of %q, want %q", got, want)
	}
}

func signal(t *testing.T, c *controllertest.Controller, s syscall.Signal) {
	t.Helper()
	if err := c.Signal(s); err != nil {
		t.Fatal(err)
	}
}
