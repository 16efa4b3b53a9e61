// SPDX-License-Identifier: Apache-2.0

//go:build linux

package foreground

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/testtool"
)

// scriptVariable makes the test binary a parent that runs a shell script, with the
// Grace of graceVariable.
const (
	scriptVariable = "FOREGROUND_TEST_SCRIPT"
	graceVariable  = "FOREGROUND_TEST_GRACE"
)

func TestMain(m *testing.M) {
	if script := os.Getenv(scriptVariable); script != "" {
		parent(script)
		return
	}
	os.Exit(m.Run())
}

func parent(script string) {
	cmd := exec.Command("sh", "-c", script)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	grace, err := time.ParseDuration(os.Getenv(graceVariable))
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	state, err := Run(cmd, Options{Forward: UserSignals(), Grace: grace, OnDeath: syscall.SIGHUP})
	interrupted := (*InterruptedError)(nil)
	switch {
	case errors.As(err, &interrupted):
		fmt.Println("interrupted:", interrupted.Signal, "/", state)
	case err != nil:
		fmt.Println("error:", err)
	case strings.HasPrefix(script, "like"):
		ExitLike(state)
	default:
		fmt.Println(state)
	}
}

// family is a parent with a script.
type family struct {
	cmd   *exec.Cmd
	in    io.Closer
	out   testtool.Buffer
	ended chan struct{}
}

// start starts a parent that has all the time that a script needs.
func start(t *testing.T, script string) *family {
	t.Helper()
	return startWithin(t, script, 10*time.Minute)
}

func startWithin(t *testing.T, script string, grace time.Duration) *family {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f := &family{cmd: exec.Command(self), ended: make(chan struct{})}
	f.cmd.Env = append(os.Environ(), scriptVariable+"="+script, graceVariable+"="+grace.String())
	f.cmd.Stdout, f.cmd.Stderr = &f.out, &f.out
	f.cmd.WaitDelay = time.Minute
	if f.in, err = f.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = f.cmd.Wait()
		close(f.ended)
	}()
	t.Cleanup(func() {
		_ = f.cmd.Process.Kill()
		f.in.Close()
		<-f.ended
	})
	return f
}

func (f *family) expect(t *testing.T, text string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%q after %q", text, f.out.String()), func() bool { return strings.Contains(f.out.String(), text) })
}

func (f *family) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := f.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func (f *family) wait(t *testing.T) {
	t.Helper()
	select {
	case <-f.ended:
	case <-time.After(time.Minute):
		t.Fatalf("it runs, after %q", f.out.String())
	}
}

// eventually waits until check returns true.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !check(); {
		if time.Now().After(deadline) {
			t.Fatalf("no sign of this within a minute: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func TestEnd(t *testing.T) {
	for _, test := range []struct{ name, script, want string }{
		{"success", "exit 0", "exit status 0"},
		{"failure", "exit 7", "exit status 7"},
		{"killed", "kill -9 $$", "signal: killed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := start(t, test.script)
			f.wait(t)
			if got := f.out.String(); got != test.want+"\n" {
				t.Errorf("printed %q, want %q", got, test.want)
			}
		})
	}
}

func TestNotStarted(t *testing.T) {
	_, err := Run(exec.Command("/missing/program"), Options{})
	if !errors.Is(err, os.ErrNotExist) || err.Error() != "start /missing/program: no such file or directory" {
		t.Errorf("error %v", err)
	}
}

// reader is a script that ends with its input. A shell handles signals between
// the commands it runs.
const reader = "; echo ready; while read x; do :; done; echo end"

func TestSignalsToTheParent(t *testing.T) {
	for _, test := range []struct {
		name, script string
		signal       syscall.Signal
		goesOn       bool // until the input ends
		want         string
	}{
		{"INT is not passed on", "trap 'echo got' INT; trap 'echo later' USR1" + reader, syscall.SIGINT, true, "later\nend\nexit status 0\n"},
		{"QUIT is not passed on", "trap 'echo got' QUIT; trap 'echo later' USR1" + reader, syscall.SIGQUIT, true, "later\nend\nexit status 0\n"},
		{"TERM is", "trap 'echo got; exit 3' TERM" + reader, syscall.SIGTERM, false, "got\ninterrupted: terminated / exit status 3\n"},
		{"HUP is", "trap 'echo got; exit 3' HUP" + reader, syscall.SIGHUP, false, "got\ninterrupted: hangup / exit status 3\n"},
		{"TERM ends what knows none", "true" + reader, syscall.SIGTERM, false, "interrupted: terminated / signal: terminated\n"},
		{"TERM is ignored", "trap '' TERM" + reader, syscall.SIGTERM, false, "interrupted: terminated / signal: killed\n"},
		{"USR1 is passed on", "trap 'echo got; exit 3' USR1" + reader, syscall.SIGUSR1, false, "got\nexit status 3\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			grace := 10 * time.Minute
			if strings.HasSuffix(test.name, "is ignored") {
				grace = 100 * time.Millisecond
			}
			testtool.NeedSignal(t, test.signal)
			f := startWithin(t, test.script, grace)
			f.expect(t, "ready\n")
			f.signal(t, test.signal)
			if test.goesOn { // what is passed on afterwards arrives
				f.signal(t, syscall.SIGUSR1)
				f.expect(t, "later\n")
				f.in.Close()
			}
			f.wait(t)
			if got := f.out.String(); got != "ready\n"+test.want {
				t.Errorf("printed %q, want %q", got, test.want)
			}
		})
	}
}

// The program must not inherit that signals are ignored: some know no others.
func TestProgramHasItsSignals(t *testing.T) {
	f := start(t, "grep SigIgn /proc/self/status")
	f.wait(t)
	want, err := exec.Command("grep", "SigIgn", "/proc/self/status").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := f.out.String(); !strings.Contains(got, string(want)) {
		t.Errorf("printed %q, want %q as without Run", got, want)
	}
}

// With nohup, HUP ends nobody.
func TestIgnoredSignalsStayIgnored(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f := &family{}
	cmd := exec.Command("sh", "-c", `trap '' HUP; exec "$0"`, self)
	script := "trap 'echo alive; exit 0' USR1; kill -HUP $PPID; kill -USR1 $PPID; while read x; do :; done"
	cmd.Env = append(os.Environ(), scriptVariable+"="+script, graceVariable+"=10m")
	cmd.Stdout, cmd.Stderr = &f.out, &f.out
	if _, err := cmd.StdinPipe(); err != nil { // input without an end
		t.Fatal(err)
	}
	if err := cmd.Run(); err != nil || f.out.String() != "alive\nexit status 0\n" {
		t.Errorf("%v, printed %q", err, f.out.String())
	}
}

func TestDiesWithTheParent(t *testing.T) {
	testtool.NeedSignal(t, syscall.SIGHUP)
	file := filepath.Join(t.TempDir(), "file")
	f := start(t, "trap 'echo got > "+file+"; exit' HUP"+reader)
	f.expect(t, "ready\n")
	f.signal(t, syscall.SIGKILL)
	eventually(t, "HUP has come", func() bool {
		text, err := os.ReadFile(file)
		return err == nil && string(text) == "got\n"
	})
}

// A program that stops itself alone would leave the terminal to nobody.
func TestStopTogether(t *testing.T) {
	f := start(t, "for i in 1 2; do kill -STOP $$; echo on $i; done")
	for _, want := range []string{"on 1\n", "on 2\n"} {
		eventually(t, "the parent has stopped", func() bool {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", f.cmd.Process.Pid))
			return err == nil && bytes.Contains(stat, []byte(") T "))
		})
		if strings.Contains(f.out.String(), want) {
			t.Errorf("the program goes on: %q", f.out.String())
		}
		f.signal(t, syscall.SIGCONT)
		f.expect(t, want)
	}
	f.wait(t)
	f.expect(t, "exit status 0\n")
}

func TestExitLike(t *testing.T) {
	for _, test := range []struct {
		name, end string
		code      int
		signal    syscall.Signal
	}{
		{"code", "exit 7", 7, 0},
		{"success", "exit 0", 0, 0},
		{"TERM", "kill -TERM $$", 0, syscall.SIGTERM},
		{"INT", "kill -INT $$", 0, syscall.SIGINT},
		{"KILL", "kill -KILL $$", 0, syscall.SIGKILL},
		{"HUP", "kill -HUP $$", 0, syscall.SIGHUP},
		{"USR1", "kill -USR1 $$", 138, 0},
		{"SEGV", "ulimit -c 0; kill -SEGV $$", 139, 0},
		{"PIPE", "kill -PIPE $$", 141, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.signal != 0 {
				testtool.NeedSignal(t, test.signal)
			}
			f := start(t, "like() { :; }; "+test.end)
			f.wait(t)
			status := f.cmd.ProcessState.Sys().(syscall.WaitStatus)
			if test.signal != 0 && (!status.Signaled() || status.Signal() != test.signal || status.CoreDump()) {
				t.Errorf("%v, want signal %v\n%s", f.cmd.ProcessState, test.signal, f.out.String())
			}
			if test.signal == 0 && status.ExitStatus() != test.code {
				t.Errorf("%v, want exit code %d", f.cmd.ProcessState, test.code)
			}
		})
	}
}
