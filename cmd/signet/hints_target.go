// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"github.com/signet-secrets/signet/internal/report"
)

// targetHint is about which document of a file is meant.
func targetHint(err error) string {
	file := fileOf(err)
	switch {
	case errors.Is(err, errInClear) && isFile(err):
		return "seal it first: signet seal -i " + file
	case errors.Is(err, errInClear):
		return "seal it first: signet seal -"
	}
	if e, ok := report.As[*severalError](err); ok {
		if e.given != "" {
			return "name its namespace too: --name NAMESPACE/NAME"
		}
		return "say which one is meant: --name " + e.names[0]
	}
	if e, ok := report.As[*noSuchError](err); ok {
		return "name one that is there: --name " + e.names[0]
	}
	return ""
}
