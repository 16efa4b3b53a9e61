// SPDX-License-Identifier: Apache-2.0

package unseal

import (
	"context"
	"slices"
	"sync"

	"github.com/signet-secrets/signet/seal/keys"
)

// UsedKey is a key that opened a document, or one of several that did together.
type UsedKey struct {
	Entry keys.Entry
	// SealingKey is the name of the SealingKey that the entry is for, "" if
	// another identity or a key service opened it.
	SealingKey string
}

// used is an Unwrapper that notes the entries of one document that it opened.
type used struct {
	next keys.Unwrapper

	mu   sync.Mutex
	keys []UsedKey
}

var (
	_ keys.Unwrapper = (*used)(nil)
	_ keys.Ranker    = (*used)(nil)
)

// Unwrap implements keys.Unwrapper.
func (u *used) Unwrap(ctx context.Context, e keys.Entry) ([]byte, error) {
	secret, err := u.next.Unwrap(ctx, e)
	if err != nil {
		return nil, err
	}
	k := UsedKey{Entry: e}
	if ring, ok := u.next.(*ringUnwrapper); ok {
		k.SealingKey = ring.openedWith(e)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.keys = append(u.keys, k)
	return secret, nil
}

// Rank implements keys.Ranker.
func (u *used) Rank(e keys.Entry) keys.Rank {
	return keys.RankOf(u.next, e)
}

// all returns the keys in the order in which they were used.
func (u *used) all() []UsedKey {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.keys)
}
