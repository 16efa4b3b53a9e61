// SPDX-License-Identifier: Apache-2.0

// Package parallel does the same with many things at once, which programs that
// open and seal many documents have in common.
//
// It knows nothing of documents and keys.
package parallel

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/signet-secrets/signet/internal/report"
)

// AtOnce is how many documents are worked on at the same time. It is more than
// there are cores because most of the time may go into waiting for a key
// service.
const AtOnce = 32

// ErrNotTried says that something was left alone because the run was
// interrupted, or had failed too often already.
var ErrNotTried = errors.New("interrupted")

// Do calls f with 0 to n-1 on up to AtOnce goroutines and returns the errors in
// order. A panic in f is a *PanicError.
func Do(n int, f func(i int) error) []error {
	errs := make([]error, n)
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(n, AtOnce) {
		wg.Go(func() {
			for i := range next {
				errs[i] = protected(f, i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	return errs
}

func protected(f func(i int) error, i int) (err error) {
	defer Recover(&err)
	return f(i)
}

// Try is Do for what asks key services. When as many calls have failed as are
// reported, no more are begun: a key service that refuses, or is out of reach,
// would otherwise be asked for every document. What was not begun, or was ended
// by ctx, fails with ErrNotTried.
func Try(ctx context.Context, n int, f func(i int) error) []error {
	var failed atomic.Int32
	return Do(n, func(i int) error {
		if failed.Load() >= report.MaxErrors || ctx.Err() != nil {
			return ErrNotTried
		}
		err := protected(f, i)
		switch {
		case err == nil:
		case ctx.Err() != nil && errors.Is(err, ctx.Err()):
			return ErrNotTried
		default:
			failed.Add(1)
		}
		return err
	})
}

// Tried takes out the errors about what was not tried, and counts them.
func Tried(errs []error) (failed []error, untried int) {
	for _, err := range errs {
		if errors.Is(err, ErrNotTried) {
			untried++
			continue
		}
		failed = append(failed, err)
	}
	return failed, untried
}
