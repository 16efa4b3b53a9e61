// SPDX-License-Identifier: Apache-2.0

package unseal

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/signet-secrets/signet/seal/keys"
)

// unwrapper returns the Unwrapper for one document, whose Secret will be in the
// given namespace; "" for one that belongs to none.
func (o Options) unwrapper(namespace string) keys.Unwrapper {
	if o.Keyring == nil {
		return o.Unwrapper
	}
	return &ringUnwrapper{next: o.Unwrapper, ring: o.Keyring, namespace: namespace, failed: map[*ringKey]error{}, with: map[string]string{}}
}

// ringUnwrapper opens the entries of one document with what is at hand, or else
// with a SealingKey that may open documents of its namespace.
type ringUnwrapper struct {
	next      keys.Unwrapper
	ring      *Keyring
	namespace string

	mu     sync.Mutex
	failed map[*ringKey]error // keys that could not be opened for the document
	with   map[string]string  // recipient of an entry: the SealingKey that opened it
}

var (
	_ keys.Unwrapper = (*ringUnwrapper)(nil)
	_ keys.Ranker    = (*ringUnwrapper)(nil)
)

// Unwrap implements keys.Unwrapper. A SealingKey that is open is at hand too,
// and goes first: other identities may have to be asked for.
func (u *ringUnwrapper) Unwrap(ctx context.Context, e keys.Entry) ([]byte, error) {
	found := u.candidates(e)
	for _, k := range found {
		if open := k.opened(); open != nil && k.Allows(u.namespace) {
			return u.unwrap(ctx, e, k, open)
		}
	}
	secret, err := u.next.Unwrap(ctx, e)
	if len(found) == 0 || err == nil || !notAtHand(err) {
		return secret, err
	}
	return u.open(ctx, e, found)
}

// candidates returns the SealingKeys whose recipient e is for.
func (u *ringUnwrapper) candidates(e keys.Entry) []*ringKey {
	if e.Type() != keys.Age {
		return nil
	}
	return u.ring.withRecipient(e.ID())
}

// open unwraps e with the first of the keys that can be used. What that one
// cannot open no other one can: they hold the same identity.
func (u *ringUnwrapper) open(ctx context.Context, e keys.Entry, found []*ringKey) ([]byte, error) {
	var causes []error
	for _, k := range found {
		if !k.Allows(u.namespace) {
			causes = append(causes, &KeyNamespaceError{Key: k.Key, Namespace: u.namespace})
			continue
		}
		open, err := u.use(ctx, k)
		if err == nil {
			return u.unwrap(ctx, e, k, open)
		}
		causes = append(causes, err)
		if err == errTooManyKeys {
			break
		}
	}
	return nil, entryError(e, causes...)
}

// unwrap opens e with k, which is open.
func (u *ringUnwrapper) unwrap(ctx context.Context, e keys.Entry, k *ringKey, open keys.Unwrapper) ([]byte, error) {
	secret, err := open.Unwrap(ctx, e)
	if err != nil {
		return nil, entryError(e, k.failed(err))
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.with[e.ID()] = k.Name
	return secret, nil
}

// openedWith returns the name of the SealingKey that opened e, or "".
func (u *ringUnwrapper) openedWith(e keys.Entry) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.with[e.ID()]
}

// maxTried is how many SealingKeys are tried for one document, none of them
// twice. Whoever writes documents, or the repository that SealingKeys come
// from, must not be able to cause any number of calls.
const maxTried = 8

var errTooManyKeys = fmt.Errorf("%d SealingKeys were tried, the others were not", maxTried)

func (u *ringUnwrapper) use(ctx context.Context, k *ringKey) (keys.Unwrapper, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch err, again := u.failed[k]; {
	case again:
		return nil, err
	case len(u.failed) == maxTried:
		return nil, errTooManyKeys
	}
	open, err := k.use(ctx)
	if err != nil {
		u.failed[k] = k.failed(err)
		return nil, u.failed[k]
	}
	return open, nil
}

// notAtHand reports whether an error says only that no identity is at hand.
func notAtHand(err error) bool {
	return errors.Is(err, keys.ErrNoIdentity) || errors.As(err, new(*keys.UnsupportedError))
}

// Rank implements keys.Ranker.
func (u *ringUnwrapper) Rank(e keys.Entry) keys.Rank {
	rank := keys.RankOf(u.next, e)
	for _, k := range u.candidates(e) {
		switch {
		case !k.Allows(u.namespace):
		case k.opened() != nil:
			return keys.AtHand
		default:
			rank = keys.OneForMany
		}
	}
	return rank
}
