// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/signet-secrets/signet/internal/figures"
)

// footprint is the memory of a process in bytes: what is resident when it has
// settled, and the most that ever was.
type footprint struct{ resident, peak float64 }

// footprints are those of one contender, zero where none was taken.
type footprints struct {
	made, restarted       footprint // after it has made the Secrets, and after a restart with all done
	foreign               footprint // after a restart beside foreign Secrets
	madeBig, restartedBig footprint
}

// memory measures the memory that the controllers take.
func (b *bench) memory(ctx context.Context) ([]row, error) {
	ours, err := b.footprints(ctx, b.signet, b.big)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.signet.name(), err)
	}
	theirs, err := b.footprints(ctx, b.sealedSecrets, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.sealedSecrets.name(), err)
	}
	return b.memoryRows(ours, theirs), nil
}

func (b *bench) memoryRows(ours, theirs footprints) []row {
	other := b.sealedSecrets.name()
	resident := func(work string, a, b footprint, limit float64) []row {
		r, peak := sizeRow(work, a.resident, b.resident, other), sizeRow("  at its peak", a.peak, b.peak, other)
		r.below(limit, fmt.Sprintf("< %.0f MiB", limit/(1<<20)))
		return []row{r, peak}
	}
	rows := resident(fmt.Sprintf("memory, %d objects it has made", b.objects), ours.made, theirs.made, targetMemoryBytes)
	rows = append(rows, resident(fmt.Sprintf("memory, %d objects, restarted", b.objects), ours.restarted, theirs.restarted, targetMemoryBytes)...)
	if b.foreign > 0 {
		work := fmt.Sprintf("memory, the same beside %d foreign Secrets", b.foreign)
		flat := sizeRow("  beside itself without them", ours.foreign.resident, ours.restarted.resident, "signet")
		flat.atLeast(1 / targetForeign)
		rows = append(rows, sizeRow(work, ours.foreign.resident, theirs.foreign.resident, other), flat)
	}
	if b.big > 0 {
		rows = append(rows, resident(fmt.Sprintf("memory, %d objects it has made", b.big), ours.madeBig, footprint{}, targetMemoryBigBytes)...)
		rows = append(rows, resident(fmt.Sprintf("memory, %d objects, restarted", b.big), ours.restartedBig, footprint{}, targetMemoryBigBytes)...)
	}
	return rows
}

// footprints measures a contender, at the end with big objects unless it is 0.
func (b *bench) footprints(ctx context.Context, c contender, big int) (f footprints, err error) {
	if f.made, f.restarted, f.foreign, err = b.grow(ctx, c, b.objects, b.foreign); err == nil && big > 0 {
		f.madeBig, f.restartedBig, _, err = b.grow(ctx, c, big, 0)
	}
	return f, err
}

// grow measures a contender that makes n Secrets, that is restarted, and that is
// restarted beside foreign Secrets.
func (b *bench) grow(ctx context.Context, c contender, n, foreign int) (made, restarted, beside footprint, err error) {
	say("%s: memory with %d objects", c.name(), n)
	s, err := open(ctx, c)
	if err != nil {
		return made, restarted, beside, err
	}
	defer s.closing(&err)
	documents, _ := c.documents(n)
	p, err := s.launch(ctx, c)
	if err != nil {
		return made, restarted, beside, err
	}
	if err = s.createAndWait(ctx, c, p, documents, n); err == nil {
		made, err = settle(ctx, p)
	}
	if err == nil {
		err = s.verify(ctx, c, documents)
	}
	if err = errors.Join(err, p.stop()); err != nil {
		return made, restarted, beside, err
	}
	if restarted, err = s.restarted(ctx, c, n); err != nil || foreign == 0 {
		return made, restarted, beside, err
	}
	say("%s: memory beside %d foreign Secrets", c.name(), foreign)
	if err = s.createForeign(ctx, foreign); err == nil {
		beside, err = s.restarted(ctx, c, n)
	}
	return made, restarted, beside, err
}

// restarted measures a controller that finds n objects done.
func (s *site) restarted(ctx context.Context, c contender, n int) (footprint, error) {
	p, err := c.start(ctx)
	if err != nil {
		return footprint{}, err
	}
	err = wait(ctx, p, n)
	f := footprint{}
	if err == nil {
		f, err = settle(ctx, p)
	}
	return f, errors.Join(err, p.stop())
}

// A process has settled when its memory has stayed within settledBytes for
// settledFor. Go gives memory back little by little, and looks for garbage every
// two minutes at least, which is not waited for.
const (
	settledBytes   = 1 << 20
	settledFor     = 10 * time.Second
	settleTimeout  = 90 * time.Second
	settleInterval = time.Second // from one look to the next
)

// settle waits until the memory of a process stays as it is, or takes what it is
// at the end of settleTimeout.
func settle(ctx context.Context, p process) (footprint, error) {
	const enough, most = int(settledFor / settleInterval), int(settleTimeout / settleInterval)
	var seen []float64
	for {
		resident, peak, err := memoryOf(p.pid())
		if err != nil {
			return footprint{}, err
		}
		seen = append(seen, resident)
		last := seen[max(0, len(seen)-enough):]
		if len(last) == enough && slices.Max(last)-slices.Min(last) < settledBytes || len(seen) == most {
			say("  resident %s after %v, peak %s", figures.MiB(resident), time.Duration(len(seen))*settleInterval, figures.MiB(peak))
			return footprint{resident, peak}, nil
		}
		select {
		case <-ctx.Done():
			return footprint{}, context.Cause(ctx)
		case <-p.ended():
			return footprint{}, fmt.Errorf("the controller has ended:\n%s", lastLines(p.log()))
		case <-time.After(settleInterval):
		}
	}
}
