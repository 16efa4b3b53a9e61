// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/signet-secrets/signet/seal/keys"
)

// keyID identifies a key over all key services.
type keyID struct {
	service keys.Type
	id      string
}

// recovery knows which objects wait for which keys. When one of those works
// again it wakes them, because their next attempt may be minutes away. A key may
// work for some objects and refuse others, for ever: so an object that was woken
// in vain is not woken again before it would have tried by itself.
type recovery struct {
	wake func(types.NamespacedName)
	now  func() time.Time

	mu      sync.Mutex
	waiting map[keyID]map[types.NamespacedName]struct{}
	objects map[types.NamespacedName]*waiter
	worked  map[keyID]time.Time // last
}

// waiter is an object that waits for keys.
type waiter struct {
	keys      []keyID
	woken     time.Time // last
	notBefore time.Time // when it may be woken
}

// maxWorked bounds how many keys are remembered to have worked.
const maxWorked = 1000

func newRecovery(wake func(types.NamespacedName)) *recovery {
	return &recovery{
		wake: wake, now: time.Now,
		waiting: map[keyID]map[types.NamespacedName]struct{}{},
		objects: map[types.NamespacedName]*waiter{},
		worked:  map[keyID]time.Time{},
	}
}

// done ends the waiting of an object.
func (r *recovery) done(object types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leave(object)
	delete(r.objects, object)
}

// wait notes that an object failed, in an attempt that began at a time, for want
// of the keys that err names and of no others, and that it will try again after
// backoff. A key that has worked meanwhile wakes it at once.
func (r *recovery) wait(object types.NamespacedName, err error, begin time.Time, backoff time.Duration) {
	needed := calledKeys(err)
	if len(needed) == 0 {
		r.done(object)
		return
	}
	if r.note(object, needed, begin, backoff) {
		r.wake(object)
	}
}

// note replaces the keys of an object, and reports whether to wake it now.
func (r *recovery) note(object types.NamespacedName, needed []keyID, begin time.Time, backoff time.Duration) (wake bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leave(object)
	w := r.objects[object]
	if w == nil {
		w = &waiter{}
		r.objects[object] = w
	}
	if w.keys = needed; !w.woken.IsZero() {
		w.notBefore = w.woken.Add(backoff)
	}
	for _, k := range needed {
		if r.waiting[k] == nil {
			r.waiting[k] = map[types.NamespacedName]struct{}{}
		}
		r.waiting[k][object] = struct{}{}
		wake = wake || r.worked[k].After(begin)
	}
	return wake && r.mayWake(object)
}

// works wakes the objects that wait for a key.
func (r *recovery) works(k keyID) {
	var wake []types.NamespacedName
	r.mu.Lock()
	if len(r.worked) >= maxWorked {
		clear(r.worked)
	}
	r.worked[k] = r.now()
	for object := range r.waiting[k] {
		if r.mayWake(object) {
			wake = append(wake, object)
		}
	}
	r.mu.Unlock()
	for _, object := range wake {
		r.wake(object)
	}
}

// mayWake reports whether an object may be woken, and notes that it is.
func (r *recovery) mayWake(object types.NamespacedName) bool {
	w := r.objects[object]
	if r.now().Before(w.notBefore) {
		return false
	}
	r.leave(object)
	w.woken = r.now()
	return true
}

// leave takes an object off the lists.
func (r *recovery) leave(object types.NamespacedName) {
	w := r.objects[object]
	if w == nil {
		return
	}
	for _, k := range w.keys {
		delete(r.waiting[k], object)
		if len(r.waiting[k]) == 0 {
			delete(r.waiting, k)
		}
	}
}

// calledKeys returns the keys that err says a key service failed with.
func calledKeys(err error) []keyID {
	var found []keyID
	switch e := err.(type) {
	case nil:
	case *keys.CallError:
		found = append(found, keyID{e.Entry.Type(), e.Entry.ID()})
	case interface{ Unwrap() error }:
		found = calledKeys(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, cause := range e.Unwrap() {
			found = append(found, calledKeys(cause)...)
		}
	}
	return found
}

// observed is an Unwrapper that tells which keys work.
type observed struct {
	next  keys.Unwrapper
	works func(keyID)
}

var (
	_ keys.Unwrapper = (*observed)(nil)
	_ keys.Ranker    = (*observed)(nil)
)

// Unwrap implements keys.Unwrapper.
func (o *observed) Unwrap(ctx context.Context, e keys.Entry) ([]byte, error) {
	secret, err := o.next.Unwrap(ctx, e)
	if err == nil {
		o.works(keyID{e.Type(), e.ID()})
	}
	return secret, err
}

// Rank implements keys.Ranker.
func (o *observed) Rank(e keys.Entry) keys.Rank {
	return keys.RankOf(o.next, e)
}
