// SPDX-License-Identifier: Apache-2.0

package testtool

import (
	"errors"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startProcess starts a program that is killed when the test ends.
func startProcess(t *testing.T, name string, args ...string) *Process {
	t.Helper()
	p, err := Start(exec.Command(name, args...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.End(syscall.SIGKILL, time.Minute) })
	return p
}

func TestStartOfNoProgram(t *testing.T) {
	if _, err := Start(exec.Command("/nonexistent/program")); err == nil || !strings.Contains(err.Error(), "start program: ") {
		t.Errorf("error %v, want that it can't be started", err)
	}
}

// A thread that ends takes the children with it that it started, if they have a
// death signal.
func TestProcessOutlivesTheThreadThatStartedIt(t *testing.T) {
	started := make(chan *Process)
	go func() {
		defer close(started)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		p, err := Start(exec.Command("sleep", "600"))
		if err != nil {
			t.Error(err)
			return
		}
		started <- p
	}()
	p, ok := <-started
	if !ok {
		return
	}
	t.Cleanup(func() { _ = p.End(syscall.SIGKILL, time.Minute) })
	select {
	case <-p.Ended():
		t.Errorf("ended: %v", p.Wait())
	case <-time.After(200 * time.Millisecond):
	}
}

func TestEnd(t *testing.T) {
	for _, test := range []struct {
		name, script string
		patience     time.Duration
		want         syscall.Signal // that has ended it; 0 for none
	}{
		{"heeds the signal", `trap 'exit 3' TERM; echo ready; while :; do sleep 0.01; done`, time.Minute, 0},
		{"is ended by it", `echo ready; exec sleep 600`, time.Minute, syscall.SIGTERM},
		{"ignores it", `trap '' TERM; echo ready; while :; do sleep 0.01; done`, 50 * time.Millisecond, syscall.SIGKILL},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := &Buffer{}
			cmd := exec.Command("sh", "-c", test.script)
			cmd.Stdout = out
			p, err := Start(cmd)
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "the trap is set", func() bool { return out.String() == "ready\n" })
			for range 2 {
				if err := p.End(syscall.SIGTERM, test.patience); err != nil {
					t.Error(err)
				}
			}
			exit := (*exec.ExitError)(nil)
			if !errors.As(p.Wait(), &exit) || p.Running() {
				t.Fatalf("ended with %v, runs: %v", p.Wait(), p.Running())
			}
			status := exit.Sys().(syscall.WaitStatus)
			if got := status.Signal(); test.want != 0 && got != test.want || test.want == 0 && status.ExitStatus() != 3 {
				t.Errorf("signal %v, exit status %d, want signal %v", got, status.ExitStatus(), test.want)
			}
		})
	}
}

// eventually waits until check returns true.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !check(); {
		if time.Now().After(deadline) {
			t.Fatalf("no sign of this within a minute: %s", what)
		}
		<-time.After(10 * time.Millisecond)
	}
}
