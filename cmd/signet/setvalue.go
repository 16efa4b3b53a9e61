// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"golang.org/x/term"

	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
)

// value returns the value that is to be set. It is read once: stdin and a terminal
// have it only once.
func (s *setCommand) value(ctx context.Context, args []string) (value []byte, err error) {
	if !s.read {
		if s.given, err = s.readValue(ctx, args); err != nil {
			return nil, err
		}
		s.read = true
	}
	return slices.Clone(s.given), nil
}

// readValue reads the value from where the flags say.
func (s *setCommand) readValue(ctx context.Context, args []string) ([]byte, error) {
	path := s.fromFile
	switch {
	case len(args) == 3:
		return s.trimmed([]byte(args[2])), nil
	case path == "" && onTerminal(s.in):
		return promptValue(ctx, args[1])
	case path == "":
		path = "-"
	}
	data, err := (&builder{stdin: s.in, allowEmpty: s.allowEmpty}).readFile(path)
	if err != nil {
		return nil, &report.PlacedError{File: path, Operation: "read", Err: err}
	}
	if !s.trim && bytes.HasSuffix(data, []byte("\n")) {
		note(s.err, report.Source(path), "the value ends in a line break; --trim leaves it out")
	}
	return s.trimmed(data), nil
}

func (s *setCommand) trimmed(data []byte) []byte {
	if !s.trim {
		return data
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(data, []byte("\n")), []byte("\r"))
}

// Errors of asking for a value.
var (
	errNoTerminal = errors.New("there is no terminal to ask on")
	errNotTwice   = errors.New("was not typed the same twice")
	errNothing    = errors.New("nothing was typed")
)

// promptError says that a value could not be asked for.
type promptError struct {
	key string
	err error
}

func (e *promptError) Error() string { return fmt.Sprintf("ask for the value of %s: %v", e.key, e.err) }
func (e *promptError) Unwrap() error { return e.err }

// promptValue asks for a value on the terminal, twice, and shows nothing of it.
func promptValue(ctx context.Context, key string) ([]byte, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, &promptError{key, errNoTerminal}
	}
	defer tty.Close()
	// Nothing is echoed from here on, also not what is typed before it is asked for.
	state, err := term.MakeRaw(int(tty.Fd()))
	if err != nil {
		return nil, &promptError{key, report.Cause(err)}
	}
	defer term.Restore(int(tty.Fd()), state)
	value, err := interruptible(ctx, func() (string, error) { return askTwice(term.NewTerminal(tty, ""), key) })
	switch {
	case errors.Is(err, parallel.ErrNotTried), errors.Is(err, io.EOF): // Ctrl-C is a character here
		fmt.Fprint(tty, "\r\n")
		return nil, parallel.ErrNotTried
	case err != nil:
		return nil, &promptError{key, report.Cause(err)}
	}
	return []byte(value), nil
}

func askTwice(tty *term.Terminal, key string) (string, error) {
	first, err := tty.ReadPassword(program + ": value of " + key + ": ")
	if err == nil && first == "" {
		err = errNothing
	}
	if err != nil {
		return "", err
	}
	second, err := tty.ReadPassword(program + ": the same again: ")
	if err == nil && first != second {
		err = errNotTwice
	}
	return first, err
}
