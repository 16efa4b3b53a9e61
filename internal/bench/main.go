// SPDX-License-Identifier: Apache-2.0

// Bench measures Signet beside stock SOPS: the same work on the same content,
// both programs in turn, in one run. It prints medians and ratios, for only
// ratios mean something on another machine.
//
//	go run ./internal/bench [-rounds 5] [-starts 40] [-documents 200] [-keys 1000]
//
// Every result is opened and compared with what went in, outside of the timed
// part, so that a command that fails cannot look fast. A target that is missed
// is a line in the table; the exit code tells only whether all could be run.
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
	rounds    int // of everything but program starts
	starts    int
	documents int // in a stream
	keys      int // of the large Secret
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == peakCommand {
		os.Exit(printPeak(os.Args[2:]))
	}
	var o options
	flag.IntVar(&o.rounds, "rounds", 5, "how often everything but program starts is measured")
	flag.IntVar(&o.starts, "starts", 40, "how often program starts are measured")
	flag.IntVar(&o.documents, "documents", 200, "documents in a stream, and files for sops")
	flag.IntVar(&o.keys, "keys", 1000, "keys of the large Secret")
	flag.Parse()
	if flag.NArg() > 0 || min(o.rounds, o.starts, o.documents, o.keys) < 1 {
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

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "signet-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b, err := newBench(ctx, dir, o)
	if err != nil {
		return err
	}
	var rows []row
	for _, measure := range []func(context.Context) ([]row, error){
		b.start, b.classic, b.hybrid, b.keyServices, b.large, b.builds,
	} {
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
