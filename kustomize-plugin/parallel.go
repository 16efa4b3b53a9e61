// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/signet-secrets/signet/internal/report"
)

// atOnce is how many documents are worked on at the same time. It is more than
// there are cores because most of the time may go into waiting for a key
// service.
const atOnce = 32

// errNotTried says that something was left alone.
var errNotTried = errors.New("not tried")

// tryInParallel calls f with 0 to n-1, on up to atOnce goroutines. A panic in f
// is an error. When as many calls have failed as are reported, no more are
// begun: a key service that refuses, or is out of reach, would otherwise be
// asked for every document. The result joins the errors in order, and ends with
// an *UntriedError for what was not begun or was ended by ctx.
func tryInParallel(ctx context.Context, n int, f func(i int) error) error {
	errs := make([]error, n)
	var failed atomic.Int32
	inParallel(n, func(i int) {
		if failed.Load() >= report.MaxErrors || ctx.Err() != nil {
			errs[i] = errNotTried
			return
		}
		errs[i] = protected(f, i)
		switch {
		case errs[i] == nil:
		case ctx.Err() != nil && errors.Is(errs[i], ctx.Err()):
			errs[i] = errNotTried
		default:
			failed.Add(1)
		}
	})
	return joined(errs)
}

func protected(f func(i int) error, i int) (err error) {
	defer recovered(&err)
	return f(i)
}

func joined(errs []error) error {
	var all []error
	untried := 0
	for _, err := range errs {
		if err == errNotTried {
			untried++
			continue
		}
		all = append(all, report.Split(err)...)
	}
	if untried > 0 {
		all = append(all, &UntriedError{Documents: untried})
	}
	return errors.Join(all...)
}

// inParallel calls f with 0 to n-1 on up to atOnce goroutines.
func inParallel(n int, f func(i int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(n, atOnce) {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}
