// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// clock is a time that a test sets forward.
type clock struct{ now time.Time }

func newClock() *clock {
	return &clock{time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)}
}

func (c *clock) time() time.Time { return c.now }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

// unwrapsTo has u unwrap e and wants text.
func unwrapsTo(t *testing.T, u Unwrapper, e Entry, text string) {
	t.Helper()
	got, err := u.Unwrap(t.Context(), e)
	if err != nil || string(got) != text {
		t.Errorf("unwrap %s: %q, %v, want %q", e.ID(), got, err, text)
	}
}

// wantCalls wants calls of s since the last time.
func wantCalls(t *testing.T, s *plainService, ids ...string) {
	t.Helper()
	if got := s.called(); !slices.Equal(got, ids) {
		t.Errorf("calls %v, want %v", got, ids)
	}
}

var secretA, secretB = PGPEntry{Fingerprint: "A", Enc: "YWFhYQ=="}, PGPEntry{Fingerprint: "B", Enc: "YmJiYg=="}

func TestCacheTTL(t *testing.T) {
	s, now := &plainService{}, newClock()
	c := NewCache(s, CacheOptions{Now: now.time}, nil)
	unwrapsTo(t, c, secretA, "aaaa")
	wantCalls(t, s, "A")
	now.pass(DefaultCacheTTL - 1)
	unwrapsTo(t, c, secretA, "aaaa")
	wantCalls(t, s)
	now.pass(1)
	unwrapsTo(t, c, secretA, "aaaa")
	wantCalls(t, s, "A")
	if len(c.items) != 1 || c.order.Len() != 1 {
		t.Errorf("%d items, %d in order", len(c.items), c.order.Len())
	}

	c = NewCache(s, CacheOptions{TTL: time.Second, Now: now.time}, nil)
	unwrapsTo(t, c, secretA, "aaaa")
	now.pass(time.Second)
	if c.Rank(secretA) != Near || len(c.items) != 0 {
		t.Error("an old secret is still there")
	}
}

func TestCacheFailures(t *testing.T) {
	tests := []struct {
		name string
		err  error
		ttl  time.Duration // how long it is remembered
	}{
		{"permanent", denied(secretA), DefaultCacheFailureTTL},
		{"permanent within another", fmt.Errorf("x: %w", denied(secretA)), DefaultCacheFailureTTL},
		{"transient", busy(secretA), 0},
		{"unknown", errors.New("x"), 0},
		{"no identity", ErrNoIdentity, 0},
		{"timeout", context.DeadlineExceeded, 0},
		{"cancelled by the service", context.Canceled, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, now := &plainService{fail: map[string]error{"A": tt.err}}, newClock()
			c := NewCache(s, CacheOptions{Now: now.time}, nil)
			fails := func() {
				t.Helper()
				if _, err := c.Unwrap(t.Context(), secretA); err != tt.err {
					t.Errorf("got %v", err)
				}
			}
			fails()
			wantCalls(t, s, "A")
			if c.Rank(secretA) != Near {
				t.Error("a failure is at hand")
			}
			if tt.ttl == 0 {
				fails()
				wantCalls(t, s, "A")
			} else {
				now.pass(tt.ttl - 1)
				fails()
				wantCalls(t, s)
				now.pass(1)
			}
			s.fail = nil
			unwrapsTo(t, c, secretA, "aaaa")
			wantCalls(t, s, "A")
		})
	}
}

func TestCacheFailureTTLOff(t *testing.T) {
	s := &plainService{fail: map[string]error{"A": denied(secretA)}}
	c := NewCache(s, CacheOptions{FailureTTL: -1}, nil)
	for range 3 {
		if _, err := c.Unwrap(t.Context(), secretA); err == nil {
			t.Error("no error")
		}
	}
	wantCalls(t, s, "A", "A", "A")
	unwrapsTo(t, c, secretB, "bbbb")
	unwrapsTo(t, c, secretB, "bbbb")
	wantCalls(t, s, "B")
}

// TestCacheTTLOff keeps failures, but no secret.
func TestCacheTTLOff(t *testing.T) {
	s := &plainService{fail: map[string]error{"B": denied(secretB)}}
	c := NewCache(s, CacheOptions{TTL: -1}, nil)
	for range 3 {
		unwrapsTo(t, c, secretA, "aaaa")
		if _, err := c.Unwrap(t.Context(), secretB); err == nil {
			t.Error("no error")
		}
	}
	wantCalls(t, s, "A", "B", "A", "A")
	if c.Rank(secretA) != Near || len(c.items) != 1 {
		t.Error("a secret was kept")
	}
}

func TestCacheEntries(t *testing.T) {
	s := &plainService{fail: map[string]error{"C": denied(PGPEntry{Fingerprint: "C"})}}
	c := NewCache(s, CacheOptions{Entries: 2}, nil)
	failing := PGPEntry{Fingerprint: "C", Enc: "Y2NjYw=="}
	unwrapsTo(t, c, secretA, "aaaa")
	unwrapsTo(t, c, secretB, "bbbb")
	unwrapsTo(t, c, secretA, "aaaa") // B is now the least recently used
	wantCalls(t, s, "A", "B")
	if _, err := c.Unwrap(t.Context(), failing); err == nil {
		t.Error("no error")
	}
	wantCalls(t, s, "C")
	if len(c.items) != 2 || c.order.Len() != 2 {
		t.Errorf("%d items, %d in order", len(c.items), c.order.Len())
	}
	unwrapsTo(t, c, secretA, "aaaa")
	wantCalls(t, s)
	unwrapsTo(t, c, secretB, "bbbb") // C goes
	wantCalls(t, s, "B")
	unwrapsTo(t, c, secretA, "aaaa")
	wantCalls(t, s)
	if _, err := c.Unwrap(t.Context(), failing); err == nil {
		t.Error("no error")
	}
	wantCalls(t, s, "C")
	for i := range 100 {
		unwrapsTo(t, c, PGPEntry{Fingerprint: fmt.Sprint(i)}, "")
	}
	if len(c.items) != 2 || c.order.Len() != 2 {
		t.Errorf("%d items, %d in order", len(c.items), c.order.Len())
	}
}

func TestCacheFlush(t *testing.T) {
	s := &plainService{fail: map[string]error{"B": denied(secretB)}}
	c := NewCache(s, CacheOptions{}, nil)
	both := func() {
		unwrapsTo(t, c, secretA, "aaaa")
		if _, err := c.Unwrap(t.Context(), secretB); err == nil {
			t.Error("no error")
		}
	}
	both()
	both()
	wantCalls(t, s, "A", "B")
	c.Flush()
	if len(c.items) != 0 || c.order.Len() != 0 || c.Rank(secretA) != Near {
		t.Error("something is left")
	}
	both()
	wantCalls(t, s, "A", "B")
}

// TestCacheCopies changes what callers got.
func TestCacheCopies(t *testing.T) {
	for name, ttl := range map[string]time.Duration{"kept": time.Hour, "not kept": -1} {
		t.Run(name, func(t *testing.T) {
			given := []byte("aaaa")
			c := NewCache(unwrapFunc(func(context.Context, Entry) ([]byte, error) { return given, nil }), CacheOptions{TTL: ttl}, nil)
			for range 3 {
				got, err := c.Unwrap(t.Context(), secretA)
				if err != nil || string(got) != "aaaa" {
					t.Fatalf("got %q, %v", got, err)
				}
				clear(got)
			}
			if string(given) != "aaaa" {
				t.Error("the caller got the cache's own bytes")
			}
		})
	}
}

// TestCacheHides prints a cache that holds a secret.
func TestCacheHides(t *testing.T) {
	raw := []byte("canary-canary-canary-canary-abcd")
	c := NewCache(&plainService{}, CacheOptions{}, nil)
	c.put(0, keyOf(secretA), raw, nil) // without a call, whose goroutine might not have ended
	item, _ := c.get(keyOf(secretA))
	for _, v := range []any{c, *item} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s"} {
			text := fmt.Sprintf(verb, v)
			for form, leak := range forms(raw) {
				if strings.Contains(text, leak) {
					t.Errorf("%s of %T shows the secret as %s", verb, v, form)
				}
			}
		}
	}
}

func TestCacheRank(t *testing.T) {
	s := &plainService{rank: map[string]Rank{"A": OneForMany}}
	c := NewCache(s, CacheOptions{}, nil)
	if c.Rank(secretA) != OneForMany || c.Rank(secretB) != Near {
		t.Error("not the ranks of the next Unwrapper")
	}
	unwrapsTo(t, c, secretA, "aaaa")
	if c.Rank(secretA) != AtHand || c.Rank(secretB) != Near {
		t.Error("what is remembered is not at hand")
	}
	if c.Rank(PGPEntry{Fingerprint: "A", Enc: "other"}) != OneForMany {
		t.Error("something else wrapped by the same key is at hand")
	}
	plain := NewCache(unwrapFunc(nil), CacheOptions{}, nil)
	if plain.Rank(AgeEntry{}) != AtHand || plain.Rank(KMSEntry{}) != Far {
		t.Error("not the ranks of an Unwrapper without any")
	}
}

// TestCacheEndedContext gives nothing, not even what is remembered.
func TestCacheEndedContext(t *testing.T) {
	s := &plainService{}
	c := NewCache(s, CacheOptions{}, nil)
	unwrapsTo(t, c, secretA, "aaaa")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, e := range []Entry{secretA, secretB} {
		if got, err := c.Unwrap(ctx, e); got != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("got %q, %v", got, err)
		}
	}
	wantCalls(t, s, "A")
}

// TestAllowListBeforeCache asks for an entry that the cache holds, under a list
// that does not name it.
func TestAllowListBeforeCache(t *testing.T) {
	s := &plainService{}
	c := NewCache(s, CacheOptions{}, nil)
	unwrapsTo(t, allowed(t, "pgp=A").Unwrapper(c), secretA, "aaaa")
	wantCalls(t, s, "A")
	got, err := allowed(t, "pgp=B kms=*").Unwrapper(c).Unwrap(t.Context(), secretA)
	if no := new(NotAllowedError); got != nil || !errors.As(err, &no) || no.Value != "A" {
		t.Errorf("got %q, %v", got, err)
	}
	role := KMSEntry{ARN: arn1, Role: role1, Enc: "cccc"}
	if _, err := c.Unwrap(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	s.called()
	got, err = allowed(t, "kms=*").Unwrapper(c).Unwrap(t.Context(), role)
	if no := new(NotAllowedError); got != nil || !errors.As(err, &no) || no.Kind != AllowRole {
		t.Errorf("got %q, %v", got, err)
	}
	e, err := allowed(t, "").Wrapper(s).Wrap(t.Context(), PGPEntry{Fingerprint: "A"}, []byte("aaaa"))
	if no := new(NotAllowedError); e != nil || !errors.As(err, &no) || no.Value != "A" {
		t.Errorf("wrap: got %v, %v", e, err)
	}
	wantCalls(t, s)
	if e, err := allowed(t, "pgp=A").Wrapper(s).Wrap(t.Context(), PGPEntry{Fingerprint: "A"}, []byte("aaaa")); err != nil || e != Entry(secretA) {
		t.Errorf("wrap: got %v, %v", e, err)
	}
	if got := RankOf(AllowList{}.Unwrapper(c), secretA); got != AtHand {
		t.Errorf("rank %d", got)
	}
}
