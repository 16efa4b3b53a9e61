// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/signet-secrets/signet/internal/parallel"
)

// interruptible calls f and returns what it returns, or parallel.ErrNotTried as
// soon as ctx has ended, whatever f is doing then: it is left behind, and must
// be something that may end anywhere. A panic in f is a *parallel.PanicError.
func interruptible[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() { done <- r }()
		defer parallel.Recover(&r.err)
		r.value, r.err = f()
	}()
	select {
	case r := <-done:
		if r.err != nil && ctx.Err() != nil {
			r.err = parallel.ErrNotTried
		}
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, parallel.ErrNotTried
	}
}
