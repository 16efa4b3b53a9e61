// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
)

// moves makes documents that are to move to another Secret, all for one key.
type moves struct {
	t       *testing.T
	ns, arn string
}

// own seals a document that makes a Secret of its own.
func (m moves) own(name, secret string) *unstructured.Unstructured {
	m.t.Helper()
	return controllertest.Named(lab.MustSeal(m.t, m.secret(name, secret)), name)
}

// addition seals one that adds to a Secret.
func (m moves) addition(name, secret string) *unstructured.Unstructured {
	m.t.Helper()
	return lab.MustSealAddition(m.t, m.secret(name, secret), name)
}

func (m moves) secret(name, secret string) controllertest.Secret {
	return controllertest.Secret{
		Namespace: m.ns, Name: secret, Data: map[string]string{name: "correct horse"}, For: []keys.Entry{keys.KMSEntry{ARN: m.arn}},
	}
}

// newMoves returns some in a namespace of their own, with a controller that opens
// them by way of a front.
func newMoves(t *testing.T, f *front) moves {
	t.Helper()
	m := moves{t, lab.Namespace(t), lab.KMS.CreateKey(kmstest.Key{})}
	lab.LaunchController(t, controllertest.Launch{Args: alone([]string{"--data-key-cache-ttl", "0s", "--max-backoff", "2s"}, m.ns), Env: f.env()})
	return m
}

// stays fails the test unless all Secrets that were there are as they were, after
// the controller has looked at all documents.
func (m moves) stays(was map[string]version) {
	m.t.Helper()
	for range 2 {
		lab.Pass(m.t, m.ns)
	}
	now := versions(m.t, lab, m.ns)
	for name, v := range was {
		if now[name] != v {
			m.t.Errorf("while the KMS hangs Secret %s is %+v, was %+v", name, now[name], v)
		}
	}
}

// answers ends the hanging of a KMS, that of calls under way too.
func (f *front) answers(t *testing.T) {
	t.Helper()
	f.refuse()
	f.hang("")
	f.open(t)
}

// TestRenamedWhileTheKMSHangs has 20 documents name another Secret, of which most
// wait for those that hang. Each keeps the Secret that it has until it has the new
// one.
func TestRenamedWhileTheKMSHangs(t *testing.T) {
	const n = 20
	f := newFront(t)
	m := newMoves(t, f)
	for i := range n {
		s := m.secret("value", fmt.Sprintf("doc-%d", i))
		s.Reach = seal.Namespace
		lab.Create(t, lab.MustSeal(t, s))
	}
	waitAll(t, lab, controllertest.Patience, m.ns, "")
	was := versions(t, lab, m.ns)
	if len(was) != n {
		t.Fatalf("%d Secrets, want %d", len(was), n)
	}
	f.hang(m.arn)
	for i := range n {
		lab.Update(t, m.ns, fmt.Sprintf("doc-%d", i), func(o *unstructured.Unstructured) {
			controllertest.Set(t, o, fmt.Sprintf("new-%d", i), "spec", "secretName")
		})
	}
	m.stays(was)
	f.answers(t)
	waitAll(t, lab, controllertest.Patience, m.ns, "")
	for i := range n {
		old := fmt.Sprintf("doc-%d", i)
		lab.WaitData(t, m.ns, fmt.Sprintf("new-%d", i), map[string]string{"value": "correct horse"})
		lab.WaitGone(t, m.ns, old, was[old].UID)
	}
}

// TestMovedWhileTheKMSHangs is the same for documents that add to a Secret, before
// or after: what they have added stays as long.
func TestMovedWhileTheKMSHangs(t *testing.T) {
	const n = 10 // of each kind
	f := newFront(t)
	m := newMoves(t, f)
	each := func(do func(merge, toOwner, toMerge string)) {
		for i := range n {
			do(fmt.Sprintf("merge-%d", i), fmt.Sprintf("to-owner-%d", i), fmt.Sprintf("to-merge-%d", i))
		}
	}
	var all []string
	before, after := map[string]string{"theirs": "1"}, map[string]string{"theirs": "1"}
	each(func(merge, toOwner, toMerge string) {
		all = append(all, merge, toOwner, toMerge)
		before[merge], before[toOwner] = "correct horse", "correct horse"
		after[merge], after[toMerge] = "correct horse", "correct horse"
	})
	for _, app := range []string{"app", "app2"} {
		lab.Foreign(t, m.ns, app, map[string]string{"theirs": "1"}, map[string]string{"signet.dev/merge": strings.Join(all, ",")})
	}
	each(func(merge, toOwner, toMerge string) {
		lab.Create(t, m.addition(merge, "app"))
		lab.Create(t, m.addition(toOwner, "app"))
		lab.Create(t, m.own(toMerge, toMerge))
	})
	waitAll(t, lab, controllertest.Patience, m.ns, "")
	lab.WaitData(t, m.ns, "app", before)
	was := versions(t, lab, m.ns)

	f.hang(m.arn)
	each(func(merge, toOwner, toMerge string) {
		lab.Replace(t, m.addition(merge, "app2"))
		lab.Replace(t, m.own(toOwner, toOwner))
		lab.Replace(t, m.addition(toMerge, "app2"))
	})
	m.stays(was)
	f.answers(t)
	waitAll(t, lab, controllertest.Patience, m.ns, "")
	lab.WaitData(t, m.ns, "app", map[string]string{"theirs": "1"})
	lab.WaitData(t, m.ns, "app2", after)
	each(func(_, toOwner, toMerge string) {
		lab.WaitData(t, m.ns, toOwner, map[string]string{toOwner: "correct horse"})
		lab.WaitGone(t, m.ns, toMerge, was[toMerge].UID)
	})
	for _, s := range []*corev1.Secret{lab.MustSecret(t, m.ns, "app"), lab.MustSecret(t, m.ns, "app2")} {
		if v := was[s.Name]; s.UID != v.UID {
			t.Errorf("Secret %s was made anew", s.Name)
		}
	}
}
