// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/signet-secrets/signet/internal/testtool"
)

// signalled tells what it gets.
const signalled = `trap "echo got-usr1" USR1; trap "echo got-int" INT; trap "echo got-term; exit 9" TERM
test -s "$SIGNET_FILES/password" && echo rea""dy; while :; do read x; done`

// TestExecSignals protects the program's own end: it gets the signals that signet
// gets, and those of the keys once; its files are gone after it.
func TestExecSignals(t *testing.T) {
	w := newWorkshop(t, buildSignet(t))
	s := onNewTerminal(t, w.command("", nil, "exec", "--files", "sealed.yaml", "--", "sh", "-c", signalled))
	s.Expect("ready")
	for _, step := range []struct {
		signal syscall.Signal
		keys   string
		want   string
	}{
		{syscall.SIGUSR1, "", "got-usr1"},
		{0, "\x03", "got-int"},
		{syscall.SIGINT, "\x03", "got-int"}, // that to signet alone has no effect
		{syscall.SIGTERM, "", "got-term"},
	} {
		if step.signal != 0 {
			if err := syscall.Kill(s.PID(), step.signal); err != nil {
				t.Fatal(err)
			}
		}
		s.Type(step.keys)
		s.Expect(step.want)
	}
	if code := s.Wait(); code != 9 {
		t.Errorf("exit code %d, want that of the program, 9", code)
	}
	w.checkGone()
}

// TestExecKilled protects against files that outlive signet.
func TestExecKilled(t *testing.T) {
	program := buildSignet(t)
	for name, target := range map[string]func(pid int) int{
		"signet": func(pid int) int { return pid },
		"both":   func(pid int) int { return -pid },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorkshop(t, program)
			s := onNewTerminal(t, w.command("", nil, "exec", "--files", "sealed.yaml", "--", "sh", "-c", signalled))
			s.Expect("ready")
			if err := syscall.Kill(target(s.PID()), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if code := s.Wait(); code != -1 {
				t.Errorf("exit code %d", code)
			}
			w.checkGone()
		})
	}
}

// TestExecTraced protects against plaintext on a disk.
func TestExecTraced(t *testing.T) {
	w := newWorkshop(t, buildSignet(t))
	trace := filepath.Join(t.TempDir(), "trace")
	s := onNewTerminal(t, w.command("", testtool.Tracing(trace), "exec", "--files", "sealed.yaml", "--", "cat", "{}/password"))
	s.Expect(editMarker)
	if code := s.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	w.checkGone()
	leaks, inMemory := w.judgeTrace(trace)
	if len(leaks) > 0 || inMemory == 0 {
		t.Errorf("written to memory %d times, and elsewhere: %q", inMemory, leaks)
	}
}
