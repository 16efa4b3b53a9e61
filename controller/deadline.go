// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
)

// keysTimeout bounds how long the keys of one document may take together: who
// writes a document can name many that hang, and has a place that others want
// too. It leaves time for two calls that hang, and for one that does not.
const keysTimeout = 45 * time.Second

// errLate is the cause for a key whose time has run out.
var errLate = errors.New("no answer in the time that the keys of one document have")

// timed is the Unwrapper of one document whose ctx has a deadline. It knows what
// each key has said before that.
type timed struct {
	next    keys.Unwrapper
	timeout time.Duration

	mu     sync.Mutex
	failed []keys.Attempt
}

var (
	_ keys.Unwrapper = (*timed)(nil)
	_ keys.Ranker    = (*timed)(nil)
)

// Unwrap implements keys.Unwrapper.
func (t *timed) Unwrap(ctx context.Context, e keys.Entry) ([]byte, error) {
	secret, err := t.next.Unwrap(ctx, e)
	if err != nil {
		a := keys.Attempt{Entry: e, Err: err}
		if ctx.Err() != nil {
			a.Err = &keys.CallError{Operation: keys.Unwrapping, Entry: e, Err: errLate}
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.failed = append(t.failed, a)
	}
	return secret, err
}

// Rank implements keys.Ranker.
func (t *timed) Rank(e keys.Entry) keys.Rank { return keys.RankOf(t.next, e) }

// late returns the error of a document whose time has run out, which else would
// be that of ctx alone and say nothing about the keys.
func (t *timed) late(err error) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Errorf("the keys of the document took more than %v, those that are left were not tried: %w",
		t.timeout, &keys.NoKeyError{Attempts: t.failed})
}
