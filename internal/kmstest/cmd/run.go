// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/signet-secrets/signet/internal/kmstest"
)

type options struct {
	addr, account, region string
	keys, roles           names
	multiRegion           bool
	faults                kmstest.Faults
	envFile               string
	stopAfter             time.Duration
}

// names is a flag that may be given more than once.
type names []string

func (n *names) String() string { return strings.Join(*n, ",") }

func (n *names) Set(s string) error {
	if s == "" || strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
		return fmt.Errorf("%q has other characters than letters, digits, _ and -", s)
	}
	*n = append(*n, s)
	return nil
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("kmstest", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.addr, "addr", "127.0.0.1:0", "address to listen at; keep it on loopback")
	f.StringVar(&o.account, "account", "", "account of the keys, 12 digits (default 111122223333)")
	f.StringVar(&o.region, "region", "eu-west-1", "Region of the keys")
	f.Var(&o.keys, "key", "create a key with the alias alias/`NAME`; may be repeated (default demo)")
	f.Var(&o.roles, "role", "register the role `NAME`, which may then be assumed; may be repeated")
	f.BoolVar(&o.multiRegion, "multi-region", false, "make the keys multi-Region keys")
	f.DurationVar(&o.faults.Latency, "latency", 0, "delay before every answer of KMS")
	f.Float64Var(&o.faults.Throttle, "throttle", 0, "rate of ThrottlingException, 0 to 1")
	f.Float64Var(&o.faults.ServerError, "server-error", 0, "rate of 500 and 503 answers, 0 to 1")
	f.Float64Var(&o.faults.Reset, "reset", 0, "rate of connection resets, 0 to 1")
	f.Float64Var(&o.faults.Hang, "hang", 0, "rate of requests without an answer, 0 to 1")
	f.DurationVar(&o.faults.HangFor, "hang-for", 30*time.Second, "time until such a connection is closed")
	f.Uint64Var(&o.faults.Seed, "seed", 0, "seed of the faults")
	f.StringVar(&o.envFile, "env-file", "", "also write the export lines to `FILE`, whole, once the server listens; removed at the end")
	f.DurationVar(&o.stopAfter, "stop-after", 10*time.Minute, "end after this time")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		err := fmt.Errorf("unexpected argument %q", f.Arg(0))
		fmt.Fprintln(stderr, err)
		f.Usage()
		return o, err
	}
	if o.keys == nil {
		o.keys = names{"demo"}
	}
	return o, nil
}

// run serves until ctx ends or the time is up, which is not an error.
func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	if o.envFile != "" { // who waits for it must not read that of an earlier run
		if err := os.Remove(o.envFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		defer os.Remove(o.envFile)
	}
	s, err := kmstest.New(kmstest.Options{Account: o.account, Addr: o.addr})
	if err != nil {
		return err
	}
	defer s.Close()
	s.SetFaults(o.faults)
	env := environment(s, o)
	if _, err := io.WriteString(stdout, env); err != nil {
		return err
	}
	if o.envFile != "" {
		if err := writeWhole(o.envFile, env); err != nil {
			return err
		}
	}
	timer := time.NewTimer(o.stopAfter)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
		fmt.Fprintf(stderr, "kmstest: stopped after %v; see -stop-after\n", o.stopAfter)
	}
	s.Close()
	printCounts(stderr, s)
	return nil
}

func printCounts(w io.Writer, s *kmstest.Server) {
	counts := s.Counts()
	for _, operation := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "kmstest: %-32s %6d calls, %6d succeeded\n", operation, counts[operation], s.Succeeded(operation))
	}
	if len(counts) == 0 {
		fmt.Fprintln(w, "kmstest: no calls")
	}
}
