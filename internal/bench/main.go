// SPDX-License-Identifier: Apache-2.0

// Bench measures Signet beside stock SOPS: the same work on the same content,
// both programs in turn, in one run; and what signet-kustomize and the filter
// take in a build of kustomize. It prints medians and ratios, for only ratios
// mean something on another machine.
//
//	go run ./internal/bench [-rounds 5] [-starts 40] [-documents 200] [-keys 1000] [-renewed 1000] [-only kustomize]
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
	"slices"
	"syscall"
)

// options are the sizes of a run.
type options struct {
	rounds    int // of everything but program starts
	starts    int
	documents int    // in a stream
	keys      int    // of the large Secret
	renewed   int    // documents that get another key
	only      string // name of a part, "" is all
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
	flag.IntVar(&o.renewed, "renewed", 1000, "documents that are rewrapped and rotated")
	flag.StringVar(&o.only, "only", "", "measure one `PART`: start, classic, hybrid, kms, renewal, large, check, builds or kustomize")
	flag.Parse()
	if flag.NArg() > 0 || min(o.rounds, o.starts, o.documents, o.keys, o.renewed) < 1 {
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

// part is a part of a run.
type part struct {
	name    string
	measure func(*bench, context.Context) ([]row, error)
}

// parts returns the part of that name, "" is all.
func parts(name string) ([]part, error) {
	all := []part{
		{"start", (*bench).start}, {"classic", (*bench).classic}, {"hybrid", (*bench).hybrid}, {"kms", (*bench).keyServices},
		{"renewal", (*bench).renewals}, {"large", (*bench).large}, {"check", (*bench).check}, {"builds", (*bench).builds}, {"kustomize", (*bench).kustomizeBuilds},
	}
	if name == "" {
		return all, nil
	}
	i := slices.IndexFunc(all, func(p part) bool { return p.name == name })
	if i < 0 {
		return nil, fmt.Errorf("there is no part %q", name)
	}
	return all[i : i+1], nil
}

func run(ctx context.Context, o options) error {
	parts, err := parts(o.only)
	if err != nil {
		return err
	}
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
	for _, part := range parts {
		more, err := part.measure(b, ctx)
		if err != nil {
			return err
		}
		rows = append(rows, more...)
	}
	b.printMachine(ctx, os.Stdout)
	printTables(os.Stdout, rows)
	b.printNotes(os.Stdout)
	return nil
}
