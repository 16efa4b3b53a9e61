// SPDX-License-Identifier: Apache-2.0

package editor

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/signet-secrets/signet/internal/foreground"
)

// Streams are what a program reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// ExitError says that an editor has ended with an error, or was killed: what the
// user wants is not in the file then.
type ExitError struct {
	Name  string
	State *os.ProcessState
}

// Error names the editor and how it has ended.
func (e *ExitError) Error() string { return fmt.Sprintf("%s ended with %s", e.Name, e.State) }

// grace is how long an editor may take to end when it is told to.
const grace = 2 * time.Second

// Run opens a file in the editor and waits until the user is done. The file is
// in dir, which is for nothing else; Run makes the folder .editor in it.
//
// INT and QUIT are for the editor alone. TERM and HUP reach it too, and when it
// has ended, killed after 2 seconds, the error is a *foreground.InterruptedError:
// nothing of the file is to be used then. A context that these signals end has
// ended meanwhile. Any other end of the editor but success is an *ExitError.
func (e *Editor) Run(dir, file string, s Streams) error {
	own := filepath.Join(dir, ".editor")
	for _, folder := range []string{"tmp", "state", "cache", "data", "home", "ide"} {
		if err := os.MkdirAll(filepath.Join(own, folder), 0o700); err != nil {
			return fmt.Errorf("make a directory for the editor: %w", err)
		}
	}
	cmd := e.command(own, file, os.Environ())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.In, s.Out, s.Err
	cmd.WaitDelay = time.Second // input that is no file may have no end
	if e.family.inDir {
		cmd.Dir = dir
	}
	state, err := foreground.Run(cmd, foreground.Options{Grace: grace, OnDeath: syscall.SIGHUP})
	if err != nil {
		return err
	}
	if !state.Success() {
		return &ExitError{e.Name, state}
	}
	return nil
}

// command is the program with its arguments and environment; own is where it may
// keep what it likes.
func (e *Editor) command(own, file string, env []string) *exec.Cmd {
	var args []string
	if e.family.args != nil {
		args = e.family.args(own)
	}
	args = slices.Concat([]string{e.Name}, args, e.args, []string{file})
	set := []string{
		"TMPDIR=" + filepath.Join(own, "tmp"),
		"XDG_STATE_HOME=" + filepath.Join(own, "state"),
		"XDG_CACHE_HOME=" + filepath.Join(own, "cache"),
	}
	if e.family.env != nil {
		set = append(set, e.family.env(own)...)
	}
	return &exec.Cmd{Path: e.path, Args: args, Env: withVariables(env, set)}
}

// withVariables returns an environment in which set replaces what has the same
// names.
func withVariables(env, set []string) []string {
	kept := slices.DeleteFunc(slices.Clone(env), func(old string) bool {
		name, _, _ := strings.Cut(old, "=")
		return slices.ContainsFunc(set, func(s string) bool { return strings.HasPrefix(s, name+"=") })
	})
	return append(kept, set...)
}
