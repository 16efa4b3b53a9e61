// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"testing"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// memoryLock is a Lease without an API server.
type memoryLock struct {
	resourcelock.Interface
	identity string
	record   *resourcelock.LeaderElectionRecord // all replicas have one
	err      error
}

func (l *memoryLock) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	r := *l.record
	return &r, nil, l.err
}

func (l *memoryLock) Create(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	return l.Update(ctx, r)
}

func (l *memoryLock) Update(_ context.Context, r resourcelock.LeaderElectionRecord) error {
	if l.err == nil {
		*l.record = r
	}
	return l.err
}

func (l *memoryLock) Identity() string { return l.identity }

// testLock returns the Lease of a replica, its gate, and what sets the clock.
func testLock(identity string, record *resourcelock.LeaderElectionRecord) (*memoryLock, resourcelock.Interface, *gate, *time.Time) {
	now := time.Now()
	g := newGate(Election{Enabled: true, RenewDeadline: 10 * time.Second})
	g.now = func() time.Time { return now }
	l := &memoryLock{identity: identity, record: record}
	return l, g.lock(l), g, &now
}

func TestGate(t *testing.T) {
	ctx, mine := t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "a"}
	under, lock, g, now := testLock("a", &resourcelock.LeaderElectionRecord{})
	steps := []struct {
		name string
		do   func() error
		open bool
	}{
		{"nobody leads", func() error { return nil }, false},
		{"the Lease is made", func() error { return lock.Create(ctx, mine) }, true},
		{"just before the deadline", func() error { *now = now.Add(9999 * time.Millisecond); return nil }, true},
		{"at the deadline", func() error { *now = now.Add(time.Millisecond); return nil }, false},
		{"renewed", func() error { return lock.Update(ctx, mine) }, true},
		{"not renewed for an error", func() error {
			*now = now.Add(10 * time.Second)
			under.err = errors.New("no answer")
			if lock.Update(ctx, mine) == nil {
				return errors.New("no error")
			}
			under.err = nil
			return nil
		}, false},
		{"renewed again", func() error { return lock.Update(ctx, mine) }, true},
		{"given up", func() error {
			if _, _, err := lock.Get(ctx); err != nil {
				return err
			}
			return lock.Update(ctx, resourcelock.LeaderElectionRecord{})
		}, false},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if g.isOpen() != step.open {
			t.Errorf("%s: open is %t", step.name, !step.open)
		}
	}
}

// TestGateEndsWrites has the context of a write end when the gate shuts.
func TestGateEndsWrites(t *testing.T) {
	_, lock, g, now := testLock("a", &resourcelock.LeaderElectionRecord{})
	if err := lock.Create(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "a"}); err != nil {
		t.Fatal(err)
	}
	renewed := *now
	*now = now.Add(4 * time.Second)
	ctx, cancel, err := g.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer cancel()
	if deadline, ok := ctx.Deadline(); !ok || !deadline.Equal(renewed.Add(10*time.Second)) {
		t.Errorf("a write may last until %v, want 10 s after %v", deadline, renewed)
	}
}

// A replica that has lost the Lease without knowing it can't give it up.
func TestLeaseIsNotGivenUpByOthers(t *testing.T) {
	ctx, record := t.Context(), &resourcelock.LeaderElectionRecord{}
	_, lost, _, _ := testLock("a", record)
	_, leads, g, _ := testLock("b", record)
	if err := lost.Create(ctx, resourcelock.LeaderElectionRecord{HolderIdentity: "a"}); err != nil {
		t.Fatal(err)
	}
	if err := leads.Update(ctx, resourcelock.LeaderElectionRecord{HolderIdentity: "b"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := lost.Get(ctx); err != nil {
		t.Fatal(err)
	}
	if err := lost.Update(ctx, resourcelock.LeaderElectionRecord{}); !errors.Is(err, errNotLeading) {
		t.Errorf("giving the Lease of another up: %v", err)
	}
	if record.HolderIdentity != "b" || !g.isOpen() {
		t.Errorf("the Lease is that of %q", record.HolderIdentity)
	}
}

func TestGateWithoutElection(t *testing.T) {
	if g := newGate(Election{}); !g.isOpen() {
		t.Error("a controller that is alone can't write")
	}
}
