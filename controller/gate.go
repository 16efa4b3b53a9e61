// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

var errNotLeading = errors.New("this replica was not heard of as the leader in time")

// writeTimeout is how long one write may take.
const writeTimeout = 30 * time.Second

// gate lets writes through for as long as this replica is the leader for sure:
// until the renew deadline after the last time that its Lease was renewed.
// Others may lead from the end of the Lease on, which is later. A process that
// was stopped for a while and goes on finds the gate shut before it has found
// out that it lost. Without an election it is always open.
type gate struct {
	renewDeadline time.Duration // 0: there is no election
	now           func() time.Time

	mu      sync.Mutex
	renewed time.Time
}

func newGate(e Election) *gate {
	g := &gate{now: time.Now}
	if e.Enabled {
		g.renewDeadline = e.RenewDeadline
	}
	return g
}

// open returns the context for one write, which ends when the gate shuts.
func (g *gate) open(ctx context.Context) (context.Context, context.CancelFunc, error) {
	limit, err := g.limit()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithDeadline(ctx, limit)
	return ctx, cancel, nil
}

// isOpen reports whether a write would be let through now.
func (g *gate) isOpen() bool {
	_, err := g.limit()
	return err == nil
}

// limit returns when a write that begins now has to end. The error says that the
// gate is shut.
func (g *gate) limit() (time.Time, error) {
	limit := g.now().Add(writeTimeout)
	if g.renewDeadline == 0 {
		return limit, nil
	}
	g.mu.Lock()
	shuts := g.renewed.Add(g.renewDeadline)
	g.mu.Unlock()
	if !g.now().Before(shuts) {
		return time.Time{}, errNotLeading
	}
	if shuts.Before(limit) {
		limit = shuts
	}
	return limit, nil
}

// lock returns l with the gate noting when it is renewed.
func (g *gate) lock(l resourcelock.Interface) resourcelock.Interface {
	return &gateLock{Interface: l, gate: g}
}

// renewedAt notes that the Lease was renewed by a call that began at t.
func (g *gate) renewedAt(t time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.renewed = t
}

// gateLock is a Lease that tells a gate when it was renewed, and that only its
// holder can give up. The elector would do that for the holder if it was stopped
// and goes on as somebody who lost without knowing it (client-go: leaderelection/
// leaderelection.go, tryRelease). Like any Lease it is for one elector.
type gateLock struct {
	resourcelock.Interface
	gate   *gate
	holder string // as it was last read
}

var _ resourcelock.Interface = (*gateLock)(nil)

// Get implements resourcelock.Interface.
func (l *gateLock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	r, text, err := l.Interface.Get(ctx)
	if err == nil {
		l.holder = r.HolderIdentity
	}
	return r, text, err
}

// Create implements resourcelock.Interface.
func (l *gateLock) Create(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	begin := l.gate.now()
	return l.note(l.Interface.Create(ctx, r), begin, r)
}

// Update implements resourcelock.Interface.
func (l *gateLock) Update(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	if r.HolderIdentity == "" && l.holder != l.Identity() {
		return errNotLeading
	}
	begin := l.gate.now()
	return l.note(l.Interface.Update(ctx, r), begin, r)
}

// note takes the time before the call: the Lease may have been written at any
// moment of it. A Lease that is given up has no holder.
func (l *gateLock) note(err error, begin time.Time, r resourcelock.LeaderElectionRecord) error {
	if err == nil && r.HolderIdentity == l.Identity() {
		l.gate.renewedAt(begin)
	}
	if err == nil && r.HolderIdentity != l.Identity() {
		l.gate.renewedAt(time.Time{})
	}
	return err
}
