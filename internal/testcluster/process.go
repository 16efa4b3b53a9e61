// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// stopTimeout is what a program gets between SIGTERM and SIGKILL.
const stopTimeout = 15 * time.Second

// tailBytes is how much of a log goes into an error.
const tailBytes = 4 << 10

// process is one program that was started. A nil process is one that was not.
type process struct {
	name     string
	logFile  string
	logStart int64 // where in logFile this run begins
	cmd      *exec.Cmd
	ended    chan struct{}
	err      error       // of Wait; read it after ended is closed
	asked    atomic.Bool // to end: whatever it does then is no failure
}

// startProcess runs the program at path with args in dir and appends its output
// to dir/<name>.log. It returns when the program runs, long before it is ready.
func startProcess(dir, path string, args ...string) (*process, error) {
	p := &process{name: filepath.Base(path), ended: make(chan struct{})}
	p.logFile = filepath.Join(dir, p.name+".log")
	log, err := os.OpenFile(p.logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if p.logStart, err = log.Seek(0, io.SeekEnd); err != nil {
		return nil, err
	}
	p.cmd = exec.Command(path, args...)
	p.cmd.Dir = dir
	p.cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")} // etcd takes ETCD_*, client-go proxies from it
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = sysProcAttr()
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	return p, nil
}

// run starts the program and waits for its end on one thread: the kernel sends
// the death signal when the thread that started a child is gone (prctl(2),
// PR_SET_PDEATHSIG), not the process.
func (p *process) run(started chan<- error) {
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

// running reports whether the program has not ended.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// stop ends the program and waits for it. It is an error if the program had
// ended before, unasked.
func (p *process) stop() error {
	return p.end(syscall.SIGTERM)
}

// kill is stop without time for the program to do anything about it.
func (p *process) kill() error {
	return p.end(syscall.SIGKILL)
}

func (p *process) end(signal syscall.Signal) error {
	if p == nil {
		return nil
	}
	if !p.running() && !p.asked.Load() {
		return p.failure()
	}
	p.asked.Store(true)
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()
	select {
	case <-p.ended:
	case <-timeout.C:
		_ = p.cmd.Process.Kill() // an error means that it has ended
		<-p.ended
	}
	return nil
}

// failure is the error for a program that has ended by itself.
func (p *process) failure() error {
	cause := error(p.err)
	if cause == nil {
		cause = errors.New("exit status 0")
	}
	tail := p.tail()
	if bytes.Contains(tail, []byte("address already in use")) {
		cause = fmt.Errorf("%w: %w", errPortTaken, cause)
	}
	return fmt.Errorf("%s ended early: %w\n%s", p.name, cause, tail)
}

// tail is the last of what this run of the program has printed.
func (p *process) tail() []byte {
	f, err := os.Open(p.logFile)
	if err != nil {
		return []byte(err.Error())
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return []byte(err.Error())
	}
	from := max(p.logStart, size-tailBytes)
	tail, err := io.ReadAll(io.NewSectionReader(f, from, size-from))
	if err != nil {
		return []byte(err.Error())
	}
	return tail
}
