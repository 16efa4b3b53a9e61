// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// launch starts a contender and, if there is to be an object to warm up with,
// waits until that is done. The caller stops it.
func (s *site) launch(ctx context.Context, c contender, warm ...document) (process, error) {
	p, err := c.start(ctx)
	if err != nil {
		return nil, err
	}
	err = p.serving(ctx)
	if err == nil {
		err = s.create(ctx, c, warm...)
	}
	if err == nil {
		err = wait(ctx, p, len(warm))
	}
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// live is the time from the first document being made, by several clients, to
// the last one being done, by a controller that is up.
func (b *bench) live(ctx context.Context, c contender) (took time.Duration, err error) {
	s, err := open(ctx, c)
	if err != nil {
		return 0, err
	}
	defer s.closing(&err)
	documents, warm := c.documents(b.objects)
	p, err := s.launch(ctx, c, warm)
	if err != nil {
		return 0, err
	}
	before, begin := cpuTimes(s.pids(c, p)), time.Now()
	err = s.createAndWait(ctx, c, p, documents, len(documents)+1)
	took = time.Since(begin)
	sayCPU(fmt.Sprintf("%s, %d objects while they are made", c.name(), b.objects), took, before, cpuTimes(s.pids(c, p)))
	if err == nil {
		err = s.verify(ctx, c, documents)
	}
	return took, errors.Join(err, p.stop())
}

// createAndWait makes documents and waits until the controller has done with n
// in all.
func (s *site) createAndWait(ctx context.Context, c contender, p process, documents []document, n int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	created := make(chan error, 1)
	go func() {
		err := s.create(ctx, c, documents...)
		if err != nil {
			cancel() // they will not be done
		}
		created <- err
	}()
	err := wait(ctx, p, n)
	if err != nil {
		cancel() // there is nobody to make them for
	}
	return errors.Join(<-created, err)
}

func (s *site) pids(c contender, p process) map[string]int {
	pids := s.PIDs()
	pids[c.name()] = p.pid()
	return pids
}

// arrears are the times of a controller that finds work when it starts, and of
// one that finds none.
type arrears struct {
	backlog, restart time.Duration // from the start of the process to the last object being done with
	keyCalls, writes int           // of the restart
}

// backlog measures a controller that is started after all documents were made,
// and is started again when all is done.
func (b *bench) backlog(ctx context.Context, c contender) (a arrears, err error) {
	s, err := open(ctx, c)
	if err != nil {
		return a, err
	}
	defer s.closing(&err)
	documents, _ := c.documents(b.objects)
	if err := s.create(ctx, c, documents...); err != nil {
		return a, err
	}
	what := fmt.Sprintf("%s, %d objects made before its start", c.name(), b.objects)
	if a.backlog, err = s.timeStart(ctx, c, what, len(documents)); err != nil {
		return a, err
	}
	if err := s.verify(ctx, c, documents); err != nil {
		return a, err
	}
	b.lab.KMS.ResetCounts()
	before, err := s.writes(ctx)
	if err != nil {
		return a, err
	}
	what = fmt.Sprintf("%s, restart with %d objects", c.name(), b.objects)
	if a.restart, err = s.timeStart(ctx, c, what, len(documents)); err != nil {
		return a, err
	}
	after, err := s.writes(ctx)
	a.keyCalls, a.writes = b.lab.KMS.Count(""), after-before
	return a, err
}

// timeStart starts a controller, waits until it has done with n objects, and
// stops it, which lets it end what it has begun. The time is without the stop.
func (s *site) timeStart(ctx context.Context, c contender, what string, n int) (time.Duration, error) {
	before, begin := cpuTimes(s.PIDs()), time.Now()
	p, err := c.start(ctx)
	if err != nil {
		return 0, err
	}
	err = wait(ctx, p, n)
	took := time.Since(begin)
	sayCPU(what, took, before, cpuTimes(s.pids(c, p)))
	return took, errors.Join(err, p.stop())
}
