// SPDX-License-Identifier: Apache-2.0

package unseal

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/signet-secrets/signet/seal/keys"
)

// failureTTL is how long a failure is remembered that will last: long enough
// for a directory of documents, short enough for whoever has just mended it.
const failureTTL = 10 * time.Second

// ringKey is a SealingKey of a ring: closed at first, then open.
type ringKey struct {
	Key
	options KeyOptions
	flight  singleflight.Group

	mu        sync.Mutex
	unwrapper keys.Unwrapper // nil: closed
	failure   error          // until retry
	retry     time.Time
}

// opened returns the Unwrapper of a key that is open, or nil.
func (k *ringKey) opened() keys.Unwrapper {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.unwrapper
}

// use returns the Unwrapper, and opens the key first if need be. Callers share
// one attempt, which goes on when the ctx of one of them ends.
func (k *ringKey) use(ctx context.Context) (keys.Unwrapper, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if u, err := k.known(); u != nil || err != nil {
		return u, err
	}
	done := k.flight.DoChan("", func() (any, error) {
		if u, err := k.known(); u != nil || err != nil { // another attempt has just ended
			return u, err
		}
		opened, err := k.options.open(context.WithoutCancel(ctx), k.SealingKey)
		if k.options.Observe != nil {
			k.options.Observe(k.Key, err)
		}
		return k.remember(opened, err)
	})
	select {
	case r := <-done:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(keys.Unwrapper), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// known returns the outcome of an earlier attempt, or nil twice.
func (k *ringKey) known() (keys.Unwrapper, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failure != nil && time.Now().Before(k.retry) {
		return nil, k.failure
	}
	return k.unwrapper, nil
}

func (k *ringKey) remember(opened *OpenedKey, err error) (keys.Unwrapper, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		if lasting(err) {
			k.failure, k.retry = err, time.Now().Add(failureTTL)
		}
		return nil, err
	}
	k.unwrapper, k.failure = opened.unwrapper, nil
	return k.unwrapper, nil
}

// lasting reports whether opening a SealingKey again is in vain for now: every
// key was refused or not at hand, or the document is to blame.
func lasting(err error) bool {
	none := new(keys.NoKeyError)
	if !errors.As(err, &none) {
		return true
	}
	return !slices.ContainsFunc(none.Attempts, func(a keys.Attempt) bool {
		return !keys.Permanent(a.Err) && !errors.Is(a.Err, keys.ErrNoIdentity)
	})
}
