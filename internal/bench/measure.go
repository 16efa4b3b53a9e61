// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"

	"github.com/signet-secrets/signet/internal/figures"
)

// side is one way to do a piece of work.
type side struct {
	commands []command
	prepare  func() error // before each round, not timed; may be nil
	verify   func() error // after each round, not timed
}

// takeTurns runs all sides in each round, in turning order so that none has
// always the same one before it. Result i holds the costs of sides[i].
func takeTurns(ctx context.Context, rounds int, sides ...side) ([][]cost, error) {
	costs := make([][]cost, len(sides))
	order := make([]int, len(sides))
	for i := range order {
		order[i] = i
	}
	for range rounds {
		for _, i := range order {
			one, err := sides[i].once(ctx)
			if err != nil {
				return nil, err
			}
			costs[i] = append(costs[i], one)
		}
		slices.Reverse(order)
	}
	return costs, nil
}

func (s side) once(ctx context.Context) (cost, error) {
	if s.prepare != nil {
		if err := s.prepare(); err != nil {
			return cost{}, err
		}
	}
	c, err := runAll(ctx, s.commands)
	if err != nil {
		return cost{}, err
	}
	return c, s.verify()
}

// peakRow compares the peak memory of two programs.
func peakRow(ctx context.Context, work string, rounds int, signet, sops command) (row, error) {
	var a, b []float64
	for range rounds {
		x, err := signet.peak(ctx)
		if err != nil {
			return row{}, err
		}
		y, err := sops.peak(ctx)
		if err != nil {
			return row{}, err
		}
		a, b = append(a, x), append(b, y)
	}
	return sizeRow(work, figures.Median(a), figures.Median(b)), nil
}
