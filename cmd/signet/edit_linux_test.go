// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/signet-secrets/signet/internal/testtool"
)

// TestEditTraced protects against plaintext on a disk: it looks at every call of
// signet and the editor that writes, while vim is told to keep everything it can.
func TestEditTraced(t *testing.T) {
	program := buildSignet(t)
	tests := []struct {
		name, editor string
		drive        func(*testtool.Terminal)
	}{
		{"vim", "vim", func(s *testtool.Terminal) {
			s.Expect(editMarker)
			s.Type("/horse\rA-added\x1byyp:preserve\r")
			s.Expect("added")
			s.Type("dd:silent! mksession! $HOME/s\r:w\r:wq\r")
		}},
		{"vim without a screen", `vim -es -u ~/.vimrc -c 'g/horse/s/$/-added/' -c 'w' -c 'wq'`, func(*testtool.Terminal) {}},
		{"a script", `sh -c 'sed "s/staple/staple-added/" "$0" > "$0.new" && mv "$0.new" "$0"'`, func(*testtool.Terminal) {}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorkshop(t, program)
			trace := filepath.Join(t.TempDir(), "trace")
			s := onNewTerminal(t, w.command(strings.ReplaceAll(tt.editor, "~", w.home), testtool.Tracing(trace), "edit", "sealed.yaml"))
			tt.drive(s)
			if code := s.Wait(); code != 0 {
				t.Fatalf("exit code %d\n%q", code, s.Screen())
			}
			w.checkGone()
			leaks, inMemory := w.judgeTrace(trace)
			for _, leak := range leaks {
				t.Errorf("plaintext goes elsewhere: %s", leak)
			}
			if inMemory < 2 {
				t.Errorf("the marker was written to memory %d times: the trace misses something", inMemory)
			}
			if out, err := w.command("", nil, "get", "sealed.yaml", "password").Output(); err != nil || string(out) != editMarker+"-added" {
				t.Errorf("sealed was %q, %v", out, err)
			}
		})
	}
}

// TestEditTracedSees proves that the test above could fail: without what signet
// adds, vim writes the text everywhere.
func TestEditTracedSees(t *testing.T) {
	w := newWorkshop(t, buildSignet(t))
	trace := filepath.Join(t.TempDir(), "trace")
	s := onNewTerminal(t, w.command("env vim", testtool.Tracing(trace), "edit", "sealed.yaml"))
	s.Expect(editMarker)
	s.Type("/horse\rA-added\x1byyp:w\rdd:wq\r")
	s.Wait()
	leaks, _ := w.judgeTrace(trace)
	for _, want := range []string{"/swap/", "/bk/", "/undo/", "/viminfo"} {
		if !slices.ContainsFunc(leaks, func(leak string) bool { return strings.Contains(leak, want) }) {
			t.Errorf("nothing was seen of %s: %q", want, leaks)
		}
	}
}

// TestEditKilled protects against plaintext that outlives its program, whoever is
// killed, and against a file that is written although the user was not done.
func TestEditKilled(t *testing.T) {
	program := buildSignet(t)
	signet := func(s *testtool.Terminal) int { return s.PID() }
	group := func(s *testtool.Terminal) int { return -s.PID() }
	editor := func(s *testtool.Terminal) int { return s.Child() }
	tests := []struct {
		name   string
		target func(*testtool.Terminal) int
		signal syscall.Signal
		codes  []int
	}{
		{"TERM to signet", signet, syscall.SIGTERM, []int{1}},
		{"HUP to signet", signet, syscall.SIGHUP, []int{1}},
		{"KILL to signet", signet, syscall.SIGKILL, []int{-1}},
		{"KILL to the editor", editor, syscall.SIGKILL, []int{1}},
		{"TERM to both", group, syscall.SIGTERM, []int{1}},
		{"KILL to both", group, syscall.SIGKILL, []int{-1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testtool.NeedSignal(t, tt.signal)
			w := newWorkshop(t, program)
			s := onNewTerminal(t, w.command("vim", nil, "edit", "sealed.yaml"))
			s.Expect(editMarker)
			s.Type("/horse\rA-added\x1b:w\r") // saved, but not done
			s.Expect("written")
			if err := syscall.Kill(tt.target(s), tt.signal); err != nil {
				t.Fatal(err)
			}
			if code := s.Wait(); !slices.Contains(tt.codes, code) {
				t.Errorf("exit code %d, want one of %d\n%q", code, tt.codes, s.Screen())
			}
			w.checkGone()
			if readTestFile(t, w.file()) != w.sealed {
				t.Error("the file was written")
			}
		})
	}
}
