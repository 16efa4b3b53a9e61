// SPDX-License-Identifier: Apache-2.0

// Signet seals Kubernetes Secrets so that they can live in Git, and opens what
// was sealed.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/signet-secrets/signet/internal/memfile"
	"github.com/signet-secrets/signet/internal/parallel"
)

// memoryLimit makes the garbage collector work harder on large input instead
// of letting memory grow. It is soft: nothing fails because of it.
const memoryLimit = 160 << 20

func main() {
	if code, ok := memfile.Reap(os.Args); ok {
		os.Exit(code)
	}
	debug.SetMemoryLimit(memoryLimit)
	os.Unsetenv("AGEDEBUG") // age would print the plugin protocol, file keys included
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], console{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// console is where a command reads and writes. Results go to out, everything
// else to err.
type console struct {
	in       io.Reader
	out, err io.Writer
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, c console) int {
	return finish(c.err, execute(ctx, args, c))
}

func execute(ctx context.Context, args []string, c console) (err error) {
	defer parallel.Recover(&err)
	root := newRoot(c)
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}
