// SPDX-License-Identifier: Apache-2.0

package parallel

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/report"
)

const canary = "correct horse battery staple"

// TestDo calls for everything, once, and keeps the errors in order, those of
// panics too.
func TestDo(t *testing.T) {
	const n = 5 * AtOnce
	var calls [n]atomic.Int32
	errs := Do(n, func(i int) error {
		calls[i].Add(1)
		switch i {
		case 7:
			return errors.New("seven")
		case n - 1:
			panic(canary)
		}
		return nil
	})
	if len(errs) != n {
		t.Fatalf("%d errors", len(errs))
	}
	for i, err := range errs {
		switch {
		case calls[i].Load() != 1:
			t.Errorf("%d calls for %d", calls[i].Load(), i)
		case i == 7 && (err == nil || err.Error() != "seven"):
			t.Errorf("error %v for 7", err)
		case i == n-1:
			if _, ok := err.(*PanicError); !ok || !strings.HasPrefix(err.Error(), "internal error: a panic in internal/parallel.TestDo") {
				t.Errorf("error %v for a panic", err)
			}
			if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, canary) {
				t.Errorf("%s has what was in memory", text)
			}
		case i != 7 && err != nil:
			t.Errorf("error %v for %d", err, i)
		}
	}
	if errs := Do(0, func(int) error { return nil }); len(errs) != 0 {
		t.Errorf("errors %v for nothing", errs)
	}
}

// TestTryStops begins no more after as many failures as are shown.
func TestTryStops(t *testing.T) {
	const n = 300
	refused := errors.New("refused")
	var calls atomic.Int32
	errs := Try(context.Background(), n, func(int) error {
		calls.Add(1)
		return refused
	})
	failed, untried := Tried(errs)
	if len(failed) < report.MaxErrors || len(failed) > report.MaxErrors+AtOnce || len(failed) != int(calls.Load()) || len(failed)+untried != n {
		t.Errorf("%d errors of %d calls, %d not tried", len(failed), calls.Load(), untried)
	}
	for _, err := range failed {
		if err != refused {
			t.Errorf("error %v", err)
		}
	}
}

// TestTryInterrupted tells what ctx has ended from what failed by itself.
func TestTryInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var calls atomic.Int32
	errs := Try(ctx, 100, func(i int) error {
		calls.Add(1)
		cancel()
		if i == 0 {
			return errors.New("broken")
		}
		return fmt.Errorf("call: %w", ctx.Err())
	})
	if n := calls.Load(); n > AtOnce {
		t.Errorf("%d calls", n)
	}
	failed, untried := Tried(errs)
	if untried+len(failed) != 100 {
		t.Errorf("%d errors, %d not tried", len(failed), untried)
	}
	for _, err := range failed {
		if err.Error() != "broken" {
			t.Errorf("error %v", err)
		}
	}
}

func TestTried(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	failed, untried := Tried([]error{a, ErrNotTried, b, fmt.Errorf("read: %w", ErrNotTried)})
	if diff := cmp.Diff([]string{"a", "b"}, []string{failed[0].Error(), failed[1].Error()}); diff != "" || len(failed) != 2 || untried != 2 {
		t.Errorf("%d not tried, errors -want +got\n%s", untried, diff)
	}
}
