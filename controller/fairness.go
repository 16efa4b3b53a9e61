// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/handler"
)

// fairness keeps namespaces from starving each other. An object is queued behind
// others by how many of its namespace wait already. Documents whose key service
// may hang take up no more than half of the workers for one namespace, and three
// quarters for all; what needs no key service has the others.
type fairness struct {
	workers int
	again   func(types.NamespacedName) // queues an object that was turned away

	mu      sync.Mutex
	waiting map[types.NamespacedName]struct{}
	perNS   map[string]int                               // of waiting
	open    map[string]int                               // documents that are being opened
	total   int                                          // of open
	away    map[string]map[types.NamespacedName]struct{} // turned away, by namespace
}

func newFairness(workers int) *fairness {
	return &fairness{
		workers: workers,
		waiting: map[types.NamespacedName]struct{}{},
		perNS:   map[string]int{},
		open:    map[string]int{},
		away:    map[string]map[types.NamespacedName]struct{}{},
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
// ends it. If not, the object is queued again when there is room. atHand tells
// whether no key service is needed; it is asked only if that matters.
func (f *fairness) take(key types.NamespacedName, atHand func() bool) (give func(), ok bool) {
	f.mu.Lock()
	if f.room(key.Namespace) {
		defer f.mu.Unlock()
		f.open[key.Namespace]++
		f.total++
		return func() { f.give(key.Namespace) }, true
	}
	f.mu.Unlock()
	if atHand() {
		return func() {}, true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away[key.Namespace] == nil {
		f.away[key.Namespace] = map[types.NamespacedName]struct{}{}
	}
	f.away[key.Namespace][key] = struct{}{}
	return nil, false
}

func (f *fairness) room(namespace string) bool {
	return f.open[namespace] < max(1, f.workers/2) && f.total < max(1, f.workers-f.workers/4)
}

func (f *fairness) give(namespace string) {
	f.mu.Lock()
	decrement(f.open, namespace)
	f.total--
	next, found := f.next()
	f.mu.Unlock()
	if found {
		f.again(next)
	}
}

// next returns an object that was turned away and for which there is room: one
// of the namespace that has the least.
func (f *fairness) next() (found types.NamespacedName, ok bool) {
	for namespace, objects := range f.away {
		if !f.room(namespace) || ok && f.open[namespace] >= f.open[found.Namespace] {
			continue
		}
		for key := range objects {
			found, ok = key, true
			break
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
