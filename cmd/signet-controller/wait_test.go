// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/testtool"
)

// stubborn is a manager as the real one is only by accident.
type stubborn struct {
	start   func(ctx context.Context) error
	elected chan struct{}
}

func (s *stubborn) Start(ctx context.Context) error { return s.start(ctx) }
func (s *stubborn) Elected() <-chan struct{}        { return s.elected }

func TestUntilStopped(t *testing.T) {
	const soon = 10 * time.Millisecond
	never := make(chan struct{})
	ends := func(err error) func(context.Context) error {
		return func(ctx context.Context) error { <-ctx.Done(); return err }
	}
	forever := func(context.Context) error { <-never; return nil }
	tests := []struct {
		name        string
		elected     bool
		start       func(context.Context) error
		idle, limit time.Duration
		want        string // of the error, "" is none
	}{
		{"stops", true, ends(nil), patience, patience, ""},
		{"stops before it works", false, ends(nil), patience, patience, ""},
		{"stops with an error", true, ends(errors.New("no lease")), patience, patience, "no lease"},
		{"never stops, before it works", false, forever, soon, patience, ""},
		{"never stops", true, forever, patience, soon, "work that had begun did not end in time"},
		{"panics", true, func(context.Context) error { panic(canary) }, patience, patience, "panic of type string"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			m := &stubborn{elected: make(chan struct{})}
			if test.elected {
				close(m.elected)
			}
			m.start = func(ctx context.Context) error { cancel(); return test.start(ctx) }
			var b testtool.Buffer
			begin := time.Now()
			err := untilStopped(ctx, newLogger(&b, levelDebug, formatJSON), m, test.idle, test.limit)
			if (err == nil) != (test.want == "") || err != nil && err.Error() != test.want {
				t.Errorf("error = %v, want %q", err, test.want)
			}
			if took := time.Since(begin); took > patience/2 {
				t.Errorf("took %v, want the shorter of both limits", took)
			}
			if strings.Contains(b.String(), canary) {
				t.Errorf("log: %s", b.String())
			}
		})
	}
}

// A failure ends the program at once, not at a signal.
func TestUntilStoppedWithoutSignal(t *testing.T) {
	m := &stubborn{elected: make(chan struct{}), start: func(context.Context) error { return errors.New("leader election lost") }}
	var b testtool.Buffer
	if err := untilStopped(t.Context(), newLogger(&b, levelInfo, formatJSON), m, patience, patience); err == nil || err.Error() != "leader election lost" {
		t.Errorf("error = %v", err)
	}
}
