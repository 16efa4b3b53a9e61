// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/signet-secrets/signet/internal/testtool"
)

// must runs signet as the user, which has to succeed, and returns what it printed.
func (w *workshop) must(args ...string) string {
	w.t.Helper()
	out, err := w.command("", nil, args...).Output()
	if err != nil {
		w.t.Fatalf("signet %s: %v", args[0], err)
	}
	return string(out)
}

// copies makes copies of the sealed file and sets a value in each.
func (w *workshop) copies(key string, names ...string) {
	w.t.Helper()
	for _, name := range names {
		writeTestFile(w.t, filepath.Join(w.work, name+".yaml"), w.sealed)
		w.must("set", name+".yaml", key, editMarker+"-"+name)
	}
}

// conflict puts the sealed file in conflict about its password.
func (w *workshop) conflict() {
	w.t.Helper()
	w.copies("password", "ours", "theirs")
	writeTestFile(w.t, filepath.Join(w.work, "base.yaml"), w.sealed)
	if err := os.Rename(filepath.Join(w.work, "ours.yaml"), w.file()); err != nil {
		w.t.Fatal(err)
	}
	if err := w.command("", nil, "merge-driver", "--path", "sealed.yaml", "--", "base.yaml", "sealed.yaml", "theirs.yaml").Run(); err == nil {
		w.t.Fatal("there is no conflict")
	}
	if text := readTestFile(w.t, w.file()); !strings.Contains(text, "<<<<<<< ours") {
		w.t.Fatal("the file is not in conflict")
	}
}

// traced runs signet under strace on a terminal, and fails the test for each call
// that takes plaintext to a disk. It returns what was on the screen, and how often
// plaintext was written to memory.
func (w *workshop) traced(code int, editor string, args ...string) (screen string, inMemory int) {
	w.t.Helper()
	trace := filepath.Join(w.t.TempDir(), "trace")
	s := onNewTerminal(w.t, w.command(editor, testtool.Tracing(trace), args...))
	if got := s.Wait(); got != code {
		w.t.Fatalf("exit code %d, want %d\n%q", got, code, s.Screen())
	}
	w.checkGone()
	leaks, inMemory := w.judgeTrace(trace)
	for _, leak := range leaks {
		w.t.Errorf("plaintext goes elsewhere: %s", leak)
	}
	if !strings.Contains(readTestFile(w.t, trace), "write(") {
		w.t.Error("the trace saw nothing")
	}
	return s.Screen(), inMemory
}

// decides is an editor that decides on what is in conflict.
const decides = `sh -c 'sed "s/SIGNET-CONFLICT/` + editMarker + `-both/" "$0" > "$0.new" && mv "$0.new" "$0"'`

// adds is an editor that gives a new Secret a password.
const adds = `sh -c 'echo "  password: ` + editMarker + `-both" >> "$0"'`

// TestEditConflictTraced protects the text of a file in conflict, and that of a new
// one, as TestEditTraced does that of a sealed one.
func TestEditConflictTraced(t *testing.T) {
	program := buildSignet(t)
	tests := []struct {
		name, editor, file, want string
		conflict                 bool
		args                     []string
		inMemory                 int // at least
	}{
		{"in the editor", decides, "sealed.yaml", "-both", true, []string{"edit", "sealed.yaml"}, 2},
		{"a side", "", "sealed.yaml", "-theirs", true, []string{"edit", "--theirs", "sealed.yaml"}, 0},
		{"the last value", "", "sealed.yaml", "-both", true, []string{"set", "sealed.yaml", "password", editMarker + "-both"}, 0},
		{"a new file", adds, "new.yaml", "-both", false, []string{"edit", "--create", "-n", "prod", "new.yaml"}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorkshop(t, program)
			if tt.conflict {
				w.conflict()
			}
			if _, n := w.traced(0, tt.editor, tt.args...); n < tt.inMemory {
				t.Errorf("the marker was written to memory %d times: the trace misses something", n)
			}
			if got := w.must("get", tt.file, "password"); got != editMarker+tt.want {
				t.Errorf("sealed was %q", got)
			}
		})
	}
}

// TestEditConflictKilled protects as TestEditKilled does.
func TestEditConflictKilled(t *testing.T) {
	program := buildSignet(t)
	for name, signal := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			w := newWorkshop(t, program)
			w.conflict()
			before := readTestFile(t, w.file())
			s := onNewTerminal(t, w.command("vim", nil, "edit", "sealed.yaml"))
			s.Expect(editMarker)
			s.Type(":%s/SIGNET-CONFLICT/decided/\r:w\r")
			s.Expect("written")
			if err := syscall.Kill(s.PID(), signal); err != nil {
				t.Fatal(err)
			}
			s.Wait()
			w.checkGone()
			if readTestFile(t, w.file()) != before {
				t.Error("the file was written")
			}
		})
	}
}

// TestMemoryMissing says what helps where /dev/shm is on a disk, or too small for the
// text: nothing is written elsewhere unless the user says so.
func TestMemoryMissing(t *testing.T) {
	if out, err := exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "none", "/dev/shm").CombinedOutput(); err != nil {
		t.Skipf("a /dev/shm of its own needs the right to mount: %s", out)
	}
	const disk, small = `mount --bind "$HOME" /dev/shm`, `mount -t tmpfs -o size=4k none /dev/shm && head -c 3000 /dev/zero > /dev/shm/full`
	program := buildSignet(t)
	tests := []struct {
		name, mount, command, message, hint string
	}{
		{"edit on a disk", disk, "edit sealed.yaml", "no directory in memory: ", "name a directory with --temp-dir, best one in memory or on an encrypted disk"},
		{"exec on a disk", disk, "exec --files sealed.yaml -- true", "no directory in memory: ", "name a directory with --temp-dir, best one in memory or on an encrypted disk"},
		{"edit, full", small, "edit sealed.yaml", "there is no space left", "name another directory with --temp-dir; in a container, give it more shared memory, as in docker run --shm-size 256m"},
		{"exec, full", small, "exec --files sealed.yaml -- true", "there is no space left", "name another directory with --temp-dir; in a container, give it more shared memory, as in docker run --shm-size 256m"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorkshop(t, program)
			cmd := w.command("kak", []string{"unshare", "-rm", "sh", "-c", tt.mount + ` && exec "$0" "$@"`}, strings.Fields(tt.command)...)
			cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR=")
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), tt.message) || !strings.Contains(string(out), "signet: hint: "+tt.hint+"\n") {
				t.Errorf("ended with %v:\n%s", err, out)
			}
			w.checkGone()
		})
	}
}

// TestGitCommandsTraced protects what the commands hold that Git calls, and those that
// compare: they open documents, and write none of it anywhere but to stdout.
func TestGitCommandsTraced(t *testing.T) {
	w := newWorkshop(t, buildSignet(t))
	w.copies("password", "ours", "theirs")
	w.copies("other", "clean")
	writeTestFile(t, filepath.Join(w.work, "base.yaml"), w.sealed)
	driver := func(code int, ours, theirs string) {
		t.Helper()
		writeTestFile(t, filepath.Join(w.work, "merged.yaml"), readTestFile(t, filepath.Join(w.work, ours)))
		w.traced(code, "", "merge-driver", "--path", "sealed.yaml", "--", "base.yaml", "merged.yaml", theirs)
	}
	driver(1, "ours.yaml", "theirs.yaml")
	driver(0, "ours.yaml", "clean.yaml")
	if got := w.must("get", "merged.yaml", "other"); got != editMarker+"-clean" {
		t.Errorf("merged was %q", got)
	}
	if screen, _ := w.traced(0, "", "textconv", "ours.yaml"); testtool.HoldsPlaintext([]byte(screen)) || !strings.Contains(screen, "opened and verified") {
		t.Errorf("textconv printed %q", screen)
	}
	if screen, _ := w.traced(0, "", "diff", "--no-index", "base.yaml", "ours.yaml"); testtool.HoldsPlaintext([]byte(screen)) || !strings.Contains(screen, "password") {
		t.Errorf("diff printed %q", screen)
	}
	if screen, _ := w.traced(0, "", "diff", "--show", "--no-index", "base.yaml", "ours.yaml"); !strings.Contains(screen, editMarker+"-ours") {
		t.Errorf("diff --show printed %q", screen)
	}
}
