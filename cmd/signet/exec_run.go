// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"github.com/signet-secrets/signet/internal/foreground"
	"github.com/signet-secrets/signet/internal/memfile"
	"github.com/signet-secrets/signet/internal/report"
)

// become makes this process the program, with the values in its environment. It
// only returns if that fails.
func (e *execCommand) become(program string, args []string, values []namedValue, limit memfile.CoreLimit) error {
	env := e.environment(values)
	if err := limit.Restore(); err != nil {
		return err
	}
	return programError(args[0], syscall.Exec(program, args, env))
}

// environment is that of the program.
func (e *execCommand) environment(values []namedValue) []string {
	var env []string
	if !e.pristine {
		env = slices.DeleteFunc(os.Environ(), func(old string) bool {
			name, _, _ := strings.Cut(old, "=")
			return slices.ContainsFunc(values, func(v namedValue) bool { return v.name == name })
		})
	}
	for _, v := range values {
		env = append(env, v.name+"="+string(v.data))
	}
	return env
}

// filesVariable names the variable with the path of the directory.
const filesVariable = "SIGNET_FILES"

// withFiles runs the program with the values in files. It does not return once the
// program has run: the process ends as that did.
func (e *execCommand) withFiles(program string, args []string, values []namedValue, limit memfile.CoreLimit) error {
	dir, err := memfile.New(memfile.Options{TempDir: e.tempDir})
	if err != nil {
		return err
	}
	state, err := e.runIn(dir, program, args, values, limit)
	if err := errors.Join(err, dir.Wipe()); err != nil {
		return err
	}
	foreground.ExitLike(state)
	return nil
}

func (e *execCommand) runIn(dir *memfile.Dir, program string, args []string, values []namedValue, limit memfile.CoreLimit) (*os.ProcessState, error) {
	for _, v := range values {
		if _, err := dir.WriteFile(v.name, v.data, 0o400); err != nil {
			return nil, v.of.wrap("run", err)
		}
	}
	noteStorage(e.console, dir)
	given := slices.Clone(args)
	for i := range given[1:] {
		given[i+1] = strings.ReplaceAll(given[i+1], "{}", dir.Path())
	}
	env := append(e.environment(nil), filesVariable+"="+dir.Path())
	cmd := &exec.Cmd{Path: program, Args: given, Env: env, Stdin: e.in, Stdout: e.out, Stderr: e.err}
	if err := limit.Restore(); err != nil { // this process stays one that writes no core dumps
		return nil, err
	}
	state, err := foreground.Run(cmd, foreground.Options{Forward: foreground.UserSignals(), OnDeath: syscall.SIGTERM})
	if state != nil {
		return state, nil // also when this process was told to end: the program was, too
	}
	return nil, &commandError{name: args[0], err: report.Cause(err)}
}
