// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/signet-secrets/signet/controller/v1alpha1"
)

func testRecords(c *clock) *records {
	r := newRecords(Options{MinBackoff: time.Second, MaxBackoff: time.Minute})
	r.now = c.now
	return r
}

func recorded(uid types.UID, version string, generation int64) *v1alpha1.SealedSecret {
	return &v1alpha1.SealedSecret{ObjectMeta: metav1.ObjectMeta{
		Namespace: "prod", Name: "db", UID: uid, ResourceVersion: version, Generation: generation,
	}}
}

func TestBackoffDoublesUpToTheMost(t *testing.T) {
	c := &clock{at: time.Unix(1_000_000, 0)}
	r := testRecords(c)
	rec := record{}
	for i, most := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		most *= time.Second
		d := r.backoff(&rec)
		if d > most || d < most/2 {
			t.Errorf("attempt %d waits %v, want %v to %v", i, d, most/2, most)
		}
		if got := r.wait(rec); got != d {
			t.Errorf("attempt %d: %v left of %v", i, got, d)
		}
		c.pass(d)
		if got := r.wait(rec); got != 0 {
			t.Errorf("attempt %d: %v left after that time", i, got)
		}
	}
	rec.failures = 1 << 40
	if d := r.backoff(&rec); d > time.Minute || d < 30*time.Second {
		t.Errorf("after very many failures it waits %v", d)
	}
}

func TestPollIsBounded(t *testing.T) {
	r := testRecords(&clock{})
	for range 100 {
		if d := r.poll(); d < time.Minute || d > 90*time.Second {
			t.Fatalf("poll after %v", d)
		}
	}
}

func TestRecordLastsAsLongAsItIsTrue(t *testing.T) {
	done := &v1alpha1.SealedSecretStatus{ObservedGeneration: 2}
	was := record{uid: "o-1", generation: 2, status: done, version: "105", failures: 3, tried: true,
		notBefore: time.Unix(2_000_000, 0), wrote: secretVersion{"db", "s-1", "104"}, proved: true}
	for _, c := range []struct {
		name          string
		object        metav1.ObjectMeta
		written       string // version of the status that was written; "" if it could not be
		status, count bool   // are kept
		wrote         bool
	}{
		{"the cache is behind", metav1.ObjectMeta{UID: "o-1", Generation: 2, ResourceVersion: "99"}, "105", true, true, true},
		{"the cache has caught up", metav1.ObjectMeta{UID: "o-1", Generation: 2, ResourceVersion: "105"}, "105", false, true, true},
		{"the cache has more", metav1.ObjectMeta{UID: "o-1", Generation: 2, ResourceVersion: "1000"}, "105", false, true, true},
		{"the status could not be written", metav1.ObjectMeta{UID: "o-1", Generation: 2, ResourceVersion: "1000"}, "", true, true, true},
		{"new document", metav1.ObjectMeta{UID: "o-1", Generation: 3, ResourceVersion: "106"}, "105", false, false, true},
		{"another object", metav1.ObjectMeta{UID: "o-2", Generation: 2, ResourceVersion: "106"}, "105", false, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := testRecords(&clock{})
			o := &v1alpha1.SealedSecret{ObjectMeta: c.object}
			o.Namespace, o.Name = "prod", "db"
			rec := was
			rec.version = c.written
			r.put(keyOf(o), rec)
			got := r.get(o)
			if (got.status != nil) != c.status || (got.failures != 0) != c.count || (got.wrote.uid != "") != c.wrote {
				t.Errorf("record %+v", got)
			}
			if got.proved != c.count { // it is about a generation too
				t.Errorf("proved: %v", got.proved)
			}
			if got.uid != o.UID || got.generation != o.Generation {
				t.Errorf("record of %s, generation %d", got.uid, got.generation)
			}
		})
	}
}

// A key may come back while a worker finds out that it is not there.
func TestHurryIsNotLostToAWorker(t *testing.T) {
	c := &clock{at: time.Unix(1_000_000, 0)}
	r := testRecords(c)
	o := recorded("o-1", "5", 1)
	rec := r.get(o)
	r.hurry(keyOf(o))
	r.backoff(&rec)
	r.put(keyOf(o), rec)
	if got := r.get(o); r.wait(got) != 0 || got.failures != 1 {
		t.Errorf("%v left, %d failures", r.wait(got), got.failures)
	}
	rec = r.get(o)
	r.backoff(&rec)
	r.put(keyOf(o), rec)
	if got := r.get(o); r.wait(got) == 0 {
		t.Error("hurries for ever")
	}
}

func TestLostIsOnlyTheSecretThatWasWritten(t *testing.T) {
	r := testRecords(&clock{})
	o := recorded("o-1", "5", 1)
	rec := r.get(o)
	rec.wrote, rec.proved = secretVersion{"db", "s-1", "7"}, true
	r.put(keyOf(o), rec)
	r.lost(keyOf(o), "s-0")
	if got := r.get(o); got.wrote.uid != "s-1" || !got.proved {
		t.Errorf("record %+v", got)
	}
	r.lost(keyOf(o), "s-1")
	if got := r.get(o); got.wrote.uid != "" || got.proved {
		t.Errorf("record %+v", got)
	}
}

func TestForgottenObjectLeavesNothing(t *testing.T) {
	r := testRecords(&clock{})
	o := recorded("o-1", "5", 1)
	rec := r.get(o)
	rec.failures = 1 // for nothing is kept of what is idle
	r.put(keyOf(o), rec)
	if len(r.of) != 1 {
		t.Fatalf("records %+v, want one", r.of)
	}
	r.forget(keyOf(o))
	r.hurry(keyOf(o))
	r.lost(keyOf(o), "s-1")
	if len(r.of) != 0 {
		t.Errorf("records %+v", r.of)
	}
}
