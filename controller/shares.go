// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/handler"
)

// shares keeps namespaces from starving each other. An object is queued behind
// others by how many of its namespace wait already. Documents whose key service
// may hang take up no more than half of the workers for one namespace, and three
// quarters for all; what needs no key service has the others.
type shares struct {
	workers int
	again   func(types.NamespacedName) // queues an object that was turned away

	mu      sync.Mutex
	waiting map[types.NamespacedName]struct{}
	perNS   map[string]int                               // of waiting
	open    map[string]int                               // documents that are being opened
	total   int                                          // of open
	away    map[string]map[types.NamespacedName]struct{} // turned away, by namespace
}

func newShares(workers int) *shares {
	return &shares{
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
func (s *shares) queue(key types.NamespacedName, idle bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.waiting[key]; !known {
		s.waiting[key] = struct{}{}
		s.perNS[key.Namespace]++
	}
	// In few steps, for there is a metric for each.
	priority := -min(s.perNS[key.Namespace]/s.workers*stepBehind, maxBehind)
	if idle {
		priority += handler.LowPriority
	}
	return priority
}

// begin notes that an object waits no more.
func (s *shares) begin(key types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.waiting[key]; known {
		delete(s.waiting, key)
		decrement(s.perNS, key.Namespace)
	}
	s.leave(key)
}

// take reports whether the document of an object may be opened now; if so, give
// ends it. If not, the object is queued again when there is room. atHand tells
// whether no key service is needed; it is asked only if that matters.
func (s *shares) take(key types.NamespacedName, atHand func() bool) (give func(), ok bool) {
	s.mu.Lock()
	if s.room(key.Namespace) {
		defer s.mu.Unlock()
		s.open[key.Namespace]++
		s.total++
		return func() { s.give(key.Namespace) }, true
	}
	s.mu.Unlock()
	if atHand() {
		return func() {}, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away[key.Namespace] == nil {
		s.away[key.Namespace] = map[types.NamespacedName]struct{}{}
	}
	s.away[key.Namespace][key] = struct{}{}
	return nil, false
}

func (s *shares) room(namespace string) bool {
	return s.open[namespace] < max(1, s.workers/2) && s.total < max(1, s.workers-s.workers/4)
}

func (s *shares) give(namespace string) {
	s.mu.Lock()
	decrement(s.open, namespace)
	s.total--
	next, found := s.next()
	s.mu.Unlock()
	if found {
		s.again(next)
	}
}

// next returns an object that was turned away and for which there is room: one
// of the namespace that has the least.
func (s *shares) next() (found types.NamespacedName, ok bool) {
	for namespace, objects := range s.away {
		if !s.room(namespace) || ok && s.open[namespace] >= s.open[found.Namespace] {
			continue
		}
		for key := range objects {
			found, ok = key, true
			break
		}
	}
	s.leave(found)
	return found, ok
}

// leave takes an object off the list of those that were turned away.
func (s *shares) leave(key types.NamespacedName) {
	if objects := s.away[key.Namespace]; objects != nil {
		delete(objects, key)
		if len(objects) == 0 {
			delete(s.away, key.Namespace)
		}
	}
}

func decrement(m map[string]int, key string) {
	if m[key]--; m[key] <= 0 {
		delete(m, key)
	}
}
