// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/report"
	kustomizeplugin "github.com/signet-secrets/signet/kustomize-plugin"
)

func usagef(format string, args ...any) error {
	return &exitcode.UsageError{Command: program, Err: fmt.Errorf(format, args...)}
}

// finish prints an error, each of its parts if several were joined, with hints,
// and returns the exit code.
func (p process) finish(err error) int {
	errs, untried := report.Split(exitcode.Opening(err)), 0
	if n := len(errs) - 1; n >= 0 {
		if left, ok := report.As[*kustomizeplugin.UntriedError](errs[n]); ok {
			errs, untried = errs[:n], left.Count
		}
	}
	return exitcode.Finish(report.Printer{Program: program, W: p.err}, errs, untried, hints)
}
