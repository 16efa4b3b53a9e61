// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// The targets. The goal for the backlog is 0.8 of the API server's own rate.
const (
	targetLive           = 4
	targetBacklog        = 0.6
	targetRestart        = 2 * time.Second
	targetMemoryBytes    = 55 << 20
	targetMemoryBigBytes = 110 << 20
	targetForeign        = 1.1
)

// series are the times of one contender, round by round.
type series struct{ live, backlog, restart, keyCalls, writes []float64 }

// times measures all that takes time, in rounds in which the sides take turns.
func (b *bench) times(ctx context.Context) ([]row, error) {
	ours, theirs, api := &series{}, &series{}, []float64(nil)
	turns := []func() error{
		func() error { return b.contend(ctx, b.signet, ours) },
		func() error {
			took, err := b.apiServer(ctx)
			api = append(api, float64(took))
			return err
		},
		func() error { return b.contend(ctx, b.sealedSecrets, theirs) },
	}
	for round := range b.rounds {
		say("round %d of %d", round+1, b.rounds)
		for _, turn := range turns {
			if err := turn(); err != nil {
				return nil, err
			}
		}
		slices.Reverse(turns)
	}
	return b.timeRows(ours, theirs, api), nil
}

func (b *bench) contend(ctx context.Context, c contender, s *series) error {
	live, err := b.live(ctx, c)
	if err != nil {
		return fmt.Errorf("%s: %w", c.name(), err)
	}
	a, err := b.backlog(ctx, c)
	if err != nil {
		return fmt.Errorf("%s: %w", c.name(), err)
	}
	s.live = append(s.live, float64(live))
	s.backlog = append(s.backlog, float64(a.backlog))
	s.restart = append(s.restart, float64(a.restart))
	s.keyCalls = append(s.keyCalls, float64(a.keyCalls))
	s.writes = append(s.writes, float64(a.writes))
	return nil
}

func (b *bench) timeRows(ours, theirs *series, api []float64) []row {
	n := b.objects
	other, alone := b.sealedSecrets.name(), "API server"
	restart := timeRow(fmt.Sprintf("restart, %d objects unchanged", n), ours.restart, theirs.restart, other, 0)
	restart.below(float64(targetRestart), "< "+targetRestart.String())
	calls := countRow("  key calls", ours.keyCalls, nil, "")
	calls.below(1, "0")
	writes := countRow("  writes", ours.writes, theirs.writes, other)
	writes.below(1, "0")
	return []row{
		timeRow(fmt.Sprintf("%d objects, while they are made", n), ours.live, theirs.live, other, targetLive),
		timeRow(fmt.Sprintf("%d objects, made before the start", n), ours.backlog, theirs.backlog, other, 0),
		timeRow("  beside a POST and a status patch each", ours.backlog, api, alone, targetBacklog),
		restart, calls, writes,
	}
}
