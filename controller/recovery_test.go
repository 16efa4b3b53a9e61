// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/signet-secrets/signet/seal/keys"
)

// clock is a clock that tests set.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func (c *clock) pass(d time.Duration) { c.at = c.at.Add(d) }

// rouser is a recovery and whom it has woken.
type rouser struct {
	*recovery
	*clock
	woken []types.NamespacedName
}

func newRouser() *rouser {
	r := &rouser{clock: &clock{at: time.Unix(1_000_000, 0)}}
	r.recovery = newRecovery(func(o types.NamespacedName) { r.woken = append(r.woken, o) })
	r.recovery.now = r.clock.now
	return r
}

func (r *rouser) want(t *testing.T, want ...types.NamespacedName) {
	t.Helper()
	got := slices.Clone(r.woken)
	slices.SortFunc(got, func(a, b types.NamespacedName) int { return len(a.Name) - len(b.Name) })
	if !slices.Equal(got, want) {
		t.Errorf("woken: %v, want %v", got, want)
	}
	r.woken = nil
}

// without is the error for keys that did not work.
func without(arns ...string) error {
	none := &keys.NoKeyError{}
	for _, arn := range arns {
		e := keys.KMSEntry{ARN: arn}
		none.Attempts = append(none.Attempts, keys.Attempt{Entry: e, Err: fmt.Errorf("x: %w", &keys.CallError{Operation: keys.Unwrapping, Entry: e, Err: errors.New("down")})})
	}
	return fail(KeyUnavailable, none)
}

func TestRecovery(t *testing.T) {
	a, bb := types.NamespacedName{Name: "a"}, types.NamespacedName{Name: "bb"}
	one, two := keyID{keys.AWSKMS, "one"}, keyID{keys.AWSKMS, "two"}

	t.Run("a key that works wakes who waits for it", func(t *testing.T) {
		r := newRouser()
		r.wait(a, without("one", "two"), r.at, time.Minute)
		r.wait(bb, without("two"), r.at, time.Minute)
		r.works(one)
		r.want(t, a)
		r.works(two)
		r.want(t, bb)
		r.works(two)
		r.want(t)
	})
	t.Run("one that has worked during the attempt wakes at once", func(t *testing.T) {
		r := newRouser()
		begin := r.at
		r.pass(time.Second)
		r.works(one)
		r.wait(a, without("one"), begin, time.Minute)
		r.want(t, a)
	})
	t.Run("one that worked before the attempt does not", func(t *testing.T) {
		r := newRouser()
		r.works(one)
		r.wait(a, without("one"), r.at, time.Minute)
		r.want(t)
	})
	t.Run("who was woken in vain waits as long as it would have", func(t *testing.T) {
		r := newRouser()
		r.wait(a, without("one"), r.at, time.Minute)
		r.works(one)
		r.want(t, a)
		r.wait(a, without("one"), r.at, time.Minute)
		r.pass(59 * time.Second)
		r.works(one)
		r.want(t)
		r.pass(time.Second)
		r.works(one)
		r.want(t, a)
	})
	t.Run("other failures wait for no key", func(t *testing.T) {
		r := newRouser()
		r.wait(a, without("one"), r.at, time.Minute)
		r.wait(a, fail(QuotaExceeded, errors.New("x")), r.at, time.Minute)
		r.works(one)
		r.want(t)
	})
	t.Run("nothing stays behind", func(t *testing.T) {
		r := newRouser()
		r.wait(a, without("one"), r.at, time.Minute)
		r.done(a)
		r.works(one)
		r.want(t)
		if len(r.waiting)+len(r.objects) != 0 {
			t.Errorf("%d keys, %d objects", len(r.waiting), len(r.objects))
		}
	})
}
