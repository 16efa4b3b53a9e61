// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/report"
)

// panicked reports a panic. What was passed to panic may hold anything, a value
// of a Secret too: only its type is shown, and where it happened, by a stack
// without arguments, which would show memory.
func (p process) panicked(r any) int {
	const most = 64
	pcs := make([]uintptr, most)
	text := fmt.Sprintf("internal error: panic with a value of type %T", r)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		text += fmt.Sprintf("\n%s %s:%d", f.Function, f.File, f.Line)
	}
	report.Printer{Program: program, W: p.err}.Line("error", report.Lines(text))
	return exitcode.Failed
}
