// SPDX-License-Identifier: Apache-2.0

package userkeys

import (
	"context"
	"errors"

	"github.com/signet-secrets/signet/seal/keys"
)

// listedError is a *keys.NotAllowedError, and says which allow-list is meant.
type listedError struct {
	where string // as in a *SettingError; "" if the user has none
	err   error
}

func (e *listedError) Error() string { return e.err.Error() }
func (e *listedError) Unwrap() error { return e.err }

func listed(where string, err error) error {
	if !errors.As(err, new(*keys.NotAllowedError)) {
		return err
	}
	return &listedError{where, err}
}

// listedUnwrapper says in errors of an allow-list where that stands.
type listedUnwrapper struct {
	where string
	next  keys.Unwrapper
}

var (
	_ keys.Unwrapper = listedUnwrapper{}
	_ keys.Ranker    = listedUnwrapper{}
	_ keys.Wrapper   = listedWrapper{}
)

// Unwrap implements keys.Unwrapper.
func (u listedUnwrapper) Unwrap(ctx context.Context, e keys.Entry) ([]byte, error) {
	secret, err := u.next.Unwrap(ctx, e)
	return secret, listed(u.where, err)
}

// Rank implements keys.Ranker.
func (u listedUnwrapper) Rank(e keys.Entry) keys.Rank { return keys.RankOf(u.next, e) }

// listedWrapper is listedUnwrapper for sealing.
type listedWrapper struct {
	where string
	next  keys.Wrapper
}

// Wrap implements keys.Wrapper.
func (w listedWrapper) Wrap(ctx context.Context, to keys.Entry, secret []byte) (keys.Entry, error) {
	entry, err := w.next.Wrap(ctx, to, secret)
	return entry, listed(w.where, err)
}
