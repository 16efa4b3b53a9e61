// SPDX-License-Identifier: Apache-2.0

package userkeys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
)

// TimeoutError says that a run was not done in time.
type TimeoutError struct {
	Limit time.Duration
	// Where the limit stands, as in a SettingError; "" if nobody has said so.
	Where string
	// Command is what was run and had not ended, which is all that took the
	// time; "" if there was none.
	Command string
	// Waiting are the keys that were being waited for, by type and id, sorted.
	Waiting []string
}

func (e *TimeoutError) Error() string {
	const most = 20
	text := fmt.Sprintf("not done within %v", e.Limit)
	switch n := len(e.Waiting); {
	case e.Command != "":
		return "run " + e.Command + ": " + text
	case n == 0:
		return text + ", and not because of a key"
	case n == 1:
		return text + ": no answer from " + e.Waiting[0]
	case n > most:
		return text + fmt.Sprintf(": no answer from %d keys, among them\n", n) + strings.Join(e.Waiting[:most], "\n")
	}
	return text + ": no answer from\n" + strings.Join(e.Waiting, "\n")
}

// Watch knows which keys a run is waiting for. The zero value is ready, and is
// for one run. It is safe for concurrent use.
type Watch struct {
	mu    sync.Mutex
	end   time.Time
	calls map[string]int  // under way, by key
	late  map[string]bool // failed, when the time was over
}

// grace is how long a run may take to end when its time is over: to stop the
// command that it has started, for one.
const grace = time.Second

// Within calls f and returns what it returns, or a *TimeoutError if it was not
// done within the limit or has failed when that was over. What does not heed
// the end of its ctx is left behind. A limit of 0 is none.
func (w *Watch) Within(ctx context.Context, limit time.Duration, f func(context.Context) error) error {
	if limit <= 0 {
		return f(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	w.mu.Lock()
	w.end, _ = ctx.Deadline()
	w.mu.Unlock()
	done := make(chan result, 1)
	go func() {
		r := result{panicked: true}
		defer func() {
			if r.panicked {
				r.value = recover()
			}
			done <- r
		}()
		r.err = f(ctx)
		r.panicked = false
	}()
	var r result
	select {
	case r = <-done:
	case <-ctx.Done():
		r = w.last(ctx, done)
	}
	switch {
	case r.panicked:
		panic(r.value) // where the program looks for panics
	case r.err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &TimeoutError{Limit: limit, Waiting: w.waiting()}
	}
	return r.err
}

type result struct {
	err      error
	panicked bool
	value    any
}

// last waits for what ends soon. Whoever interrupts a run gets what it says.
func (w *Watch) last(ctx context.Context, done <-chan result) result {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return <-done
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case r := <-done:
		return r
	case <-timer.C:
		return result{err: ctx.Err()}
	}
}

func (w *Watch) waiting() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := maps.Clone(w.late)
	if names == nil {
		names = map[string]bool{}
	}
	for name := range w.calls {
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// unwrapper returns u under watch; w may be nil.
func (w *Watch) unwrapper(u keys.Unwrapper) keys.Unwrapper {
	if w == nil {
		return u
	}
	return watched{w, u}
}

type watched struct {
	watch *Watch
	next  keys.Unwrapper
}

var (
	_ keys.Unwrapper = watched{}
	_ keys.Ranker    = watched{}
)

// Unwrap implements keys.Unwrapper.
func (u watched) Unwrap(ctx context.Context, e keys.Entry) (secret []byte, err error) {
	name := keyName(e)
	u.watch.begin(name)
	defer func() { u.watch.ended(name, err) }()
	return u.next.Unwrap(ctx, e)
}

// Rank implements keys.Ranker.
func (u watched) Rank(e keys.Entry) keys.Rank { return keys.RankOf(u.next, e) }

func (w *Watch) begin(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calls == nil {
		w.calls, w.late = map[string]int{}, map[string]bool{}
	}
	w.calls[name]++
}

func (w *Watch) ended(name string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calls[name]--; w.calls[name] == 0 {
		delete(w.calls, name)
	}
	if err != nil && !w.end.IsZero() && !time.Now().Before(w.end) {
		w.late[name] = true
	}
}

// keyName names a key for people. Ids of hybrid recipients are very long.
func keyName(e keys.Entry) string {
	const most = 200
	id := cmp.Or(e.ID(), "(no id)")
	if len(id) > most {
		id = id[:most] + "..."
	}
	return fmt.Sprintf("%s %q", e.Type(), id)
}
