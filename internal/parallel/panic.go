// SPDX-License-Identifier: Apache-2.0

package parallel

import (
	"runtime"
	"strings"
)

// PanicError stands for a panic, whose value and stack may hold anything.
type PanicError struct{ where string }

func (e *PanicError) Error() string { return "internal error: a panic in " + e.where }

// Recover turns a panic of the caller into a *PanicError. It is to be deferred.
func Recover(err *error) {
	if recover() != nil {
		*err = &PanicError{where: panicPlace()}
	}
}

// panicPlace names the function of ours that was running when the panic began,
// or that called what did.
func panicPlace() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	panicking := false
	for {
		frame, more := frames.Next()
		name, ours := own(frame.Function)
		switch {
		case strings.HasPrefix(frame.Function, "runtime.") && strings.Contains(frame.Function, "anic"):
			panicking = true
		case panicking && ours:
			return name
		case !more:
			return "an unknown place"
		}
	}
}

// own says whether a function belongs to this module, whose programs are package
// main.
func own(function string) (name string, ok bool) {
	name, ok = strings.CutPrefix(function, "github.com/signet-secrets/signet/")
	return name, ok || strings.HasPrefix(name, "main.")
}
