// SPDX-License-Identifier: Apache-2.0

package testtool

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long anything on a terminal may take: editors under strace are
// slow, and others run beside them.
const patience = 5 * time.Minute

// Terminal is a program on a terminal of its own.
type Terminal struct {
	tb      testing.TB
	cmd     *exec.Cmd
	process *Process
	master  *os.File
	screen  Buffer
	read    chan struct{} // closed when nobody has the terminal any more
	seen    int           // of the screen, by Expect
}

// OnTerminal starts a program on a new terminal of that many rows and columns, in
// a session of its own, which is killed when the test ends. The kernel kills the
// program if the test can't.
func OnTerminal(tb testing.TB, cmd *exec.Cmd, rows, columns uint16) *Terminal {
	tb.Helper()
	master, slave := openTerminal(tb, rows, columns)
	t := &Terminal{tb: tb, cmd: cmd, master: master, read: make(chan struct{})}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	var err error
	t.process, err = Start(cmd)
	slave.Close()
	if err != nil {
		tb.Fatal(err)
	}
	go t.copy()
	tb.Cleanup(func() {
		_ = syscall.Kill(-t.PID(), syscall.SIGKILL)
		<-t.process.Ended()
		master.Close()
	})
	return t
}

func (t *Terminal) copy() {
	defer close(t.read)
	buffer := make([]byte, 4096)
	for {
		n, err := t.master.Read(buffer)
		_, _ = t.screen.Write(buffer[:n])
		if err != nil {
			return
		}
	}
}

func openTerminal(tb testing.TB, rows, columns uint16) (master, slave *os.File) {
	tb.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		tb.Fatal(err)
	}
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		tb.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		tb.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}); err != nil {
		tb.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		tb.Fatal(err)
	}
	return master, slave
}

// PID returns the process ID of the program, which is that of its session, too.
func (t *Terminal) PID() int { return t.process.PID() }

// Master is the other end of the terminal.
func (t *Terminal) Master() *os.File { return t.master }

// Screen returns what was written to the terminal so far.
func (t *Terminal) Screen() string { return t.screen.String() }

// Type types keys.
func (t *Terminal) Type(keys string) {
	t.tb.Helper()
	if _, err := t.master.WriteString(keys); err != nil {
		t.tb.Fatal(err)
	}
}

// Expect waits for a text on the screen, behind that of the last call.
func (t *Terminal) Expect(text string) {
	t.tb.Helper()
	t.seen = t.await(text, t.seen)
}

// See waits for a text anywhere on the screen.
func (t *Terminal) See(text string) {
	t.tb.Helper()
	t.await(text, 0)
}

// await returns where the text ends.
func (t *Terminal) await(text string, from int) int {
	t.tb.Helper()
	deadline := time.After(patience)
	for {
		ended := t.finished()
		if i := strings.Index(t.Screen()[from:], text); i >= 0 {
			return from + i + len(text)
		}
		if ended {
			t.tb.Fatalf("ended without %q on the screen:\n%q", text, t.Screen())
		}
		select {
		case <-deadline:
			t.tb.Fatalf("no %q on the screen within %v:\n%q", text, patience, t.Screen())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// finished reports whether the program has ended and all that it wrote is on the
// screen.
func (t *Terminal) finished() bool {
	if t.process.Running() {
		return false
	}
	select {
	case <-t.read:
	case <-time.After(10 * time.Second): // another program keeps the terminal open
	}
	return true
}

// Wait waits for the end of the program and returns its exit code, -1 if a signal
// ended it.
func (t *Terminal) Wait() int {
	t.tb.Helper()
	select {
	case <-t.process.Ended():
	case <-time.After(patience):
		t.tb.Fatalf("it runs, after:\n%q", t.Screen())
	}
	t.finished()
	return t.cmd.ProcessState.ExitCode()
}

// Child waits for a child of the program that is in its session, and returns its
// process ID. Without one it fails the test: nobody is to send a signal to 0, which
// is the group of the test.
func (t *Terminal) Child() int {
	t.tb.Helper()
	for deadline := time.Now().Add(patience); ; {
		if pid := t.child(); pid != 0 {
			return pid
		}
		if !t.process.Running() || time.Now().After(deadline) {
			t.tb.Fatalf("no child is in the session, after:\n%q", t.Screen())
		}
		<-time.After(5 * time.Millisecond)
	}
}

// child is 0 if there is none.
func (t *Terminal) child() int {
	entries, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, entry := range entries {
		stat, err := os.ReadFile(entry)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if id := fmt.Sprint(t.PID()); fields[1] == id && fields[3] == id { // proc_pid_stat(5)
			return processOf(entry)
		}
	}
	return 0
}

// processOf returns the process ID in a path below /proc.
func processOf(entry string) int {
	pid := 0
	_, _ = fmt.Sscan(filepath.Base(filepath.Dir(entry)), &pid)
	return pid
}

// NoneLeft waits until no program runs that was started with this variable in its
// environment, as in NAME=VALUE, which the test must have made up. Those that do
// not end are killed, and the test fails.
func NoneLeft(tb testing.TB, variable string) {
	tb.Helper()
	var left []int
	for deadline := time.Now().Add(patience); ; {
		if left = runningWith(variable); len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			break
		}
		<-time.After(5 * time.Millisecond)
	}
	for _, pid := range left {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		tb.Errorf("process %d, %s, outlives the test", pid, strings.TrimSpace(string(name)))
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func runningWith(variable string) []int {
	entries, _ := filepath.Glob("/proc/[0-9]*/environ")
	var all []int
	for _, entry := range entries {
		env, err := os.ReadFile(entry)
		if err == nil && strings.Contains("\x00"+string(env), "\x00"+variable+"\x00") {
			all = append(all, processOf(entry))
		}
	}
	return all
}
