// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/handler"
)

// fairness keeps namespaces from starving each other. An object is queued behind
// others by how many of its namespace wait already. For opening documents it has a
// quota of the workers: one for those whose key service may hang, and one for those
// that need none. Large documents also share the memory that they take.
type fairness struct {
	again func(types.NamespacedName) // queues an object that was turned away

	mu      sync.Mutex
	workers int
	waiting map[types.NamespacedName]struct{}
	perNS   map[string]int // of waiting
	calling *quota         // documents that are being opened and may call a key service
	atHand  *quota         // those that don't
	memory  *quota         // bytes of large ones
	away    map[string]map[types.NamespacedName]turned
}

// turned is an object that was turned away.
type turned struct {
	weight int
	calls  bool // it is known to need a key service
}

func newFairness(workers int) *fairness {
	return &fairness{
		workers: workers,
		waiting: map[types.NamespacedName]struct{}{},
		perNS:   map[string]int{},
		calling: newQuota(max(1, workers/2), max(1, workers-workers/4), max(1, workers-1)),
		atHand:  newQuota(max(1, workers/2), workers, workers),
		memory:  newQuota(memoryBytes/2, memoryBytes-memoryBytes/4, memoryBytes),
		away:    map[string]map[types.NamespacedName]turned{},
	}
}

// maxBehind is by how much the priority of an object can sink. It leaves those
// that have changed before those that have not, which begin at
// handler.LowPriority.
const maxBehind = -handler.LowPriority - stepBehind

// stepBehind is by how much at a time.
const stepBehind = 10

// queue returns the priority for an object that has to wait. Idle is for one
// that is looked at without cause.
func (f *fairness) queue(key types.NamespacedName, idle bool) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.waiting[key]; !known {
		f.waiting[key] = struct{}{}
		f.perNS[key.Namespace]++
	}
	// In few steps, for there is a metric for each.
	priority := -min(f.perNS[key.Namespace]/f.workers*stepBehind, maxBehind)
	if idle {
		priority += handler.LowPriority
	}
	return priority
}

// begin notes that an object waits no more.
func (f *fairness) begin(key types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.waiting[key]; known {
		delete(f.waiting, key)
		decrement(f.perNS, key.Namespace)
	}
	f.leave(key)
}

// take reports whether the document of an object may be opened now; if so, give
// ends it. If not, the object is queued again when there is room. weight is that
// of a large document, else 0. atHand tells whether no key service is needed; it
// is asked only if that matters, and not for large documents: to ask costs as much
// memory as to open.
func (f *fairness) take(key types.NamespacedName, weight int, atHand func() bool) (give func(), ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.room(key.Namespace, weight) {
		return f.taken(key.Namespace, f.calling, weight), true
	}
	ask := weight == 0 && f.atHand.fits(key.Namespace, 1)
	calls := ask && !f.asked(key.Namespace, atHand)
	if ask && !calls {
		return f.giver(key.Namespace, f.atHand, weight), true
	}
	if f.away[key.Namespace] == nil {
		f.away[key.Namespace] = map[types.NamespacedName]turned{}
	}
	f.away[key.Namespace][key] = turned{weight: weight, calls: calls || weight > 0}
	return nil, false
}

// asked asks atHand, which takes a while, and counts the document as at hand from
// then on, unless it is not.
func (f *fairness) asked(namespace string, atHand func() bool) (is bool) {
	f.atHand.add(namespace, 1)
	f.mu.Unlock()
	defer func() { // after a panic too
		f.mu.Lock()
		if !is {
			f.atHand.add(namespace, -1)
		}
	}()
	return atHand()
}

// room reports whether there is room for a document that may call a key service.
func (f *fairness) room(namespace string, weight int) bool {
	return f.calling.fits(namespace, 1) && (weight == 0 || f.memory.fits(namespace, weight))
}

// taken counts a document, and returns what ends that.
func (f *fairness) taken(namespace string, of *quota, weight int) (give func()) {
	of.add(namespace, 1)
	f.memory.add(namespace, weight)
	return f.giver(namespace, of, weight)
}

func (f *fairness) giver(namespace string, of *quota, weight int) (give func()) {
	return func() {
		f.mu.Lock()
		of.add(namespace, -1)
		f.memory.add(namespace, -weight)
		next, found := f.next()
		f.mu.Unlock()
		if found {
			f.again(next)
		}
	}
}

// next returns an object that was turned away and for which there may be room: one
// of the namespace that has the least.
func (f *fairness) next() (found types.NamespacedName, ok bool) {
	for namespace, objects := range f.away {
		if ok && f.calling.of[namespace] >= f.calling.of[found.Namespace] {
			continue
		}
		for key, t := range objects {
			if f.room(namespace, t.weight) || !t.calls && f.atHand.fits(namespace, 1) {
				found, ok = key, true
				break
			}
		}
	}
	f.leave(found)
	return found, ok
}

// leave takes an object off the list of those that were turned away.
func (f *fairness) leave(key types.NamespacedName) {
	if objects := f.away[key.Namespace]; objects != nil {
		delete(objects, key)
		if len(objects) == 0 {
			delete(f.away, key.Namespace)
		}
	}
}

func decrement(m map[string]int, key string) {
	if m[key]--; m[key] <= 0 {
		delete(m, key)
	}
}
