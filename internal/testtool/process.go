// SPDX-License-Identifier: Apache-2.0

package testtool

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a program that runs beside its parent until it is told to end. Its
// methods are safe for concurrent use.
type Process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // of Wait; read it after ended is closed
}

// Start starts a program in a process group of its own: Ctrl-C is for the
// parent, which ends its programs in order. On Linux the kernel kills the program
// if the parent can't; other systems have no signal for a child whose parent
// died. Start returns when the program runs, long before it is ready. It works on
// Unix only.
func Start(cmd *exec.Cmd) (*Process, error) {
	attr := syscall.SysProcAttr{}
	if cmd.SysProcAttr != nil {
		attr = *cmd.SysProcAttr
	}
	attr.Setpgid = !attr.Setsid // which makes one, too
	dieWithParent(&attr)
	cmd.SysProcAttr = &attr
	p := &Process{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(cmd.Path), err)
	}
	return p, nil
}

// run starts the program and waits for its end on one thread: the kernel sends
// the death signal when the thread that started a child is gone (prctl(2),
// PR_SET_PDEATHSIG), not the process.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.ended)
}

// NeedSignal sees to it that programs which the test starts get a signal, also where
// whoever has started the test ignores it, as nohup does: programs inherit that, but
// not that a signal is caught.
func NeedSignal(tb testing.TB, s os.Signal) {
	tb.Helper()
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, s)
	tb.Cleanup(func() { signal.Stop(caught) })
}

// PID returns the process ID.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal. The error is os.ErrProcessDone if the program has ended.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Ended is closed when the program has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Running reports whether the program has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Wait waits for the end of the program. The error is that of exec.Cmd.Wait.
func (p *Process) Wait() error {
	<-p.ended
	return p.err
}

// End sends a signal and waits for the end of the program, which is killed when
// it takes longer than patience. A program that has ended before is no error.
func (p *Process) End(s os.Signal, patience time.Duration) error {
	if err := p.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", filepath.Base(p.cmd.Path), err)
	}
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case <-p.ended:
	case <-timeout.C:
		_ = p.cmd.Process.Kill() // an error means that it has ended
		<-p.ended
	}
	return nil
}

// Buffer is the output of a program that may be read while it is written. The
// zero value is empty.
type Buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String returns what was written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
