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
		give, ok := s.take(named(namespace, i), 0, never)
		if !ok {
			return gives
		}
		gives = append(gives, give)
	}
}

func TestHangingKeysLeaveWorkersToOthers(t *testing.T) {
	for _, c := range []struct{ workers, namespace, all int }{{1, 1, 1}, {2, 1, 2}, {4, 2, 3}, {16, 8, 13}} {
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
			if _, ok := s.take(named("age only", 0), 0, func() bool { return true }); !ok {
				t.Error("what needs no key service is refused")
			}
			for _, give := range gives[:2%len(gives)+1] {
				give()
			}
			if _, ok := s.take(named("hanging", 99), 0, never); !ok {
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
	if len(again) != 1 || len(s.away) != 0 || s.calling.total != 0 || len(s.calling.of) != 0 {
		t.Errorf("queued again: %v; left: %v, %d, %v", again, s.away, s.calling.total, s.calling.of)
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

// Two namespaces take what they can; whoever comes next gets one worker, but the
// last one is for what needs no key service.
func TestWhoHasNothingGetsAWorker(t *testing.T) {
	s := newFairness(16)
	if n := len(taken(s, "one")) + len(taken(s, "two")); n != 12 {
		t.Fatalf("two namespaces take %d workers, want 12", n)
	}
	for i, want := range []int{1, 1, 1, 0} {
		if n := len(taken(s, fmt.Sprint("other-", i))); n != want {
			t.Errorf("namespace %d gets %d workers, want %d", i, n, want)
		}
	}
	if _, ok := s.take(named("age only", 0), 0, func() bool { return true }); !ok {
		t.Error("what needs no key service is refused")
	}
}

// What needs no key service has no more than half of the workers for one
// namespace either, and who is turned away is told when there is room.
func TestDocumentsAtHandAreCountedToo(t *testing.T) {
	s := newFairness(4)
	var again []types.NamespacedName
	s.again = func(key types.NamespacedName) { again = append(again, key) }
	taken(s, "ns")
	var gives []func()
	for i := range 3 {
		give, ok := s.take(named("ns", 10+i), 0, func() bool { return true })
		if want := i < 2; ok != want {
			t.Fatalf("document %d at hand: taken %v, want %v", i, ok, want)
		}
		gives = append(gives, give)
	}
	if _, ok := s.take(named("other", 0), 0, func() bool { return true }); !ok {
		t.Error("another namespace is refused")
	}
	gives[0]()
	if len(again) != 1 || again[0] != named("ns", 12) {
		t.Errorf("queued again: %v, want the one at hand", again)
	}
}

// Large documents are opened only as memory allows, and never to find out
// whether they need a key service.
func TestLargeDocumentsShareTheMemory(t *testing.T) {
	const weight = memoryBytes / 4
	s := newFairness(16)
	var again []types.NamespacedName
	s.again = func(key types.NamespacedName) { again = append(again, key) }
	asked := func() bool { t.Error("a large document was read to find out about its keys"); return true }
	var gives []func()
	for _, c := range []struct {
		namespace string
		want      bool
	}{{"one", true}, {"one", true}, {"one", false}, {"two", true}, {"two", false}, {"three", true}, {"four", false}} {
		give, ok := s.take(named(c.namespace, len(gives)), weight, asked)
		if ok != c.want {
			t.Errorf("a large document of namespace %s: taken %v, want %v", c.namespace, ok, c.want)
		}
		gives = append(gives, give)
	}
	if s.memory.total > memoryBytes {
		t.Errorf("%d bytes are taken", s.memory.total)
	}
	if _, ok := s.take(named("four", 100), 0, never); !ok {
		t.Error("a small document is refused for the memory of others")
	}
	gives[0]()
	gives[1]()
	if len(again) == 0 {
		t.Error("nobody was told that there is memory")
	}
	gives[3]()
	gives[5]()
	if s.memory.total != 0 || len(s.memory.of) != 0 {
		t.Errorf("left: %d, %v", s.memory.total, s.memory.of)
	}
}
