// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"bytes"
	"container/list"
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// The defaults of CacheOptions.
const (
	DefaultCacheTTL        = 10 * time.Minute
	DefaultCacheFailureTTL = 10 * time.Second
	DefaultCacheEntries    = 10_000
)

// CacheOptions bounds a Cache. Zero fields take the defaults.
type CacheOptions struct {
	TTL        time.Duration // how long a secret is kept; negative: not at all
	FailureTTL time.Duration // how long a permanent failure is kept; negative: not at all
	Entries    int           // how many of both are kept; the least recently used goes first
	Now        func() time.Time
}

// Cache is an Unwrapper that remembers what another one gave. Concurrent
// requests for one entry share one call, also with TTL off. Failures that
// are not Permanent are not remembered. It is safe for concurrent use.
//
// It belongs behind everything that decides whether an entry may be used at
// all (AllowList) and before what calls a key service.
type Cache struct {
	next   Unwrapper
	o      CacheOptions
	counts *Counters
	flight singleflight.Group

	mu      sync.Mutex
	flushes uint64
	items   map[cacheKey]*list.Element
	order   *list.List // of *cacheItem, most recently used first
}

type cacheKey [sha256.Size]byte

// cacheItem holds a secret in a function, as DataKey does.
type cacheItem struct {
	key     cacheKey
	secret  func() []byte // nil after a failure
	err     error
	expires time.Time
}

// NewCache returns a Cache before next. counts may be nil.
func NewCache(next Unwrapper, o CacheOptions, counts *Counters) *Cache {
	if o.TTL == 0 {
		o.TTL = DefaultCacheTTL
	}
	if o.FailureTTL == 0 {
		o.FailureTTL = DefaultCacheFailureTTL
	}
	if o.Entries == 0 {
		o.Entries = DefaultCacheEntries
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Cache{next: next, o: o, counts: counts, items: map[cacheKey]*list.Element{}, order: list.New()}
}

// Unwrap implements Unwrapper. When ctx ends it returns at once, but a call
// that others may wait for goes on; the next Unwrapper bounds how long.
func (c *Cache) Unwrap(ctx context.Context, e Entry) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	key := keyOf(e)
	item, flushes := c.get(key)
	if item != nil {
		c.counts.hit(e.Type())
		return item.result()
	}
	called := false
	// After a Flush nobody joins a call from before it.
	done := c.flight.DoChan(string(key[:])+strconv.FormatUint(flushes, 10), func() (any, error) {
		if item, _ := c.get(key); item != nil { // put there since we looked
			return item, nil
		}
		called = true
		secret, err := c.call(context.WithoutCancel(ctx), e)
		return c.put(flushes, key, secret, err), nil
	})
	select {
	case r := <-done:
		if !called {
			c.counts.hit(e.Type())
		}
		return r.Val.(*cacheItem).result()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// call turns a panic into an error. It would end the program otherwise, not
// just the request: a call has a goroutine of its own.
func (c *Cache) call(ctx context.Context, e Entry) (secret []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			secret, err = nil, fmt.Errorf("unwrap with %s %s: panic of type %T", e.Type(), shortID(e), r)
		}
	}()
	return c.next.Unwrap(ctx, e)
}

// result returns a copy: the caller owns it.
func (i *cacheItem) result() ([]byte, error) {
	if i.err != nil {
		return nil, i.err
	}
	return bytes.Clone(i.secret()), nil
}

// get returns the item of a key, or nil, and the number of flushes so far.
func (c *Cache) get(key cacheKey) (*cacheItem, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.items[key]
	if !ok {
		return nil, c.flushes
	}
	item := element.Value.(*cacheItem)
	if !c.o.Now().Before(item.expires) {
		c.remove(element)
		return nil, c.flushes
	}
	c.order.MoveToFront(element)
	return item, c.flushes
}

// put makes an item of the result of a call, and keeps it if that is of use and
// there was no Flush since the call began.
func (c *Cache) put(flushes uint64, key cacheKey, secret []byte, err error) *cacheItem {
	item := &cacheItem{key: key, err: err}
	ttl := c.o.TTL
	if err != nil {
		ttl = -1
		if Permanent(err) {
			ttl = c.o.FailureTTL
		}
	} else {
		item.secret = func() []byte { return secret }
	}
	if ttl <= 0 {
		return item
	}
	item.expires = c.o.Now().Add(ttl)
	c.mu.Lock()
	defer c.mu.Unlock()
	if flushes != c.flushes {
		return item
	}
	if old, ok := c.items[key]; ok {
		c.remove(old)
	}
	c.items[key] = c.order.PushFront(item)
	for c.order.Len() > c.o.Entries {
		c.remove(c.order.Back())
	}
	return item
}

// remove forgets an item. Its bytes are left to the garbage collector: whoever
// has just got the item copies them without holding the lock.
func (c *Cache) remove(element *list.Element) {
	c.order.Remove(element)
	delete(c.items, element.Value.(*cacheItem).key)
}

// Flush forgets everything, and will not remember what calls that are under
// way give; only those who wait for them now get that.
func (c *Cache) Flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flushes++
	c.items = map[cacheKey]*list.Element{}
	c.order.Init()
}

// Rank implements Ranker: what is remembered is at hand.
func (c *Cache) Rank(e Entry) Rank {
	if item, _ := c.get(keyOf(e)); item != nil && item.err == nil {
		return AtHand
	}
	return RankOf(c.next, e)
}

// keyOf digests everything of e that decides what it gives and who may see
// that.
func keyOf(e Entry) cacheKey {
	return sha256.Sum256([]byte(joinParts(append(identityParts(e), e.Wrapped()))))
}

var (
	_ Unwrapper = (*Cache)(nil)
	_ Ranker    = (*Cache)(nil)
)
