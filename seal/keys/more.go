// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// RemovedError says that wrapping the same data key for other recipients would
// only seem to take access away: whoever could open the document has the key.
type RemovedError struct {
	// Entries are the recipients that would be dropped.
	Entries []Entry
	// Groups says that nobody would be dropped, but key groups that were enough
	// together would be no more.
	Groups bool
}

func (e *RemovedError) Error() string {
	if len(e.Entries) == 0 {
		return "key groups that can open the document now could not any more, but would keep the data key"
	}
	names := make([]string, len(e.Entries))
	for i, entry := range e.Entries {
		names[i] = shortID(entry)
	}
	return "would take access from " + strings.Join(names, ", ") + ", who would keep the data key"
}

// Minus returns the entries of r that o does not have, in order, by what Same
// compares; one that r has twice and o once is returned once.
func (r Recipients) Minus(o Recipients) []Entry {
	mine, theirs := Group(r.Entries()), Group(o.Entries())
	anyVersion := withoutVersion(mine, theirs)
	left := identities(theirs, anyVersion)
	var only []Entry
	for _, e := range mine {
		id := identity(anyVersionOf(e, anyVersion))
		if left[id] > 0 {
			left[id]--
			continue
		}
		only = append(only, e)
	}
	return only
}

// WrapMore wraps k, which have wraps, for those of want that have does not hold
// and returns both: what have holds stays as it is, in its place, and what is
// added is behind it. Where there are key groups all shares are made anew. It
// is for documents that were opened and verified. That want lacks an entry of
// have, or asks for more groups than have, is a *RemovedError, before anything
// is wrapped.
func WrapMore(ctx context.Context, w Wrapper, have, want Recipients, k DataKey) (Recipients, error) {
	if len(have.Groups) > 1 || len(want.Groups) > 1 {
		return WrapAnew(ctx, w, have, want, k)
	}
	if err := CheckKept(have, want); err != nil {
		return Recipients{}, err
	}
	added := Group(want.Minus(have))
	if len(added) == 0 {
		return have, nil
	}
	wrapped, err := wrapGroup(ctx, w, added, k.Bytes())
	if err != nil {
		return Recipients{}, fmt.Errorf("wrap data key: %w", err)
	}
	more := Recipients{Groups: []Group{wrapped}}.carryCreated(have)
	return Recipients{Groups: []Group{append(Group(have.Entries()), more.Entries()...)}}, nil
}

// WrapAnew is WrapMore with every entry wrapped anew, in the order of want. The
// data key does not get younger by that: the entries say what have said.
func WrapAnew(ctx context.Context, w Wrapper, have, want Recipients, k DataKey) (Recipients, error) {
	if err := CheckKept(have, want); err != nil {
		return Recipients{}, err
	}
	out, err := WrapAll(ctx, w, want, k)
	if err != nil {
		return Recipients{}, err
	}
	return out.carryCreated(have), nil
}

// carryCreated returns r with the time of old, as far as that is known.
func (r Recipients) carryCreated(old Recipients) Recipients {
	oldest, known := old.Created()
	return r.edited(func(e Entry) Entry { return carried(e, oldest, known) })
}

func carried(e Entry, oldest time.Time, known bool) Entry {
	if oldest.IsZero() || e.Type() == Age && !known {
		return e
	}
	return withCreated(e, oldest)
}

// CheckKept returns a *RemovedError unless whoever can open for have can for
// want, alone or together with the same others.
func CheckKept(have, want Recipients) error {
	if lost := have.Minus(want); len(lost) > 0 {
		return &RemovedError{Entries: lost}
	}
	switch {
	case len(want.Groups) == 1:
		return nil // everybody alone
	case len(have.Groups) == 1 || want.threshold() > have.threshold() || len(want.Groups) < len(have.Groups):
		return &RemovedError{Groups: true}
	}
	for i, g := range have.Groups {
		one := func(g Group) Recipients { return Recipients{Groups: []Group{g}} }
		if lost := one(g).Minus(one(want.Groups[i])); len(lost) > 0 {
			return &RemovedError{Groups: true}
		}
	}
	return nil
}
