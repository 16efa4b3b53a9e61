// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/manifest"
)

// readInputs reads the files that args name or, if they stand behind --, the
// output of that command. check sees the files before they are read.
func readInputs(cmd *cobra.Command, c console, args []string, check func(*cobra.Command, []input) error) ([]input, error) {
	dash := cmd.ArgsLenAtDash()
	switch {
	case dash > 0:
		return nil, usagef(cmd, "name files or a command after --, not both")
	case dash == 0 && len(args) == 0:
		return nil, usagef(cmd, "a command is expected after --")
	case dash == 0:
		in, err := runCommand(cmd.Context(), c, args)
		return []input{in}, err
	case len(args) == 0:
		return nil, usagef(cmd, "name a file, a directory, - for stdin, or a command after --")
	}
	inputs, err := collect(args)
	if err != nil {
		return nil, err
	}
	if err := check(cmd, inputs); err != nil {
		return nil, err
	}
	for i := range inputs {
		if err := inputs[i].read(c.in); err != nil {
			return nil, err
		}
	}
	return inputs, nil
}

// notEmpty refuses input without documents: in a pipe it most likely means
// that what came before has failed.
func notEmpty(inputs []input, allowed bool) error {
	for _, in := range inputs {
		if !in.walked && !allowed && in.stream.Empty() {
			err := errEmpty
			if in.fromCommand {
				err = &silentError{err}
			}
			return &report.PlacedError{File: in.name, Operation: "read", Err: err}
		}
	}
	return nil
}

// silentError says that a command has succeeded and printed nothing.
type silentError struct{ err error }

func (e *silentError) Error() string { return e.err.Error() }
func (e *silentError) Unwrap() error { return e.err }

// commandError says that the command after -- failed.
type commandError struct {
	name string
	err  error
}

func (e *commandError) Error() string { return fmt.Sprintf("run %s: %v", e.name, e.err) }
func (e *commandError) Unwrap() error { return e.err }

// runCommand runs a command and reads its output to the end before anything is
// made of it.
func runCommand(ctx context.Context, c console, args []string) (input, error) {
	var out bytes.Buffer
	limited := &limitedWriter{w: &out, left: manifest.MaxStreamBytes}
	command := exec.CommandContext(ctx, args[0], args[1:]...)
	command.Stdin, command.Stdout, command.Stderr = c.in, limited, c.err
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = commandDelay
	command.Env = commandEnv(ctx)
	err := command.Run()
	if limited.exceeded {
		return input{}, &commandError{name: args[0], err: manifest.ErrTooLarge}
	}
	if err != nil {
		return input{}, &commandError{name: args[0], err: report.Cause(err)}
	}
	stream, err := manifest.Split(out.Bytes())
	if err != nil {
		return input{}, &report.PlacedError{File: args[0], Operation: "read", Err: err}
	}
	return input{name: args[0], stream: stream, fromCommand: true, skips: skipsFunctions(args)}, nil
}

// skipsFunctions reports whether kustomize, run so, leaves functions out without
// a word. Plugins of the older kind run.
func skipsFunctions(args []string) bool {
	given := func(flag string) bool {
		for _, arg := range slices.Backward(args) { // the last one decides
			if name, value, _ := strings.Cut(arg, "="); name == flag {
				return value == "" || value == "true"
			}
		}
		return false
	}
	return given("--enable-alpha-plugins") && !given("--enable-exec")
}

// gitProtocols names git's variable with the protocols that it may use.
// kustomize hands the ?ref= of a remote base to git without a look: there an
// option names a program, which git runs on this machine if the protocol is file.
const gitProtocols = "GIT_ALLOW_PROTOCOL"

// commandEnv gives a command less time than there is: if it opens something by
// itself, it can still say which key it waits for. Unless the user says
// otherwise, what it has git fetch comes from other machines.
func commandEnv(ctx context.Context) []string {
	env := os.Environ()
	if _, set := os.LookupEnv(gitProtocols); !set {
		env = append(env, gitProtocols+"=https:ssh")
	}
	if deadline, limited := ctx.Deadline(); limited {
		left := max((time.Until(deadline) * 9 / 10).Round(time.Millisecond), time.Nanosecond)
		env = append(env, userkeys.TimeoutVariable+"="+left.String())
	}
	return env
}

// commandDelay is how long an interrupted command, or one that has left its
// output open to others, may take before it is killed.
const commandDelay = 5 * time.Second

// limitedWriter fails when more than left bytes are written.
type limitedWriter struct {
	w        io.Writer
	left     int
	exceeded bool
}

func (l *limitedWriter) Write(p []byte) (int, error) {
	if len(p) > l.left {
		l.exceeded = true
		return 0, manifest.ErrTooLarge
	}
	l.left -= len(p)
	return l.w.Write(p)
}
