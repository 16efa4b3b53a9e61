// SPDX-License-Identifier: Apache-2.0

package userkeys

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/keys"
)

// hangs answers when it is let go, whatever becomes of the ctx, or heeds that.
type hangs struct {
	heeds bool
	begun chan struct{}
	leave chan struct{}
}

func (h *hangs) Unwrap(ctx context.Context, _ keys.Entry) ([]byte, error) {
	h.begun <- struct{}{}
	if !h.heeds {
		<-h.leave
		return nil, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// What hangs is named, whether or not it heeds the end of its ctx, and what has
// answered is not.
func TestWatchNamesWhatHangs(t *testing.T) {
	for name, heeds := range map[string]bool{"heeds the end": true, "never returns": false} {
		t.Run(name, synctested(func(t *testing.T) {
			h := &hangs{heeds: heeds, begun: make(chan struct{}, 2), leave: make(chan struct{})}
			defer close(h.leave)
			w := new(Watch)
			u := w.unwrapper(h)
			quick := w.unwrapper(keys.Unwrappers{})
			err := w.Within(t.Context(), 500*time.Millisecond, func(ctx context.Context) error {
				_, _ = quick.Unwrap(ctx, keys.KMSEntry{ARN: "arn:quick"})
				go func() {
					_, _ = u.Unwrap(ctx, keys.VaultEntry{Address: "https://vault.example.com", EnginePath: "transit", KeyName: "a"})
				}()
				<-h.begun
				_, err := u.Unwrap(ctx, keys.KMSEntry{ARN: "arn:slow"})
				return err
			})
			var late *TimeoutError
			if !errors.As(err, &late) {
				t.Fatalf("error %v", err)
			}
			if len(late.Waiting) != 2 || !strings.Contains(late.Waiting[0], "https://vault.example.com") || late.Waiting[1] != `kms "arn:slow"` {
				t.Errorf("waiting for %q", late.Waiting)
			}
			if text := err.Error(); !strings.HasPrefix(text, "not done within 500ms: no answer from\n") || strings.Contains(text, "quick") {
				t.Errorf("says %q", text)
			}
		}))
	}
}

// synctested runs a test whose clock stands still while there is work to do.
func synctested(f func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) { synctest.Test(t, f) }
}

func TestWithinPasses(t *testing.T) {
	other := errors.New("other")
	tests := []struct {
		name  string
		limit time.Duration
		f     func(context.Context) error
		want  error
	}{
		{"done", time.Hour, func(context.Context) error { return nil }, nil},
		{"failed", time.Hour, func(context.Context) error { return other }, other},
		{"no limit", 0, func(ctx context.Context) error {
			if _, limited := ctx.Deadline(); limited {
				return other
			}
			return nil
		}, nil},
		{"done late", time.Nanosecond, func(ctx context.Context) error { <-ctx.Done(); return nil }, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := new(Watch).Within(t.Context(), test.limit, test.f); err != test.want {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
	t.Run("interrupted", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := new(Watch).Within(ctx, time.Hour, func(ctx context.Context) error { cancel(); <-ctx.Done(); return ctx.Err() })
		if err != context.Canceled {
			t.Errorf("error %v", err)
		}
	})
	t.Run("panic", func(t *testing.T) {
		defer func() {
			if got := recover(); got != "x" {
				t.Errorf("recovered %v", got)
			}
		}()
		_ = new(Watch).Within(t.Context(), time.Hour, func(context.Context) error { panic("x") })
	})
}

func TestTimeoutErrorIsShort(t *testing.T) {
	e := &TimeoutError{Limit: time.Second, Waiting: make([]string, 64)}
	if n := strings.Count(e.Error(), "\n"); n != 20 || !strings.HasPrefix(e.Error(), "not done within 1s: no answer from 64 keys, among them\n") {
		t.Errorf("%d lines: %q", n, e)
	}
	if diff := cmp.Diff("run kustomize: not done within 1s", (&TimeoutError{Limit: time.Second, Command: "kustomize"}).Error()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("not done within 1s, and not because of a key", (&TimeoutError{Limit: time.Second}).Error()); diff != "" {
		t.Error(diff)
	}
}
