// SPDX-License-Identifier: Apache-2.0

package flight

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var errCanary = errors.New("canary")

func unwanted(t *testing.T) func() (int, error) {
	return func() (int, error) { t.Error("the work was done again"); return 0, nil }
}

// All who ask while the work is done get what it gives, and those who ask later
// have it done again.
func TestOneForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group[string, int]
		var runs atomic.Int32
		release, got := make(chan struct{}), make(chan int)
		work := func() (int, error) { <-release; return int(runs.Add(1)), nil }
		for range 10 {
			go func() {
				n, err := g.Do(t.Context(), "k", work)
				if err != nil {
					t.Error(err)
				}
				got <- n
			}()
		}
		synctest.Wait()
		if !g.Trouble() {
			t.Error("no work is said to be under way")
		}
		close(release)
		for range 10 {
			if n := <-got; n != 1 {
				t.Errorf("got run %d, want 1", n)
			}
		}
		if g.Trouble() {
			t.Error("work is said to be under way")
		}
		if n, err := g.Do(t.Context(), "k", work); n != 2 || err != nil {
			t.Errorf("got run %d, %v, want 2", n, err)
		}
	})
}

// A piece of work waits for no other one.
func TestKeysAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group[string, int]
		release, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			_, _ = g.Do(t.Context(), "slow", func() (int, error) { <-release; return 1, nil })
		}()
		synctest.Wait()
		if n, err := g.Do(t.Context(), "k", func() (int, error) { return 7, nil }); n != 7 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
		close(release)
		<-done
	})
}

func TestFailureExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group[string, int]
		if _, err := g.Do(t.Context(), "k", func() (int, error) { return 0, errCanary }); !errors.Is(err, errCanary) {
			t.Fatalf("got %v", err)
		}
		time.Sleep(FailureTTL)
		if _, err := g.Do(t.Context(), "k", unwanted(t)); !errors.Is(err, errCanary) || !g.Trouble() {
			t.Errorf("got %v, want the failure", err)
		}
		time.Sleep(time.Nanosecond)
		if g.Trouble() {
			t.Error("the failure lives too long")
		}
		if n, err := g.Do(t.Context(), "k", func() (int, error) { return 7, nil }); n != 7 || err != nil {
			t.Errorf("got %d, %v, want new work", n, err)
		}
	})
}

// Who asked first does not matter to the others.
func TestWorkOutlivesItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group[string, int]
		release := make(chan struct{})
		ctx, cancel := context.WithCancelCause(t.Context())
		first := make(chan error)
		go func() {
			_, err := g.Do(ctx, "k", func() (int, error) { <-release; return 7, nil })
			first <- err
		}()
		synctest.Wait()
		cancel(errCanary)
		if err := <-first; !errors.Is(err, errCanary) {
			t.Errorf("got %v, want the cause", err)
		}
		second := make(chan int)
		go func() {
			n, _ := g.Do(t.Context(), "k", unwanted(t))
			second <- n
		}()
		synctest.Wait()
		close(release)
		if n := <-second; n != 7 {
			t.Errorf("got %d, want 7", n)
		}
	})
}

// A panic is a failure for all who wait, and its text is not shown.
func TestPanic(t *testing.T) {
	for _, tt := range []struct {
		name  string
		cause any
		want  string
	}{
		{"text", "canary", "panic of type string"},
		{"error", errCanary, "panic of type *errors.errorString"},
		{"nil", nil, "panic of type *runtime.PanicNilError"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var g Group[string, int]
			n, err := g.Do(t.Context(), "k", func() (int, error) { panic(tt.cause) })
			if err == nil || err.Error() != tt.want || n != 0 {
				t.Errorf("got %d, %v, want %q", n, err, tt.want)
			}
			if _, again := g.Do(t.Context(), "k", unwanted(t)); again != err {
				t.Errorf("got %v, want the same failure", again)
			}
		})
	}
}

// Documents cannot make a program keep more and more.
func TestBounded(t *testing.T) {
	var g Group[int, int]
	for i := range 3 * maxTrips {
		if n, err := g.Do(t.Context(), i, func() (int, error) { return i, errCanary }); n != i || err != errCanary {
			t.Fatalf("got %d, %v", n, err)
		}
	}
	if n := len(g.last); n == 0 || n > maxTrips {
		t.Errorf("%d failures are kept, want 1 to %d", n, maxTrips)
	}
}
