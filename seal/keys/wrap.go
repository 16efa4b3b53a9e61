// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// errGroups says that a document asks for Shamir's secret sharing.
var errGroups = errors.New("key groups are not supported by this version")

// WrapAll wraps k for every recipient and returns the recipients with what
// was wrapped. One failure fails it: a recipient who cannot open the document
// must not go unnoticed.
func WrapAll(ctx context.Context, w Wrapper, r Recipients, k DataKey) (Recipients, error) {
	switch {
	case r.Empty():
		return Recipients{}, errors.New("no recipients to wrap the data key for")
	case len(r.Groups) > 1:
		return Recipients{}, errGroups
	}
	group := make(Group, 0, len(r.Groups[0]))
	for _, to := range r.Groups[0] {
		e, err := w.Wrap(ctx, to, k.Bytes())
		if err != nil {
			return Recipients{}, fmt.Errorf("wrap data key for %s %s: %w", to.Type(), shortID(to), err)
		}
		group = append(group, e)
	}
	return Recipients{Groups: []Group{group}}, nil
}

// Attempt is a key that was tried, and why it did not give the data key. The
// error names the key.
type Attempt struct {
	Entry Entry
	Err   error
}

// NoKeyError says that none of the keys of a document gave its data key.
type NoKeyError struct {
	Attempts []Attempt
}

func (e *NoKeyError) Error() string {
	var b strings.Builder
	b.WriteString("no key could unwrap the data key")
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

// shortID cuts the 1,959 characters of a post-quantum recipient. It is foreign
// text: a private key that was put in the place of a public one is not shown,
// and what would break the line is escaped.
func shortID(e Entry) string {
	const most = 100
	id := e.ID()
	switch {
	case isSecret(id):
		return "(a private key)"
	case len(id) > most:
		id = id[:most] + "..."
	}
	quoted := strconv.Quote(id)
	if quoted != `"`+id+`"` {
		return quoted
	}
	return id
}

// UnwrapAny returns the data key from the first entry that gives it: age
// entries first, because their identities are at hand, then the others in
// order. What an entry gives is final, whether or not the document then opens
// under it. The error is a *NoKeyError with every attempt, or that of ctx;
// another one says that there are several key groups, or that what was
// unwrapped is no data key.
func UnwrapAny(ctx context.Context, u Unwrapper, r Recipients) (DataKey, error) {
	if len(r.Groups) > 1 {
		return DataKey{}, errGroups
	}
	var failed NoKeyError
	for _, e := range cheapestFirst(r.Entries()) {
		secret, err := u.Unwrap(ctx, e)
		if ctx.Err() != nil {
			return DataKey{}, ctx.Err()
		}
		if err != nil {
			failed.Attempts = append(failed.Attempts, Attempt{e, err})
			continue
		}
		k, err := NewDataKey(secret)
		if err != nil {
			return DataKey{}, fmt.Errorf("unwrap data key with %s %s: %w", e.Type(), shortID(e), err)
		}
		return k, nil
	}
	return DataKey{}, &failed
}

func cheapestFirst(entries []Entry) []Entry {
	cost := func(e Entry) int {
		if e.Type() == Age {
			return 0
		}
		return 1
	}
	return slices.SortedStableFunc(slices.Values(entries), func(a, b Entry) int { return cost(a) - cost(b) })
}
