// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/spf13/cobra"
)

// How signet talks to people:
//
//   - The result of a command goes to stdout and nothing else does. When a
//     command fails, stdout stays empty.
//   - Errors, hints, notes and progress go to stderr, each line with the
//     program's name, in lower case and without a full stop.
//   - An error says where (file, document, object), what was tried, and why it
//     did not work. The hint after it is the exact flag, command or edit that
//     helps.
//   - No line ever holds a value of a Secret, a key or a piece of a file, nor
//     anything that steers the terminal.
//   - This file is the only one that prints errors.

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

// placedError says in which document something went wrong.
type placedError struct {
	file      string // as the user named it, "-" for stdin
	document  int    // 1-based, 0 if it is about the whole file
	item      int    // 1-based item of a List, or 0
	object    string // namespace/name, or ""
	operation string // "seal", "open", "read"
	err       error
}

func (e *placedError) Error() string {
	place := visible(stdinOr(e.file))
	if e.document > 0 {
		place += fmt.Sprintf(", document %d", e.document)
	}
	if e.item > 0 {
		place += fmt.Sprintf(", item %d", e.item)
	}
	if e.object != "" {
		place += ", " + e.object
	}
	return place + ": " + e.operation + ": " + e.err.Error()
}

func (e *placedError) Unwrap() error { return e.err }

// stdinOr names a source of input for people.
func stdinOr(path string) string {
	if path == "-" {
		return "stdin"
	}
	return path
}

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

// maxReported is how many errors of one run are printed.
const maxReported = 20

// maxDetails is how many lines are printed after the first one of an error: a
// document names up to 64 keys, and several SealingKeys may belong to each.
const maxDetails = 100

// report prints an error, each of its parts if several were joined, with
// hints, and returns the exit code. Hints and details (what follows the first
// line) that several errors share are printed once.
func report(w io.Writer, err error) int {
	all, untried := tried(split(err))
	told := map[string]bool{}
	for _, err := range all[:min(len(all), maxReported)] {
		text, details, _ := strings.Cut(err.Error(), "\n")
		if details != "" && !told[details] {
			text += "\n" + firstLines(details, maxDetails)
		}
		told[details] = true
		fmt.Fprintf(w, "signet: error: %s\n", lines(text))
		for _, hint := range hints(err) {
			if !told[hint] {
				fmt.Fprintf(w, "signet: hint: %s\n", lines(hint))
			}
			told[hint] = true
		}
	}
	if last := summary(len(all), untried); last != "" {
		fmt.Fprintf(w, "signet: error: %s\n", last)
	}
	if len(all) == 0 && untried > 0 {
		return exitFailed
	}
	return exitCode(err)
}

// split returns the errors that errors.Join has joined.
func split(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// firstLines cuts text after n lines and says so.
func firstLines(text string, n int) string {
	all := strings.Split(text, "\n")
	if len(all) <= n {
		return text
	}
	return strings.Join(all[:n], "\n") + fmt.Sprintf("\n  and %d more lines", len(all)-n)
}

// lines makes text fit for a terminal and sets the lines after the first in.
func lines(text string) string {
	all := strings.Split(text, "\n")
	for i, line := range all {
		all[i] = visible(line)
	}
	return strings.Join(all, "\n  ")
}

// visible makes foreign text fit for one line of a terminal: characters that
// would steer it are escaped, and private keys are not shown. Names, paths and
// arguments may hold either, by attack or by mistake.
func visible(text string) string {
	const most = 4000
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	text = withoutKeys(text)
	if !strings.ContainsFunc(text, steers) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if steers(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func steers(r rune) bool { return !unicode.IsPrint(r) }

var privateKey = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)AGE-(SECRET-KEY|PLUGIN)-[-A-Z0-9]*1[A-Z0-9]{6,}`)
})

// withoutKeys replaces age identities.
func withoutKeys(text string) string {
	return privateKey().ReplaceAllLiteralString(text, "(a private key)")
}

// note prints a remark about something that did not fail.
func note(w io.Writer, file, text string) {
	fmt.Fprintf(w, "signet: note: %s: %s\n", visible(file), visible(text))
}
