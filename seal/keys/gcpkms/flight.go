// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"context"
	"sync"
	"time"
)

// failureTTL is how long a failure stands in for trying again: hundreds of
// documents that need the same credentials fail together, not one timeout after
// the other.
const failureTTL = 5 * time.Second

// flight does one piece of work for all who ask for it at the same time. What it
// gave is not kept, but a failure is, for failureTTL. The zero value is ready.
// It is safe for concurrent use.
type flight[T any] struct {
	mu   sync.Mutex
	last *trip[T]
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
func (f *flight[T]) do(ctx context.Context, work func() (T, error)) (T, error) {
	f.mu.Lock()
	t := f.last
	if t == nil || t.over() {
		t = &trip[T]{done: make(chan struct{})}
		f.last = t
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
