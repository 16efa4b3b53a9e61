// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
)

// gauge counts the calls under way, which end when release is closed.
type gauge struct {
	release chan struct{}
	err     error

	mu        sync.Mutex
	now, most int
}

func (g *gauge) run() error {
	g.mu.Lock()
	g.now++
	g.most = max(g.most, g.now)
	g.mu.Unlock()
	<-g.release
	g.mu.Lock()
	g.now--
	g.mu.Unlock()
	return g.err
}

func (g *gauge) Unwrap(context.Context, Entry) ([]byte, error) { return []byte("aaaa"), g.run() }

func (g *gauge) Wrap(_ context.Context, to Entry, _ []byte) (Entry, error) { return to, g.run() }

func (g *gauge) underWay() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now
}

// TestLimit runs wraps and unwraps of two services behind one limit.
func TestLimit(t *testing.T) {
	for _, tt := range []struct {
		name    string
		n, want int
	}{{"three", 3, 3}, {"one", 1, 1}, {"none is one", 0, 1}, {"negative is one", -5, 1}, {"enough for all", 100, 40}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gauge{release: make(chan struct{}), err: busy(secretA)}
				l := NewLimit(tt.n)
				u, w := l.Unwrapper(g), l.Wrapper(g)
				u2 := l.Unwrapper(unwrapFunc(g.Unwrap))
				var all sync.WaitGroup
				for i := range 40 {
					all.Go(func() {
						var err error
						switch i % 3 {
						case 0:
							_, err = u.Unwrap(t.Context(), secretA)
						case 1:
							_, err = u2.Unwrap(t.Context(), secretA)
						default:
							_, err = w.Wrap(t.Context(), secretA, nil)
						}
						if err != g.err {
							t.Errorf("got %v", err)
						}
					})
				}
				synctest.Wait()
				if got := g.underWay(); got != tt.want {
					t.Errorf("%d calls under way, want %d", got, tt.want)
				}
				close(g.release)
				all.Wait()
				if g.most != tt.want {
					t.Errorf("at most %d calls at once, want %d", g.most, tt.want)
				}
			})
		})
	}
}

// TestLimitContext ends the context of those who wait for their turn.
func TestLimitContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{release: make(chan struct{})}
		l := NewLimit(1)
		first := make(chan error, 1)
		go func() {
			_, err := l.Unwrapper(g).Unwrap(t.Context(), secretA)
			first <- err
		}()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		waiting := make(chan error, 2)
		go func() {
			_, err := l.Unwrapper(g).Unwrap(ctx, secretA)
			waiting <- err
		}()
		go func() {
			_, err := l.Wrapper(g).Wrap(ctx, secretA, nil)
			waiting <- err
		}()
		synctest.Wait()
		if len(waiting) > 0 {
			t.Errorf("does not wait: %v", <-waiting)
		}
		cancel()
		for range 2 {
			if err := <-waiting; err != context.Canceled {
				t.Errorf("got %v", err)
			}
		}
		if g.most != 1 {
			t.Errorf("%d calls at once", g.most)
		}
		close(g.release)
		if err := <-first; err != nil {
			t.Error(err)
		}
		if _, err := l.Unwrapper(g).Unwrap(t.Context(), secretA); err != nil {
			t.Errorf("who left keeps the place: %v", err)
		}
	})
}

// TestLimitPanic gives the place back.
func TestLimitPanic(t *testing.T) {
	l := NewLimit(1)
	for range 2 {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_, _ = l.Unwrapper(unwrapFunc(nil)).Unwrap(t.Context(), secretA)
		}()
		func() {
			defer func() { _ = recover() }()
			_, _ = l.Wrapper(wrapFunc(nil)).Wrap(t.Context(), secretA, nil)
		}()
	}
	if len(l.slots) != 0 {
		t.Error("a place is taken for ever")
	}
}

func TestCounters(t *testing.T) {
	s := &plainService{fail: map[string]error{"bad": errors.New("x")}}
	c := &Counters{}
	if len(c.Counts()) != 0 {
		t.Errorf("counted %v", c.Counts())
	}
	u, w := c.Unwrapper(s), c.Wrapper(s)
	for _, id := range []string{"A", "bad", "A"} {
		_, _ = u.Unwrap(t.Context(), PGPEntry{Fingerprint: id})
		_, _ = w.Wrap(t.Context(), PGPEntry{Fingerprint: id}, nil)
	}
	_, _ = u.Unwrap(t.Context(), KMSEntry{ARN: "bad"})
	_, _ = w.Wrap(t.Context(), KMSEntry{ARN: arn1}, nil)
	c.hit(Age)
	want := map[Type]Counts{PGP: {Wraps: 3, Unwraps: 3, Failures: 2}, AWSKMS: {Wraps: 1, Unwraps: 1, Failures: 1}, Age: {Hits: 1}}
	got := c.Counts()
	for _, typ := range Types {
		if got[typ] != want[typ] {
			t.Errorf("%s: %+v, want %+v", typ, got[typ], want[typ])
		}
	}
	got[PGP] = Counts{}
	if c.Counts()[PGP] != want[PGP] {
		t.Error("Counts gave the counters themselves away")
	}
	if got, err := u.Unwrap(t.Context(), secretA); err != nil || string(got) != "aaaa" {
		t.Errorf("got %q, %v", got, err)
	}
	if e, err := w.Wrap(t.Context(), PGPEntry{Fingerprint: "A"}, []byte("aaaa")); err != nil || e != Entry(secretA) {
		t.Errorf("got %v, %v", e, err)
	}
}

// TestCountersNil counts nothing and hinders nothing.
func TestCountersNil(t *testing.T) {
	var c *Counters
	s := &plainService{fail: map[string]error{"bad": errors.New("x")}}
	u := NewCache(c.Unwrapper(s), CacheOptions{}, c)
	unwrapsTo(t, u, secretA, "aaaa")
	unwrapsTo(t, u, secretA, "aaaa")
	if _, err := u.Unwrap(t.Context(), PGPEntry{Fingerprint: "bad"}); err != s.fail["bad"] {
		t.Errorf("got %v", err)
	}
	if _, err := c.Wrapper(s).Wrap(t.Context(), secretA, nil); err != nil {
		t.Error(err)
	}
	if got := c.Counts(); len(got) != 0 {
		t.Errorf("counted %v", got)
	}
}

// TestCountersWithCache counts what the cache answers as hits, and only calls
// as calls.
func TestCountersWithCache(t *testing.T) {
	s, c := &plainService{fail: map[string]error{"B": denied(secretB)}}, &Counters{}
	u := NewCache(c.Unwrapper(s), CacheOptions{}, c)
	for range 5 {
		unwrapsTo(t, u, secretA, "aaaa")
		if _, err := u.Unwrap(t.Context(), secretB); err == nil {
			t.Error("no error")
		}
	}
	if got, want := c.Counts()[PGP], (Counts{Unwraps: 2, Failures: 1, Hits: 8}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

// TestRanks asks for ranks through everything that can stand before a service.
func TestRanks(t *testing.T) {
	s := &plainService{rank: map[string]Rank{"A": OneForMany}}
	stack := func(u Unwrapper) Unwrapper {
		u = NewLimit(1).Unwrapper((&Counters{}).Unwrapper(u))
		return AllowList{}.Unwrapper(Unwrappers{PGP: NewCache(u, CacheOptions{}, nil), Age: u})
	}
	for _, tt := range []struct {
		name string
		u    Unwrapper
		e    Entry
		want Rank
	}{
		{"of a Ranker", stack(s), secretA, OneForMany},
		{"of another key", stack(s), secretB, Near},
		{"of no Ranker", stack(unwrapFunc(nil)), secretA, Far},
		{"age of no Ranker", stack(unwrapFunc(nil)), AgeEntry{}, AtHand},
		{"not built in", stack(s), KMSEntry{}, Far},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := RankOf(tt.u, tt.e); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
