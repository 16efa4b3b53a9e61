// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
)

// MaxCalls is how many key services are called for one document. What the
// allow-list or the program's lack of a key service rules out does not count,
// nor does what is at hand. Whoever writes a document must not be able to cause
// any number of calls.
const MaxCalls = 32

// Attempt is a key that was tried, and why it did not give the data key. The
// error names the key.
type Attempt struct {
	Entry Entry
	Err   error
}

// NoKeyError says that none of the keys of a document gave its data key, or
// not enough of its key groups their share.
type NoKeyError struct {
	Attempts []Attempt
	// Opened, Needed and Untried are numbers of key groups; 0 without groups.
	// Untried ones were not asked because they could not have been enough.
	Opened, Needed, Untried int
}

func (e *NoKeyError) Error() string {
	var b strings.Builder
	b.WriteString("no key could unwrap the data key")
	if e.Needed > 0 {
		fmt.Fprintf(&b, ": %d of the %d key groups that are needed gave their share", e.Opened, e.Needed)
	}
	switch {
	case e.Untried == 1:
		b.WriteString(", and another one was not asked because it could not have been enough")
	case e.Untried > 1:
		fmt.Fprintf(&b, ", and %d others were not asked because they could not have been enough", e.Untried)
	}
	for _, a := range e.Attempts {
		fmt.Fprintf(&b, "\n  %v", a.Err)
	}
	return b.String()
}

// Unwrap returns the cause of each attempt.
func (e *NoKeyError) Unwrap() []error {
	errs := make([]error, len(e.Attempts))
	for i, a := range e.Attempts {
		errs[i] = a.Err
	}
	return errs
}

// errTooManyCalls stands for all keys that were not tried.
var errTooManyCalls = fmt.Errorf("%d keys were tried, the others were not", MaxCalls)

// UnwrapAny returns the data key from the first entry that gives it, in the
// order of the Ranker u, if it is one, and then of the document. With key
// groups it takes one share from as many groups as are needed, those with the
// least costly keys first. What an entry gives is final, whether or not the
// document then opens under it. The error is a *NoKeyError with every attempt,
// or that of ctx; another one says that what was unwrapped is no data key, or
// that the document could not have been made by SOPS. An entry that stands there
// more than once is tried once.
//
// An Unwrapper may call UnwrapAny with the ctx it was given, for a key that is
// wrapped itself; both count towards the same MaxCalls.
func UnwrapAny(ctx context.Context, u Unwrapper, r Recipients) (DataKey, error) {
	ctx, calls := countCalls(ctx)
	t := &tries{u: u, calls: calls, known: map[cacheKey]struct{}{}}
	if len(r.Groups) <= 1 {
		secret, e, err := t.group(ctx, Group(r.Entries()))
		if err != nil {
			return DataKey{}, err
		}
		k, err := NewDataKey(secret)
		if err != nil {
			return DataKey{}, fmt.Errorf("unwrap with %s %s: %w", e.Type(), shortID(e), err)
		}
		return k, nil
	}
	if err := r.checkThreshold(); err != nil {
		return DataKey{}, err
	}
	shares, err := t.groups(ctx, r)
	if err != nil {
		return DataKey{}, err
	}
	return joinShares(shares)
}

// tries is the search for the data key of one document.
type tries struct {
	u      Unwrapper
	calls  *atomic.Int32
	failed []Attempt
	known  map[cacheKey]struct{} // of failed
}

type callsKey struct{}

// countCalls returns the counter of the calls for one document: that of ctx if
// it has one.
func countCalls(ctx context.Context) (context.Context, *atomic.Int32) {
	if calls, ok := ctx.Value(callsKey{}).(*atomic.Int32); ok {
		return ctx, calls
	}
	calls := new(atomic.Int32)
	return context.WithValue(ctx, callsKey{}, calls), calls
}

// groups collects as many shares as are needed, and gives up as soon as there
// cannot be enough.
func (t *tries) groups(ctx context.Context, r Recipients) ([][]byte, error) {
	var shares [][]byte
	left := len(r.Groups)
	for _, g := range t.cheapestFirst(r.Groups) {
		if len(shares)+left < r.threshold() {
			break
		}
		left--
		share, _, err := t.group(ctx, g)
		switch {
		case err == nil:
			shares = append(shares, share)
		case !errors.As(err, new(*NoKeyError)):
			return nil, err
		}
		if len(shares) == r.threshold() {
			return shares, nil
		}
	}
	return nil, &NoKeyError{Attempts: t.failed, Opened: len(shares), Needed: r.threshold(), Untried: left}
}

// group returns what the first entry of g gives.
func (t *tries) group(ctx context.Context, g Group) ([]byte, Entry, error) {
	for _, e := range t.sorted(g) {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if _, again := t.known[keyOf(e)]; again {
			continue
		}
		if t.calls.Load() >= MaxCalls {
			t.stop(e)
			break
		}
		atHand := RankOf(t.u, e) == AtHand
		secret, err := t.u.Unwrap(ctx, e)
		if !atHand && called(err) {
			t.calls.Add(1)
		}
		switch {
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case err == nil:
			return secret, e, nil
		}
		t.failed = append(t.failed, Attempt{e, err})
		t.known[keyOf(e)] = struct{}{}
	}
	return nil, nil, &NoKeyError{Attempts: t.failed}
}

// stop notes, once, that e and what comes after it are not tried.
func (t *tries) stop(e Entry) {
	if n := len(t.failed); n == 0 || t.failed[n-1].Err != errTooManyCalls {
		t.failed = append(t.failed, Attempt{e, errTooManyCalls})
	}
}

// called reports whether a key service may have been called before err, which
// may be nil.
func called(err error) bool {
	if errors.As(err, new(*CallError)) { // also on the way to an identity that is then missing
		return true
	}
	return !errors.As(err, new(*NotAllowedError)) &&
		!errors.As(err, new(*UnsupportedError)) &&
		!errors.Is(err, ErrNoIdentity)
}

func (t *tries) sorted(g Group) Group {
	return slices.SortedStableFunc(slices.Values(g), func(a, b Entry) int {
		return cmp.Compare(RankOf(t.u, a), RankOf(t.u, b))
	})
}

// cheapestFirst sorts groups by their least costly entry.
func (t *tries) cheapestFirst(groups []Group) []Group {
	least := func(g Group) Rank {
		rank := Far
		for _, e := range g {
			rank = min(rank, RankOf(t.u, e))
		}
		return rank
	}
	return slices.SortedStableFunc(slices.Values(groups), func(a, b Group) int {
		return cmp.Compare(least(a), least(b))
	})
}
