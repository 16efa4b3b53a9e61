// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"syscall"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	kustomizeplugin "github.com/signet-secrets/signet/kustomize-plugin"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// Exit codes, those of signet.
const (
	exitFailed   = 1
	exitUsage    = 2
	exitNoSecret = 3 // a document could not be opened or verified
)

// usageError is a mistake in the command line.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// finish prints an error, each of its parts if several were joined, with hints,
// and returns the exit code.
func (p process) finish(err error) int {
	errs, untried := report.Split(err), 0
	if n := len(errs) - 1; n >= 0 {
		if left, ok := report.As[*kustomizeplugin.UntriedError](errs[n]); ok {
			errs, untried = errs[:n], left.Documents
		}
	}
	if len(errs) == 0 && untried > 0 {
		errs, untried = []error{errors.New("interrupted")}, 0
	}
	report.Printer{Program: program, W: p.err}.Errors(errs, untried, hints)
	return exitCode(err)
}

func exitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.As(err, new(*usageError)):
		return exitUsage
	case aboutDocument(err):
		return exitNoSecret
	}
	return exitFailed
}

// aboutDocument reports whether any part of an error says that a document could
// not be opened or verified.
func aboutDocument(err error) bool {
	for _, err := range report.Split(err) {
		placed, ok := report.As[*report.PlacedError](err)
		switch {
		case ok && placed.Operation == "open", userkeys.AboutKeys(err),
			errors.As(err, new(*unseal.ScopeError)), errors.As(err, new(*unseal.NamespaceError)),
			errors.As(err, new(*sopsdoc.TamperedError)), errors.As(err, new(*sopsdoc.InvalidError)),
			errors.As(err, new(*sopsdoc.DeniedError)), errors.As(err, new(*unseal.ListError)), errors.As(err, new(*userkeys.TimeoutError)):
			return true
		}
	}
	return false
}

// hints returns what helps against an error: the exact variable, command or
// edit.
func hints(err error) []string {
	opening := userkeys.Hints{}
	if userkeys.AboutKeys(err) {
		return opening.Keys(err)
	}
	for _, find := range []func(error) string{opening.FIPS, kustomizeplugin.Hint, opening.Open, installHint} {
		if hint := find(err); hint != "" {
			return []string{hint}
		}
	}
	if all := opening.Keys(err); len(all) > 0 {
		return all
	}
	if errors.As(err, new(*usageError)) {
		return []string{program + " --help tells more"}
	}
	return nil
}

func installHint(err error) string {
	placed, ok := report.As[*report.PlacedError](err)
	switch {
	case !ok || placed.Operation != installing:
		return ""
	case errors.Is(err, syscall.ENOSPC):
		return "the disk is full; what was there is as it was"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return "name a folder that you may write to, or check who owns this one"
	}
	return ""
}

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
	return exitFailed
}
