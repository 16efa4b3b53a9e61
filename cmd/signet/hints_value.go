// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"github.com/signet-secrets/signet/internal/report"
)

// valuesHint is about single values.
func valuesHint(err error) string {
	if e, ok := report.As[*noKeyError](err); ok && len(e.keys) > 0 && len(e.missing) == 1 {
		return "name one that is there; to add one: signet set " + fileOf(err) + " " + e.missing[0]
	}
	if e, ok := report.As[*noFileError](err); ok {
		file := report.Quoted(e.file)
		return "make it: signet seal --name NAME -n NAMESPACE --from-file=" + e.key + "=- -o " + file +
			"; to add a value to a Secret that somebody else makes: --merge-into NAME -n NAMESPACE"
	}
	if e, ok := report.As[*mergedOtherError](err); ok {
		return "leave it, and give the new document another name: --object-name " + e.name + "-2"
	}
	if e, ok := report.As[*promptError](err); ok && errors.Is(err, errNothing) {
		return "an empty value is given as an argument: signet set FILE " + e.key + " ''"
	}
	switch {
	case errors.Is(err, errFlagValue), errors.Is(err, errFlagFormat):
		return "a value that begins with - stands behind --: signet set FILE KEY -- VALUE; signet set --help lists the flags"
	case errors.Is(err, errDashValue):
		return "to read the value from stdin, leave VALUE out, or give --from-file -"
	case errors.Is(err, errBinary), errors.Is(err, errControl):
		return "write it to a file with -o FILE, or print it with --base64"
	case errors.Is(err, errSOPSFile):
		return "put the value into another file: it becomes a document of its own"
	case errors.Is(err, errInConflict):
		return "settle it first: signet edit " + fileOf(err)
	case errors.Is(err, errMeanwhile):
		return "the file is left as it is; run the same again"
	case errors.Is(err, errNotTwice):
		return "a value of several lines is given with --from-file, or on stdin"
	case errors.Is(err, errNoTerminal):
		return "give the value with --from-file, or on stdin"
	case errors.Is(err, errHasKey):
		return "without --create-only the value is replaced"
	}
	return ""
}
