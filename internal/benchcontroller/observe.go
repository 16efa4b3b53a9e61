// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// patience is how long anything may take, per object: ten times what the
// slowest needs with a full log on a busy machine.
const patience = 400 * time.Millisecond

// wait waits until a process has done with n objects.
func wait(ctx context.Context, p process, n int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute+time.Duration(n)*patience, errors.New("it takes too long"))
	defer cancel()
	have := 0
	err := poll(ctx, p, func() (bool, error) {
		var err error
		if have, err = p.done(ctx); err != nil {
			return false, nil // it does not listen yet
		}
		return have >= n, nil
	})
	if err != nil {
		return fmt.Errorf("%d of %d objects are done: %w\n%s", have, n, err, lastLines(p.log()))
	}
	return nil
}

// poll asks until the answer is yes, and so rarely that it takes little of the
// CPU from those who work: a fiftieth of the time passed is between.
func poll(ctx context.Context, p process, ask func() (bool, error)) error {
	begin := time.Now()
	for {
		if yes, err := ask(); yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-p.ended():
			return fmt.Errorf("the controller has ended:\n%s", lastLines(p.log()))
		case <-time.After(max(20*time.Millisecond, time.Since(begin)/50)):
		}
	}
}

// sumSeries adds up the values of the series of a metric, in the text format of
// Prometheus, whose labels hold all the given ones, such as ready="True".
func sumSeries(text, metric string, labels ...string) float64 {
	sum := 0.0
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, metric+"{")
		end := strings.LastIndex(rest, "} ")
		if !ok || end < 0 || slices.ContainsFunc(labels, func(l string) bool { return !strings.Contains(rest[:end], l) }) {
			continue
		}
		if value, err := strconv.ParseFloat(strings.TrimSpace(rest[end+2:]), 64); err == nil {
			sum += value
		}
	}
	return sum
}

// memoryOf returns what /proc/PID/status (proc(5)) says about the memory of a
// process: what is resident now, and the most that ever was.
func memoryOf(pid int) (resident, peak float64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line) // "VmRSS: 1234 kB"
		if len(f) != 3 {
			continue
		}
		kib, err := strconv.ParseFloat(f[1], 64)
		switch {
		case f[0] == "VmRSS:" && err == nil:
			resident = kib * 1024
		case f[0] == "VmHWM:" && err == nil:
			peak = kib * 1024
		}
	}
	if resident == 0 || peak == 0 {
		return 0, 0, fmt.Errorf("/proc/%d/status does not tell the memory", pid)
	}
	return resident, peak, nil
}

// tick is what the times in /proc are counted in: Linux shows a hundredth of a
// second on every platform (time(7), USER_HZ).
const tick = time.Second / 100

// cpuTimes returns the CPU time of processes so far, by name. One that can't be
// read has none.
func cpuTimes(pids map[string]int) map[string]time.Duration {
	times := map[string]time.Duration{}
	for name, pid := range pids {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		_, rest, _ := strings.Cut(string(stat), ") ") // proc(5): fields from the third on
		if f := strings.Fields(rest); len(f) > 12 {
			user, _ := strconv.Atoi(f[11])
			system, _ := strconv.Atoi(f[12])
			times[name] = time.Duration(user+system) * tick
		}
	}
	return times
}

// sayCPU tells how much CPU time processes have used since before.
func sayCPU(what string, took time.Duration, before, now map[string]time.Duration) {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if used := now[name] - before[name]; used >= tick {
			parts = append(parts, fmt.Sprintf("%s %.1f s", name, used.Seconds()))
		}
	}
	say("%s: %.2f s; CPU: %s", what, took.Seconds(), strings.Join(parts, ", "))
}
