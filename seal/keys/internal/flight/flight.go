// SPDX-License-Identifier: Apache-2.0

// Package flight lets those who need the same thing at the same time, such as a
// token, share the work of getting it, and its failure. It keeps no results:
// that is for who knows how long they are good for.
package flight

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// FailureTTL is how long a failure stands in for trying again: hundreds of
// documents that need the same credentials fail together, not one timeout after
// the other.
const FailureTTL = 5 * time.Second

// maxTrips bounds how many failures are kept.
const maxTrips = 64

// Group does one piece of work for all who ask for it under the same key at the
// same time. What it gave is not given to those who ask later, but a failure is,
// for FailureTTL. The zero value is ready. It is safe for concurrent use.
type Group[K comparable, V any] struct {
	mu   sync.Mutex
	last map[K]*trip[V]
}

// trip is one run of the work. Its fields are set before done is closed.
type trip[V any] struct {
	done  chan struct{}
	value V
	err   error
	until time.Time // end of a failure's life
}

// Do waits for the work no longer than ctx, whose cause is the error then. The
// work is for all who wait: it has a goroutine of its own and must end by
// itself, not with the context of one of them. A panic of it is an error, as
// Safely makes it.
func (g *Group[K, V]) Do(ctx context.Context, k K, work func() (V, error)) (V, error) {
	g.mu.Lock()
	t := g.last[k]
	if t == nil || t.over() {
		t = &trip[V]{done: make(chan struct{})}
		g.put(k, t)
		go t.run(work)
	}
	g.mu.Unlock()
	select {
	case <-t.done:
		return t.value, t.err
	case <-ctx.Done():
		var none V
		return none, context.Cause(ctx)
	}
}

// put adds t. Where there are too many, any other one makes room: who waits for
// it still gets it.
func (g *Group[K, V]) put(k K, t *trip[V]) {
	if g.last == nil {
		g.last = map[K]*trip[V]{}
	}
	for other := range g.last {
		if len(g.last) < maxTrips {
			break
		}
		delete(g.last, other)
	}
	g.last[k] = t
}

func (t *trip[V]) run(work func() (V, error)) {
	defer close(t.done)
	t.value, t.err = Safely(work)
	t.until = time.Now().Add(FailureTTL)
}

// over reports whether t has nothing for those who ask now.
func (t *trip[V]) over() bool {
	select {
	case <-t.done:
		return t.err == nil || time.Now().After(t.until)
	default:
		return false
	}
}

// Trouble reports whether some work is under way, or failed less than
// FailureTTL ago.
func (g *Group[K, V]) Trouble() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.last {
		if !t.over() {
			return true
		}
	}
	return false
}

// Safely does work and makes an error of a panic, which would end the program
// in a goroutine that belongs to nobody. The error shows the type of what
// work panicked with, because its text may hold secrets.
func Safely[V any](work func() (V, error)) (value V, err error) {
	defer func() {
		if r := recover(); r != nil {
			var none V
			value, err = none, fmt.Errorf("panic of type %T", r)
		}
	}()
	return work()
}
