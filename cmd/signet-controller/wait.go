// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

const (
	// idleShutdown is how long a replica that does no work may take to end.
	idleShutdown = 3 * time.Second
	// shutdownMargin is what a manager may take beyond its own limit.
	shutdownMargin = 5 * time.Second
)

// starter is a manager of controller-runtime.
type starter interface {
	// Start runs until ctx ends.
	Start(ctx context.Context) error
	// Elected is closed when the work begins.
	Elected() <-chan struct{}
}

// untilStopped runs a manager that, at the end of ctx, stops within idle if its
// work has not begun, and else within limit. One that does not is left behind:
// controller-runtime 0.25 spins for ever if it is asked to end before its caches
// have been filled (pkg/manager/runnable_group.go, Start), which is when the API
// server is out of reach. No work has begun then, and the end is a clean one.
func untilStopped(ctx context.Context, l *slog.Logger, m starter, idle, limit time.Duration) error {
	done := make(chan error, 1)
	go func() { done <- safely(l, func() error { return m.Start(ctx) }) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	wait := idle
	if isClosed(m.Elected()) {
		wait = limit
	}
	select {
	case err := <-done:
		return err
	case <-time.After(wait):
	}
	if isClosed(m.Elected()) {
		return errors.New("work that had begun did not end in time")
	}
	return nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// safely turns a panic of f into an error that does not show what was passed to
// panic.
func safely(l *slog.Logger, f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			logPanic(l, r)
			err = fmt.Errorf("panic of type %T", r)
		}
	}()
	return f()
}
