// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
)

// How signet talks to people is said in package report. This file is the only
// one that prints errors.

// program is the name that signet has in what it prints.
const program = "signet"

func usage(cmd *cobra.Command, err error) error {
	return &exitcode.UsageError{Command: cmd.CommandPath(), Err: err}
}

func usagef(cmd *cobra.Command, format string, args ...any) error {
	return usage(cmd, fmt.Errorf(format, args...))
}

type unknownCommandError struct {
	Command string
	Similar []string
}

func (e *unknownCommandError) Error() string { return fmt.Sprintf("unknown command %q", e.Command) }

// finish prints an error, each of its parts if several were joined, with hints,
// and returns the exit code.
func finish(w io.Writer, err error) int {
	all, untried := parallel.Tried(report.Split(err))
	return exitcode.Finish(printer(w), all, untried, hints)
}

func printer(w io.Writer) report.Printer { return report.Printer{Program: program, W: w} }

// note prints a remark about something that did not fail.
func note(w io.Writer, file, text string) { printer(w).Note(file, text) }

// isTerminal reports whether f is a terminal.
func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
