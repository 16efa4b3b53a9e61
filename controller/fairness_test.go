// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/handler"
)

func named(namespace string, i int) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: fmt.Sprint(i)}
}

// Whoever comes with one object is served before the rest of a thousand.
func TestManyObjectsOfANamespaceQueueBehindOthers(t *testing.T) {
	s := newFairness(16)
	last := 0
	for i := range 1000 {
		last = s.queue(named("many", i), false)
	}
	if few := s.queue(named("few", 0), false); few != 0 || last >= few {
		t.Errorf("priority %d, and %d for the last of many", few, last)
	}
	for i := range 1000 {
		s.begin(named("many", i))
	}
	if after := s.queue(named("many", 0), false); after != 0 {
		t.Errorf("priority %d when nothing waits", after)
	}
}

func TestChangedObjectsGoBeforeUnchangedOnes(t *testing.T) {
	s := newFairness(16)
	last := 0
	for i := range 10_000 {
		last = s.queue(named("many", i), false)
	}
	if first := s.queue(named("few", 0), true); first != handler.LowPriority || last <= first {
		t.Errorf("priority %d for an unchanged one, %d for the last of many that have changed", first, last)
	}
}

func TestWaitingTwiceCountsOnce(t *testing.T) {
	s := newFairness(1)
	for range 10 {
		s.queue(named("ns", 1), false)
	}
	s.begin(named("ns", 1))
	s.begin(named("ns", 1))
	if len(s.waiting) != 0 || len(s.perNS) != 0 {
		t.Errorf("waiting %v, %v", s.waiting, s.perNS)
	}
}

func never() bool { return false }

// taken takes until it is refused, and returns what gives each back.
func taken(s *fairness, namespace string) (gives []func()) {
	for i := 0; ; i++ {
		give, ok := s.take(named(namespace, i), never)
		if !ok {
			return gives
		}
		gives = append(gives, give)
	}
}

func TestHangingKeysLeaveWorkersToOthers(t *testing.T) {
	for _, c := range []struct{ workers, namespace, all int }{{1, 1, 1}, {2, 1, 2}, {4, 2, 3}, {16, 8, 12}} {
		t.Run(fmt.Sprint(c.workers), func(t *testing.T) {
			s := newFairness(c.workers)
			s.again = func(types.NamespacedName) {}
			gives := taken(s, "hanging")
			if len(gives) != c.namespace {
				t.Errorf("one namespace takes %d workers, want %d", len(gives), c.namespace)
			}
			all := len(gives) + len(taken(s, "hanging too")) + len(taken(s, "and this"))
			if all != c.all {
				t.Errorf("all together take %d workers, want %d", all, c.all)
			}
			if _, ok := s.take(named("age only", 0), func() bool { return true }); !ok {
				t.Error("what needs no key service is refused")
			}
			gives[0]()
			if _, ok := s.take(named("hanging", 99), never); !ok {
				t.Error("refused although one was given back")
			}
		})
	}
}

func TestWhatWasTurnedAwayIsQueuedAgain(t *testing.T) {
	s := newFairness(4)
	var again []types.NamespacedName
	s.again = func(key types.NamespacedName) { again = append(again, key) }
	gives := taken(s, "ns") // the last one is turned away
	if len(again) != 0 {
		t.Fatalf("queued too early: %v", again)
	}
	gives[0]()
	if len(again) != 1 || again[0] != named("ns", len(gives)) {
		t.Errorf("queued again: %v", again)
	}
	gives[1]()
	if len(again) != 1 || len(s.away) != 0 || s.total != 0 || len(s.open) != 0 {
		t.Errorf("queued again: %v; left: %v, %d, %v", again, s.away, s.total, s.open)
	}
}

// It may have come up for another reason meanwhile.
func TestWhatIsLookedAtIsNotQueuedAgain(t *testing.T) {
	s := newFairness(4)
	s.again = func(key types.NamespacedName) { t.Errorf("queued again: %v", key) }
	gives := taken(s, "ns")
	s.begin(named("ns", len(gives)))
	for _, give := range gives {
		give()
	}
}
