// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/signet-secrets/signet/internal/report"
)

// How signet talks to people is said in package report. This file is the only
// one that prints errors.

// program is the name that signet has in what it prints.
const program = "signet"

// Exit codes.
const (
	exitFailed   = 1
	exitUsage    = 2
	exitNoSecret = 3 // a document could not be opened or verified
)

// usageError is a mistake in the command line.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usage(cmd *cobra.Command, err error) error {
	return &usageError{command: cmd.CommandPath(), err: err}
}

func usagef(cmd *cobra.Command, format string, args ...any) error {
	return usage(cmd, fmt.Errorf(format, args...))
}

type unknownCommandError struct {
	Command string
	Similar []string
}

func (e *unknownCommandError) Error() string { return fmt.Sprintf("unknown command %q", e.Command) }

// openError marks an error with which the program exits with exitNoSecret.
type openError struct{ err error }

func (e *openError) Error() string { return e.err.Error() }
func (e *openError) Unwrap() error { return e.err }

// exitCode returns the exit code for an error.
func exitCode(err error) int {
	var usage *usageError
	var open *openError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &open):
		return exitNoSecret
	}
	return exitFailed
}

// finish prints an error, each of its parts if several were joined, with hints,
// and returns the exit code.
func finish(w io.Writer, err error) int {
	all, untried := tried(report.Split(err))
	if len(all) == 0 && untried > 0 {
		all, untried, err = []error{errNotTried}, 0, errNotTried
	}
	printer(w).Errors(all, untried, hints)
	return exitCode(err)
}

func printer(w io.Writer) report.Printer { return report.Printer{Program: program, W: w} }

// note prints a remark about something that did not fail.
func note(w io.Writer, file, text string) { printer(w).Note(file, text) }

// isTerminal reports whether f is a terminal.
func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
