// SPDX-License-Identifier: Apache-2.0

package pgp

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/signet-secrets/signet/seal/keys/internal/hide"
)

const (
	// maxStderrBytes is what is kept of gpg's messages.
	maxStderrBytes = 64 << 10
	// waitDelay is how long a killed gpg may leave its pipes open, as happens
	// when $SOPS_GPG_EXEC is a script.
	waitDelay = 2 * time.Second
)

// commonArgs are for every run: no question on the terminal, status lines on
// stderr, and no key fetched from anywhere. Passphrases are asked for by
// gpg-agent, which --batch does not change. gpg 1.4 knows all of them.
func commonArgs() []string {
	return []string{
		"--batch", "--no-tty", "--status-fd", "2",
		"--no-auto-key-locate", "--keyserver-options", "no-auto-key-retrieve",
	}
}

// run gives input to gpg and returns what it writes, maxOutput bytes at most.
// An error of gpg itself is a *gpgError.
func (s *Service) run(ctx context.Context, timeout time.Duration, input []byte, maxOutput int, args ...string) ([]byte, error) {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, &timeoutError{after: timeout})
		defer cancel()
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	program, err := s.program()
	if err != nil {
		return nil, err
	}
	stdout, stderr := limited{max: maxOutput}, limited{max: maxStderrBytes, quiet: true}
	cmd := exec.CommandContext(ctx, program, append(commonArgs(), args...)...)
	cmd.Stdin = bytes.NewReader(input)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = waitDelay
	err = cmd.Run()
	exit := new(exec.ExitError)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case stdout.over:
		return nil, errTooMuch
	case errors.As(err, &exit):
		return nil, newGPGError(hide.In(stderr.b.String(), input), exit.ExitCode())
	case err != nil:
		return nil, &startError{err}
	}
	return stdout.b.Bytes(), nil
}

// program returns the path of gpg.
func (s *Service) program() (string, error) {
	name := cmp.Or(s.o.Program, os.Getenv("SOPS_GPG_EXEC"), "gpg")
	path, err := exec.LookPath(name)
	if err != nil {
		return "", &startError{err}
	}
	return path, nil
}

// startError says that there is no gpg, or none that can be run.
type startError struct{ err error }

func (e *startError) Error() string {
	cause := e.err
	if named := new(exec.Error); errors.As(cause, &named) {
		cause = fmt.Errorf("%q: %w", named.Name, named.Err)
	}
	return fmt.Sprintf("run gpg: %v", cause)
}
func (e *startError) Unwrap() error { return e.err }

// limited keeps the first max bytes. Writing more is an error, which ends the
// program that writes, or with quiet goes unnoticed.
type limited struct {
	b     bytes.Buffer
	max   int
	quiet bool
	over  bool
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	room := l.max - l.b.Len()
	l.b.Write(p[:min(len(p), room)])
	if len(p) > room && !l.quiet {
		l.over = true
		return 0, errTooMuch
	}
	return len(p), nil
}
