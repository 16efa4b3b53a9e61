// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"maps"
	"sync"
)

// Counts is what happened with the keys of one type.
type Counts struct {
	Wraps    uint64 // calls to wrap, failed ones included
	Unwraps  uint64 // calls to unwrap, failed ones included
	Failures uint64 // of both
	Hits     uint64 // unwraps that a Cache answered without a call of their own
}

// Counters counts calls by key type. The zero value is ready, and a nil
// *Counters counts nothing. It is safe for concurrent use.
type Counters struct {
	mu     sync.Mutex
	counts map[Type]Counts
}

// Counts returns what was counted so far.
func (c *Counters) Counts() map[Type]Counts {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.counts)
}

func (c *Counters) add(t Type, change func(*Counts)) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[Type]Counts{}
	}
	now := c.counts[t]
	change(&now)
	c.counts[t] = now
}

func (c *Counters) hit(t Type) { c.add(t, func(n *Counts) { n.Hits++ }) }

func (c *Counters) failed(t Type, err error) {
	if err != nil {
		c.add(t, func(n *Counts) { n.Failures++ })
	}
}

// Unwrapper returns u with its calls counted.
func (c *Counters) Unwrapper(u Unwrapper) Unwrapper { return countedUnwrapper{c, u} }

// Wrapper returns w with its calls counted.
func (c *Counters) Wrapper(w Wrapper) Wrapper { return countedWrapper{c, w} }

type countedUnwrapper struct {
	counters *Counters
	next     Unwrapper
}

func (u countedUnwrapper) Unwrap(ctx context.Context, e Entry) ([]byte, error) {
	u.counters.add(e.Type(), func(n *Counts) { n.Unwraps++ })
	secret, err := u.next.Unwrap(ctx, e)
	u.counters.failed(e.Type(), err)
	return secret, err
}

func (u countedUnwrapper) Rank(e Entry) Rank { return RankOf(u.next, e) }

type countedWrapper struct {
	counters *Counters
	next     Wrapper
}

func (w countedWrapper) Wrap(ctx context.Context, to Entry, secret []byte) (Entry, error) {
	w.counters.add(to.Type(), func(n *Counts) { n.Wraps++ })
	e, err := w.next.Wrap(ctx, to, secret)
	w.counters.failed(to.Type(), err)
	return e, err
}

var (
	_ Unwrapper = countedUnwrapper{}
	_ Ranker    = countedUnwrapper{}
	_ Wrapper   = countedWrapper{}
)
