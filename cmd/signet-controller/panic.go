// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
)

// What is passed to panic may hold anything, a value of a Secret too. Only its
// type is shown, and where it happened: a stack without arguments, which would
// show memory.

// handlePanics has the libraries of Kubernetes tell of panics through l. Where
// the library would panic again, and Go print what was passed, exit ends the
// process first.
func handlePanics(l *slog.Logger, exit func(code int)) {
	utilruntime.PanicHandlers = []func(context.Context, any){func(_ context.Context, r any) {
		if r == http.ErrAbortHandler { // a way to end a request
			return
		}
		again := panicsAgain()
		logPanic(l, r)
		if again {
			exit(exitFailed)
		}
	}}
}

func logPanic(l *slog.Logger, r any) {
	l.Error("Panic", "type", fmt.Sprintf("%T", r), "stack", stack())
}

// panicsAgain reports whether a PanicHandler was called by HandleCrash, which
// panics anew, and not by controller-runtime, which takes the panic for an error
// of one object.
func panicsAgain() bool {
	pc, _, _, ok := runtime.Caller(2)
	f := runtime.FuncForPC(pc)
	return !ok || f == nil || !strings.Contains(f.Name(), "controller-runtime/pkg/internal/controller.")
}

// stack is the present stack, innermost first: one function with its place for
// each frame.
func stack() string {
	const most = 64
	pcs := make([]uintptr, most)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	var lines []string
	for {
		f, more := frames.Next()
		lines = append(lines, fmt.Sprintf("%s %s:%d", f.Function, f.File, f.Line))
		if !more {
			return strings.Join(lines, "\n")
		}
	}
}
