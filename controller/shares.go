// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/handler"
)

// shares keeps namespaces from starving each other. An object is queued behind
// others by how many of its namespace wait already, and the documents of one
// namespace, whose key service may hang, take up no more than three quarters of
// the workers.
type shares struct {
	workers int

	mu      sync.Mutex
	waiting map[types.NamespacedName]struct{}
	perNS   map[string]int // of waiting
	open    map[string]int // documents that are being opened
}

func newShares(workers int) *shares {
	return &shares{
		workers: workers,
		waiting: map[types.NamespacedName]struct{}{},
		perNS:   map[string]int{},
		open:    map[string]int{},
	}
}

// maxBehind is by how much the priority of an object can sink. It leaves those
// that have changed before those that have not, which begin at
// handler.LowPriority.
const maxBehind = -handler.LowPriority - 1

// queue returns the priority for an object that has to wait. Idle is for one
// that is looked at without cause.
func (s *shares) queue(key types.NamespacedName, idle bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.waiting[key]; !known {
		s.waiting[key] = struct{}{}
		s.perNS[key.Namespace]++
	}
	priority := -min(s.perNS[key.Namespace]/s.workers, maxBehind)
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
}

// take reports whether another document of a namespace may be opened now; if
// so, give ends it.
func (s *shares) take(namespace string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[namespace] >= max(1, s.workers-s.workers/4) {
		return false
	}
	s.open[namespace]++
	return true
}

func (s *shares) give(namespace string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	decrement(s.open, namespace)
}

func decrement(m map[string]int, key string) {
	if m[key]--; m[key] <= 0 {
		delete(m, key)
	}
}
