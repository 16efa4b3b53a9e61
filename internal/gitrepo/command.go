// SPDX-License-Identifier: Apache-2.0

package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Error says that git failed. Text is what it said, made safe to print.
type Error struct {
	Command string // the name of git's command
	Code    int    // exit code, -1 if git did not end by itself
	Text    string // the first line on stderr
}

func (e *Error) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("git %s: exit code %d", e.Command, e.Code)
	}
	return fmt.Sprintf("git %s: %s", e.Command, e.Text)
}

// unsafe reports whether git refuses a repository that belongs to somebody else.
func (e *Error) unsafe() bool { return strings.Contains(e.Text, "dubious ownership") }

// fixed are the arguments before every command: nothing that a repository's
// configuration names is run, and nothing is refreshed.
var fixed = []string{
	"--no-pager", "--no-optional-locks", "--no-replace-objects", "--literal-pathspecs",
	"-c", "core.fsmonitor=false",
	"-c", "core.quotePath=false",
	"-c", "log.showSignature=false",
	"-c", "log.diffMerges=separate",
}

// Command returns git with args and with what keeps it from running or fetching
// anything, in Root. args[0] is git's command; names that somebody else chose
// stand behind "--" or, for revisions, behind "--end-of-options". It is for
// commands that the other methods do not cover; an external diff and text
// conversions are ruled out by --no-ext-diff and --no-textconv where a command
// shows differences.
func (r *Repo) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, r.program, slices.Concat(fixed, args)...)
	cmd.Dir = r.root
	cmd.Env = environment()
	cmd.WaitDelay = time.Second
	return cmd
}

// environment is that of this process without programs that git would run.
// Relative paths are made absolute, as git starts somewhere else.
func environment() []string {
	var env []string
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		switch name {
		case "GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_PAGER", "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS",
			"GIT_ICASE_PATHSPECS", "LC_ALL", "LANGUAGE":
			continue
		case "GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR":
			if abs, err := filepath.Abs(value); err == nil && value != "" {
				pair = name + "=" + abs
			}
		}
		env = append(env, pair)
	}
	return append(env, "LC_ALL=C", "GIT_ALLOW_PROTOCOL=none", "GIT_NO_LAZY_FETCH=1", "GIT_TERMINAL_PROMPT=0")
}

// output runs git to its end and returns what it printed.
func (r *Repo) output(ctx context.Context, args ...string) (string, error) {
	return r.outputOf(r.Command(ctx, args...), args[0])
}

func (r *Repo) outputOf(cmd *exec.Cmd, name string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", failure(name, err, stderr.String())
	}
	return stdout.String(), nil
}

// failure makes an *Error of what exec says and of what git said.
func failure(name string, err error, stderr string) error {
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		return fmt.Errorf("git %s: %w", name, err)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n")
	return &Error{Command: name, Code: ended.ExitCode(), Text: printable(strings.TrimPrefix(line, "fatal: "))}
}

// printable cuts foreign text and replaces what could act on a terminal.
func printable(text string) string {
	const most = 300
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return '?'
	}, text)
}

// fields splits what git prints with -z.
func fields(out string) []string {
	if out == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
}
