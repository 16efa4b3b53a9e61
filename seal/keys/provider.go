// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"errors"
	"fmt"
)

// Wrapper wraps secrets for recipients. It needs no more than the right to encrypt.
type Wrapper interface {
	// Wrap returns to with secret wrapped for it. The secret is a data key
	// or a Shamir share, 32 or 33 bytes. Wrap neither keeps nor changes it.
	// A recipient that is not well formed is an error before any call is
	// made. The error names the recipient, as in "wrap for age recipient
	// ...: ..."; that of a key service is a *CallError. Implementations are
	// safe for concurrent use.
	Wrap(ctx context.Context, to Entry, secret []byte) (Entry, error)
}

// Unwrapper gives back what a Wrapper wrapped.
type Unwrapper interface {
	// Unwrap returns the secret that e holds. The error wraps ErrNoIdentity
	// when nothing at hand could open e, which says nothing about e itself.
	// It names the key of e, as in "unwrap with age recipient ...: ..."; that
	// of a key service is a *CallError. The caller owns the secret.
	// Implementations are safe for concurrent use.
	Unwrap(ctx context.Context, e Entry) ([]byte, error)
}

// ErrNoIdentity says that no identity at hand belongs to an entry.
var ErrNoIdentity = errors.New("no matching identity")

// UnsupportedError says that a program was built without a key service.
type UnsupportedError struct {
	Type Type
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("key type %q is not supported by this program", string(e.Type))
}

// Wrappers is a Wrapper that hands each recipient to the Wrapper of its type.
// A type that is missing gives an *UnsupportedError.
type Wrappers map[Type]Wrapper

// Wrap implements Wrapper.
func (w Wrappers) Wrap(ctx context.Context, to Entry, secret []byte) (Entry, error) {
	p, ok := w[to.Type()]
	if !ok {
		return nil, fmt.Errorf("wrap for %s: %w", shortID(to), &UnsupportedError{Type: to.Type()})
	}
	return p.Wrap(ctx, to, secret)
}

// Unwrappers is an Unwrapper that hands each entry to the Unwrapper of its
// type. A type that is missing gives an *UnsupportedError.
type Unwrappers map[Type]Unwrapper

// Unwrap implements Unwrapper.
func (u Unwrappers) Unwrap(ctx context.Context, e Entry) ([]byte, error) {
	p, ok := u[e.Type()]
	if !ok {
		return nil, fmt.Errorf("unwrap with %s: %w", shortID(e), &UnsupportedError{Type: e.Type()})
	}
	return p.Unwrap(ctx, e)
}

// Rank implements Ranker.
func (u Unwrappers) Rank(e Entry) Rank {
	if p, ok := u[e.Type()]; ok {
		return RankOf(p, e)
	}
	return Far
}

var (
	_ Wrapper   = Wrappers{}
	_ Unwrapper = Unwrappers{}
	_ Ranker    = Unwrappers{}
)
