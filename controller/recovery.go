// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/signet-secrets/signet/seal/keys"
)

// keyID identifies a key over all key services.
type keyID struct {
	service keys.Type
	id      string
}

// recovery knows which objects wait for which keys. When one of those works
// again it says so, because the next attempt of an object may be minutes away.
type recovery struct {
	mu      sync.Mutex
	waiting map[keyID]map[types.NamespacedName]struct{}
	keysOf  map[types.NamespacedName][]keyID
	wake    func(types.NamespacedName)
}

func newRecovery(wake func(types.NamespacedName)) *recovery {
	return &recovery{
		waiting: map[keyID]map[types.NamespacedName]struct{}{},
		keysOf:  map[types.NamespacedName][]keyID{},
		wake:    wake,
	}
}

// wait notes that an object failed for want of the keys that err names, and
// of no others. A nil error ends its waiting.
func (r *recovery) wait(object types.NamespacedName, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range r.keysOf[object] {
		delete(r.waiting[k], object)
		if len(r.waiting[k]) == 0 {
			delete(r.waiting, k)
		}
	}
	delete(r.keysOf, object)
	for _, k := range calledKeys(err) {
		if r.waiting[k] == nil {
			r.waiting[k] = map[types.NamespacedName]struct{}{}
		}
		r.waiting[k][object] = struct{}{}
		r.keysOf[object] = append(r.keysOf[object], k)
	}
}

// works wakes the objects that wait for a key.
func (r *recovery) works(k keyID) {
	r.mu.Lock()
	objects := r.waiting[k]
	delete(r.waiting, k)
	r.mu.Unlock()
	for object := range objects {
		r.wake(object)
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
	return keys.Unwrappers{e.Type(): o.next}.Rank(e)
}
