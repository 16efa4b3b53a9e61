// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const pollInterval = 50 * time.Millisecond

// poll calls check until it returns nil or ctx ends. The error is that of the
// last call that ctx didn't interrupt.
func poll(ctx context.Context, check func(context.Context) error) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	var last error
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), last)
		}
	}
}

// awaitReady polls check while p runs. If p doesn't get ready, it is stopped.
func (c *Cluster) awaitReady(ctx context.Context, p *process, check func(context.Context) error) error {
	polling, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-p.Ended():
			cancel()
		case <-polling.Done():
		}
	}()
	err := poll(polling, check)
	switch {
	case !p.Running():
		return p.failure()
	case err != nil:
		return errors.Join(fmt.Errorf("%s did not get ready: %w\n%s", p.name, err, p.tail()), p.kill())
	}
	return nil
}
