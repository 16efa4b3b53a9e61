// SPDX-License-Identifier: Apache-2.0

package keys

import "context"

// Limit bounds how many calls run at the same time, over everything that it
// was put before. It is safe for concurrent use.
type Limit struct {
	slots chan struct{}
}

// NewLimit returns a Limit of n calls, at least one.
func NewLimit(n int) *Limit { return &Limit{slots: make(chan struct{}, max(n, 1))} }

// acquire waits for a slot, or for the end of ctx.
func (l *Limit) acquire(ctx context.Context) error {
	select {
	case l.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Limit) release() { <-l.slots }

// Unwrapper returns u behind the limit.
func (l *Limit) Unwrapper(u Unwrapper) Unwrapper { return limitedUnwrapper{l, u} }

// Wrapper returns w behind the limit.
func (l *Limit) Wrapper(w Wrapper) Wrapper { return limitedWrapper{l, w} }

type limitedUnwrapper struct {
	limit *Limit
	next  Unwrapper
}

func (u limitedUnwrapper) Unwrap(ctx context.Context, e Entry) ([]byte, error) {
	if err := u.limit.acquire(ctx); err != nil {
		return nil, err
	}
	defer u.limit.release()
	return u.next.Unwrap(ctx, e)
}

func (u limitedUnwrapper) Rank(e Entry) Rank { return RankOf(u.next, e) }

type limitedWrapper struct {
	limit *Limit
	next  Wrapper
}

func (w limitedWrapper) Wrap(ctx context.Context, to Entry, secret []byte) (Entry, error) {
	if err := w.limit.acquire(ctx); err != nil {
		return nil, err
	}
	defer w.limit.release()
	return w.next.Wrap(ctx, to, secret)
}

var (
	_ Unwrapper = limitedUnwrapper{}
	_ Ranker    = limitedUnwrapper{}
	_ Wrapper   = limitedWrapper{}
)
