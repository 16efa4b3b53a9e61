// SPDX-License-Identifier: Apache-2.0

// Benchcontroller measures signet-controller beside the controller of Sealed
// Secrets 0.40 and beside what the API server alone can do: the same work, on a
// real control plane, in one run on one machine.
//
//	go run ./internal/benchcontroller [-objects 1000] [-big 10000] [-foreign 5000] [-rounds 3]
//
// Each measurement has a cluster of its own, fresh and without limits on
// concurrent requests. After each one the Secrets are compared with what was
// sealed. An object counts as done when the controller's own metrics say so,
// which both controllers do after the status was written; at the end the API
// server is asked whether that is true.
//
// A target that is missed is a line in the table; the exit code tells only
// whether all could be run. It needs Linux, for /proc and for a folder as the
// root of a process.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// options are the sizes of a run.
type options struct {
	objects int // of what is measured by time
	big     int // of the measurement of memory; 0: not at all
	foreign int // Secrets that are not ours; 0: not at all
	rounds  int
}

func main() {
	var o options
	flag.IntVar(&o.objects, "objects", 1000, "how many SealedSecrets there are")
	flag.IntVar(&o.big, "big", 10000, "how many there are where memory is measured once more; 0 is not at all")
	flag.IntVar(&o.foreign, "foreign", 5000, "how many Secrets of others there are where memory is measured once more; 0 is not at all")
	flag.IntVar(&o.rounds, "rounds", 3, "how often what takes time is measured")
	flag.Parse()
	if flag.NArg() > 0 || min(o.objects, o.rounds) < 1 || min(o.big, o.foreign) < 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := b.close(); err == nil {
			err = closeErr
		}
	}()
	var rows []row
	for _, measure := range []func(context.Context) ([]row, error){b.times, b.memory} {
		more, err := measure(ctx)
		if err != nil {
			return err
		}
		rows = append(rows, more...)
	}
	b.printMachine(ctx, os.Stdout)
	printTable(os.Stdout, rows)
	return nil
}
