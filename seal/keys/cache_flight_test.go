// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// slowService answers when it is told to.
type slowService struct {
	release chan struct{}
	mu      sync.Mutex
	calls   int
	err     error
}

func (s *slowService) Unwrap(ctx context.Context, _ Entry) ([]byte, error) {
	s.mu.Lock()
	s.calls++
	err := s.err
	s.mu.Unlock()
	select {
	case <-s.release:
		return []byte("aaaa"), err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *slowService) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// outcome is what a caller got.
type outcome struct {
	secret []byte
	err    error
}

// unwrapIn has n callers ask for e.
func unwrapIn(ctx context.Context, c *Cache, n int, e Entry) <-chan outcome {
	done := make(chan outcome, n)
	for range n {
		go func() {
			secret, err := c.Unwrap(ctx, e)
			done <- outcome{secret, err}
		}()
	}
	return done
}

// TestCacheFlight has 200 callers ask at once, with and without a TTL.
func TestCacheFlight(t *testing.T) {
	const callers = 200
	for name, ttl := range map[string]time.Duration{"kept": time.Hour, "not kept": -1} {
		for result, failure := range map[string]error{"secret": nil, "transient": busy(secretA), "permanent": denied(secretA)} {
			t.Run(result+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &slowService{release: make(chan struct{}), err: failure}
					counts := &Counters{}
					c := NewCache(counts.Unwrapper(s), CacheOptions{TTL: ttl, FailureTTL: ttl}, counts)
					done := unwrapIn(t.Context(), c, callers, secretA)
					synctest.Wait() // until all of them wait
					if s.count() != 1 {
						t.Errorf("%d calls", s.count())
					}
					close(s.release)
					for range callers {
						got := <-done
						if got.err != failure || failure == nil && string(got.secret) != "aaaa" {
							t.Fatalf("got %q, %v", got.secret, got.err)
						}
						clear(got.secret) // each has its own copy
					}
					if got := counts.Counts()[PGP]; got.Unwraps != 1 || got.Hits != callers-1 {
						t.Errorf("counted %+v", got)
					}
					kept := ttl > 0 && (failure == nil || Permanent(failure))
					if _, err := c.Unwrap(t.Context(), secretA); err != failure || (s.count() == 1) != kept {
						t.Errorf("afterwards: %d calls, %v", s.count(), err)
					}
				})
			})
		}
	}
}

// TestCacheFlightsApart has two entries wait for two calls.
func TestCacheFlightsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowService{release: make(chan struct{})}
		c := NewCache(s, CacheOptions{}, nil)
		a, b := unwrapIn(t.Context(), c, 3, secretA), unwrapIn(t.Context(), c, 3, secretB)
		synctest.Wait()
		if s.count() != 2 {
			t.Errorf("%d calls", s.count())
		}
		close(s.release)
		for range 3 {
			if x, y := <-a, <-b; x.err != nil || y.err != nil {
				t.Error(x.err, y.err)
			}
		}
	})
}

// TestCacheCancel ends the context of one caller while others wait; whether it
// was the one who came first, or not, the others get the secret.
func TestCacheCancel(t *testing.T) {
	for _, first := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := &slowService{release: make(chan struct{})}
			c := NewCache(s, CacheOptions{}, nil)
			ctx, cancel := context.WithCancel(t.Context())
			contexts := []context.Context{ctx, t.Context()}
			if !first {
				contexts = []context.Context{t.Context(), ctx}
			}
			var done [2]<-chan outcome
			for i, ctx := range contexts {
				done[i] = unwrapIn(ctx, c, 1, secretA)
				synctest.Wait()
			}
			cancelled, other := done[0], done[1]
			if !first {
				cancelled, other = other, cancelled
			}
			cancel()
			if got := <-cancelled; got.secret != nil || got.err != context.Canceled { // at once: nothing was released
				t.Errorf("got %q, %v", got.secret, got.err)
			}
			synctest.Wait()
			close(s.release)
			if got := <-other; string(got.secret) != "aaaa" || got.err != nil || s.count() != 1 {
				t.Errorf("the other got %q, %v after %d calls", got.secret, got.err, s.count())
			}
		})
	}
}

// TestCacheCancelAlone keeps what came for a caller who has left.
func TestCacheCancelAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowService{release: make(chan struct{})}
		c := NewCache(s, CacheOptions{}, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Unwrap(ctx, secretA); err != context.DeadlineExceeded {
			t.Errorf("got %v", err)
		}
		close(s.release)
		synctest.Wait()
		unwrapsTo(t, c, secretA, "aaaa")
		if s.count() != 1 {
			t.Errorf("%d calls", s.count())
		}
	})
}

// TestCacheFlushDuringCall flushes while a call is under way: who waits gets its
// result, nobody else does, and it is not kept.
func TestCacheFlushDuringCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowService{release: make(chan struct{})}
		c := NewCache(s, CacheOptions{}, nil)
		before := unwrapIn(t.Context(), c, 1, secretA)
		synctest.Wait()
		c.Flush()
		after := unwrapIn(t.Context(), c, 1, secretA)
		synctest.Wait()
		if s.count() != 2 {
			t.Errorf("after a Flush: %d calls", s.count())
		}
		c.Flush()
		close(s.release)
		for _, done := range []<-chan outcome{before, after} {
			if got := <-done; string(got.secret) != "aaaa" || got.err != nil {
				t.Errorf("got %q, %v", got.secret, got.err)
			}
		}
		if len(c.items) != 0 || c.order.Len() != 0 || c.Rank(secretA) == AtHand {
			t.Error("the result of a call from before the Flush was kept")
		}
	})
}

// TestCachePanic has the service panic: the caller gets an error, without the
// text of the panic, and the next call is made.
func TestCachePanic(t *testing.T) {
	calls := 0
	c := NewCache(unwrapFunc(func(context.Context, Entry) ([]byte, error) {
		if calls++; calls == 1 {
			panic("canary")
		}
		return []byte("aaaa"), nil
	}), CacheOptions{}, nil)
	_, err := c.Unwrap(t.Context(), secretA)
	if err == nil || err.Error() != "unwrap with pgp A: panic of type string" || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
	unwrapsTo(t, c, secretA, "aaaa")
}

// TestCacheOneCall has callers come while the call of another one ends: they
// must not make a second one.
func TestCacheOneCall(t *testing.T) {
	for range 2000 {
		s := &plainService{}
		c := NewCache(s, CacheOptions{}, nil)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { unwrapsTo(t, c, secretA, "aaaa") })
		}
		all.Wait()
		if n := len(s.called()); n != 1 {
			t.Fatalf("%d calls", n)
		}
	}
}

// TestCacheConcurrently is for the race detector.
func TestCacheConcurrently(t *testing.T) {
	s, counts := &plainService{fail: map[string]error{"B": denied(secretB)}}, &Counters{}
	c := NewCache(counts.Unwrapper(s), CacheOptions{Entries: 3, TTL: 50 * time.Microsecond}, counts)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for n := range 200 {
				e := group("A", "B", "C", "D", "E")[(i+n)%5]
				e = with(e, "YWFhYQ==")
				secret, err := c.Unwrap(t.Context(), e)
				if failed := e.ID() == "B"; failed != (err != nil) || !failed && string(secret) != "aaaa" {
					t.Errorf("%s: %q, %v", e.ID(), secret, err)
				}
				clear(secret)
				c.Rank(e)
				if n%50 == 0 {
					c.Flush()
				}
			}
		})
	}
	all.Wait()
	got := counts.Counts()[PGP]
	if got.Unwraps+got.Hits != 16*200 || got.Unwraps != uint64(len(s.called())) {
		t.Errorf("counted %+v", got)
	}
}
