// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"context"
	"sync"
	"time"
)

// failureTTL is how long a failure stands in for trying again: hundreds of
// documents that need the same credentials fail together, not one timeout after
// the other.
const failureTTL = 5 * time.Second

// maxFlights bounds how many failures are kept.
const maxFlights = 64

// flights does one piece of work for all who ask for it under the same name at
// the same time. What it gave is not kept, but a failure is, for failureTTL. The
// zero value is ready. It is safe for concurrent use.
type flights[T any] struct {
	mu   sync.Mutex
	last map[string]*trip[T]
}

// trip is one run of the work. Its fields are set before done is closed.
type trip[T any] struct {
	done  chan struct{}
	value T
	err   error
	until time.Time // end of a failure's life
}

// do waits for the work no longer than ctx. The work is for all who wait and
// must end on its own, not with the context of one of them.
func (f *flights[T]) do(ctx context.Context, name string, work func() (T, error)) (T, error) {
	f.mu.Lock()
	t := f.last[name]
	if t == nil || t.over() {
		t = &trip[T]{done: make(chan struct{})}
		f.put(name, t)
		go t.run(work)
	}
	f.mu.Unlock()
	select {
	case <-t.done:
		return t.value, t.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// put adds t. Where there are too many, any other one makes room: who waits for
// it still gets it.
func (f *flights[T]) put(name string, t *trip[T]) {
	if f.last == nil {
		f.last = map[string]*trip[T]{}
	}
	for other := range f.last {
		if len(f.last) < maxFlights {
			break
		}
		delete(f.last, other)
	}
	f.last[name] = t
}

func (t *trip[T]) run(work func() (T, error)) {
	defer close(t.done)
	t.value, t.err = work()
	t.until = time.Now().Add(failureTTL)
}

// over reports whether t has nothing for those who ask now.
func (t *trip[T]) over() bool {
	select {
	case <-t.done:
		return t.err == nil || time.Now().After(t.until)
	default:
		return false
	}
}

// trouble reports whether some work is under way, or failed a short time ago.
func (f *flights[T]) trouble() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.last {
		if !t.over() {
			return true
		}
	}
	return false
}
