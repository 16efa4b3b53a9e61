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
	"sync/atomic"
	"syscall"
	"time"

	"github.com/signet-secrets/signet/internal/testtool"
)

// stopTimeout is what a program gets between SIGTERM and SIGKILL.
const stopTimeout = 15 * time.Second

// tailBytes is how much of a log goes into an error.
const tailBytes = 4 << 10

// process is one program that was started. A nil process is one that was not.
type process struct {
	*testtool.Process
	name     string
	logFile  string
	logStart int64       // where in logFile this run begins
	asked    atomic.Bool // to end: whatever it does then is no failure
}

// startProcess runs the program at path with args in dir and appends its output
// to dir/<name>.log. It returns when the program runs, long before it is ready.
func startProcess(dir, path string, args ...string) (*process, error) {
	p := &process{name: filepath.Base(path)}
	p.logFile = filepath.Join(dir, p.name+".log")
	log, err := os.OpenFile(p.logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if p.logStart, err = log.Seek(0, io.SeekEnd); err != nil {
		return nil, err
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")} // etcd takes ETCD_*, client-go proxies from it
	cmd.Stdout, cmd.Stderr = log, log
	if p.Process, err = testtool.Start(cmd); err != nil {
		return nil, err
	}
	return p, nil
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
	if !p.Running() && !p.asked.Load() {
		return p.failure()
	}
	p.asked.Store(true)
	return p.End(signal, stopTimeout)
}

// failure is the error for a program that has ended by itself.
func (p *process) failure() error {
	cause := p.Wait()
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
