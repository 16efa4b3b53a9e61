// SPDX-License-Identifier: Apache-2.0

// Package exitcode decides with which code signet and signet-kustomize end, so
// that the same error ends both alike.
//
// It prints nothing but errors, to where it is told, and ends no process.
package exitcode

import (
	"errors"
	"fmt"
	"slices"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/unseal"
)

// The codes, beside 0.
const (
	Failed    = 1
	Usage     = 2 // a mistake in the command line or in a variable
	NotOpened = 3 // a document could not be opened or verified
)

// Help is what the help of a program says of the codes: two lines.
const Help = `Exit codes: 0 done, 1 failed, 2 wrong usage, also in a variable, 3 a document
could not be opened or verified.`

// UsageError is a mistake in the command line.
type UsageError struct {
	Command string // whose --help tells more
	Err     error
}

func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.Err }

// CodeError is an error after which the program ends with a code of its own, such
// as 127 for a program that is not there.
type CodeError struct {
	Code int
	Err  error
}

func (e *CodeError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *CodeError) Unwrap() error { return e.Err }

// UsageHint says where to read on if err is a *UsageError, else "".
func UsageHint(err error) string {
	if e, ok := report.As[*UsageError](err); ok {
		return fmt.Sprintf("%s --help tells more", e.Command)
	}
	return ""
}

// Opening marks those parts of an error from opening documents that are about a
// document: where others only read, the same error means no more than Failed.
func Opening(err error) error {
	parts := slices.Clone(report.Split(err))
	if len(parts) == 0 {
		return err
	}
	for i, part := range parts {
		if aboutDocument(part) {
			parts[i] = &openError{part}
		}
	}
	return errors.Join(parts...)
}

type openError struct{ err error }

func (e *openError) Error() string { return e.err.Error() }
func (e *openError) Unwrap() error { return e.err }

func aboutDocument(err error) bool {
	if userkeys.AboutKeys(err) || errors.As(err, new(*unseal.UnknownObjectError)) || errors.As(err, new(*manifest.TooMuchError)) {
		return true
	}
	placed, ok := report.As[*report.PlacedError](err)
	return ok && (placed.Operation == "open" || placed.Operation == "read" && placed.Document > 0)
}

// Of returns the exit code for an error, 0 for nil.
func Of(err error) int {
	setting, ok := report.As[*userkeys.SettingError](err)
	own, hasCode := report.As[*CodeError](err)
	late, isLate := report.As[*userkeys.TimeoutError](err)
	switch {
	case err == nil:
		return 0
	case hasCode:
		return own.Code
	case errors.As(err, new(*UsageError)), ok && setting.Usage():
		return Usage
	case errors.As(err, new(*openError)), isLate && late.Command == "":
		return NotOpened
	}
	return Failed
}
