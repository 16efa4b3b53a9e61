// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/signet-secrets/signet/internal/testtool"
)

// onNewTerminal starts a program in a session of its own, which is killed when the
// test ends.
func onNewTerminal(t testing.TB, cmd *exec.Cmd) *testtool.Terminal {
	t.Helper()
	return testtool.OnTerminal(t, cmd, 50, 250)
}

// pty CODE DIALOG COMMAND [ARG]...
//
// The command runs on a terminal and exits with CODE, -1 for any signal. DIALOG is
// a file: behind "> " stands what to wait for on the screen, behind "< " what to type
// then, in the syntax of Go strings. What was on the screen is in the file "screen".
func cmdPty(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: pty CODE DIALOG COMMAND [ARG]...")
	}
	dialog := ts.ReadFile(args[1])
	ts.Check(ts.Exec("env", "-0"))
	cmd := exec.Command("/bin/sh", append([]string{"-c", `exec "$@"`, "sh"}, args[2:]...)...)
	cmd.Env = strings.Split(strings.TrimSuffix(ts.ReadFile("stdout"), "\x00"), "\x00")
	cmd.Dir = ts.MkAbs(".")
	s := onNewTerminal(ts.Value(tbKey{}).(testing.TB), cmd)
	for line := range strings.Lines(dialog) {
		kind, quoted, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		text, err := strconv.Unquote(`"` + quoted + `"`)
		ts.Check(err)
		switch kind {
		case ">":
			s.Expect(text)
		case "<":
			s.Type(text)
		default:
			ts.Fatalf("what is %q?", line)
		}
	}
	code := s.Wait()
	text := strings.ReplaceAll(s.Screen(), "\r\n", "\n")
	ts.Check(os.WriteFile(ts.MkAbs("screen"), []byte(text), 0o600))
	if want := args[0]; strconv.Itoa(code) != want {
		ts.Fatalf("exit code %d, want %s, after:\n%s", code, want, text)
	}
}
