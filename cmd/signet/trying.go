// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/signet-secrets/signet/internal/report"
)

// errNotTried says that something was left alone because the run was
// interrupted, or had failed already.
var errNotTried = errors.New("interrupted")

// tryInParallel is inParallel for what can fail, and returns the errors in
// order. When as many calls have failed as are reported, no more are begun: a
// key service that refuses, or is out of reach, would otherwise be asked for
// every document. What was not begun, or was ended by ctx, fails with
// errNotTried.
func tryInParallel(ctx context.Context, n int, f func(i int) error) []error {
	errs := make([]error, n)
	var failed atomic.Int32
	inParallel(n, func(i int) {
		if failed.Load() >= report.MaxErrors || ctx.Err() != nil {
			errs[i] = errNotTried
			return
		}
		errs[i] = f(i)
		switch {
		case errs[i] == nil:
		case ctx.Err() != nil && errors.Is(errs[i], ctx.Err()):
			errs[i] = errNotTried
		default:
			failed.Add(1)
		}
	})
	return errs
}

// tried takes out the errors about what was not tried, and counts them.
func tried(errs []error) (real []error, untried int) {
	for _, err := range errs {
		if errors.Is(err, errNotTried) {
			untried++
			continue
		}
		real = append(real, err)
	}
	return real, untried
}

// interruptible calls f and returns what it returns, or errNotTried as soon as
// ctx has ended, whatever f is doing then: it is left behind, and must be
// something that may end anywhere.
func interruptible[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		if r.err != nil && ctx.Err() != nil {
			r.err = errNotTried
		}
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, errNotTried
	}
}
