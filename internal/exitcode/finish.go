// SPDX-License-Identifier: Apache-2.0

package exitcode

import (
	"errors"

	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
)

// Finish prints what a run has ended with, each error with its hints, and returns the
// exit code. untried counts the documents that were left because others had failed, or
// because somebody has interrupted the run.
func Finish(p report.Printer, errs []error, untried int, hints func(error) []string) int {
	if len(errs) == 0 && untried > 0 {
		errs, untried = []error{parallel.ErrNotTried}, 0
	}
	p.Errors(errs, untried, hints)
	return Of(errors.Join(errs...))
}
