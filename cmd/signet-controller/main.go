// SPDX-License-Identifier: Apache-2.0

// Signet-controller runs in a cluster and turns each SealedSecret into its
// Secret.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// The first signal asks for the end; a second one ends the process as if
	// nobody listened.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], process{
		out:           os.Stdout,
		err:           os.Stderr,
		environ:       os.Environ(),
		namespaceFile: "/var/run/secrets/kubernetes.io/serviceaccount/namespace",
	}))
}

// process is what surrounds a run.
type process struct {
	out, err      io.Writer
	environ       []string // "NAME=value"
	namespaceFile string   // holds the namespace of the pod, if it is one
}

// run does what a command line says and returns the exit code.
func run(ctx context.Context, args []string, p process) int {
	root := newRoot(p)
	root.SetArgs(args)
	return report(p.err, root.ExecuteContext(ctx))
}
