// SPDX-License-Identifier: Apache-2.0

package testtool

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// DefaultTimeout ends a program whose Cmd sets no Timeout.
const DefaultTimeout = time.Minute

// Cmd is a program to run. Only Path is required.
type Cmd struct {
	Path    string        // as from Path, or a name in PATH
	Args    []string      // without the program's name
	Dir     string        // working directory; "" is the test's own
	Env     []string      // "KEY=value", added to the test's environment; the last of equal keys wins
	Stdin   []byte        // nil is an empty input
	Timeout time.Duration // 0 is DefaultTimeout
}

// Result is what a program did. A program that ran is a Result whatever its
// exit code.
type Result struct {
	Stdout, Stderr []byte
	ExitCode       int           // -1 if a signal ended it
	Wall           time.Duration // from start to exit
	User, System   time.Duration // CPU time, of the children it waited for too
	MaxRSSBytes    int64         // peak resident memory; see peakRSS for its limits
}

// Run runs the program to its end. It fails the test if the program can't be
// started or runs out of time; then the program and all that it started in its
// process group are killed. It works on Unix only.
func Run(tb testing.TB, c Cmd) Result {
	tb.Helper()
	timeout := c.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(tb.Context(), timeout)
	defer cancel()

	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, c.Path, c.Args...)
	cmd.Dir = c.Dir
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Stdin = bytes.NewReader(c.Stdin)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second // a grandchild outside the group may hold the pipes

	start := time.Now()
	if err := cmd.Start(); err != nil {
		tb.Fatalf("run %s: %v", filepath.Base(c.Path), err)
	}
	sampled := samplePeakRSS(cmd.Process.Pid)
	err := cmd.Wait()
	wall := time.Since(start)
	if ctx.Err() != nil {
		tb.Fatalf("run %s %q: killed after %v\nstdout: %s\nstderr: %s",
			filepath.Base(c.Path), c.Args, wall.Round(time.Millisecond), stdout.Bytes(), stderr.Bytes())
	}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		tb.Fatalf("run %s: %v", filepath.Base(c.Path), err)
	}
	return Result{
		Stdout:      stdout.Bytes(),
		Stderr:      stderr.Bytes(),
		ExitCode:    cmd.ProcessState.ExitCode(),
		Wall:        wall,
		User:        cmd.ProcessState.UserTime(),
		System:      cmd.ProcessState.SystemTime(),
		MaxRSSBytes: peakRSS(cmd.ProcessState, ownPeakRSS(), sampled()), // the floor as it is now: never lower than when the child began
	}
}

// peakRSS returns the peak memory of an ended child in bytes. Linux starts a
// child's ru_maxrss at the peak of the process that started it (getrusage(2),
// kept over execve), so near that floor the number says nothing about the
// child; there the sampled value stands in, which can miss growth in the last
// milliseconds. Both numbers are sums of counters that each core keeps for
// itself (percpu_counter in the kernel), and so differ a little.
func peakRSS(state *os.ProcessState, floor, sampled int64) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	peak := int64(usage.Maxrss)
	if runtime.GOOS != "darwin" { // bytes there, KiB elsewhere
		peak *= 1024
	}
	const slack = 16 << 20
	if floor > 0 && peak <= floor+slack {
		return sampled // 0 if the child was gone before it could be looked at
	}
	return peak
}

// ownPeakRSS is the floor for children: this process's own peak, or 0 where
// the system has no such carry-over.
func ownPeakRSS() int64 {
	return statusPeakRSS("/proc/self/status")
}

// samplePeakRSS reads the peak of process pid until the returned function is
// called, which returns the last value seen.
func samplePeakRSS(pid int) func() int64 {
	stop, last := make(chan struct{}), make(chan int64)
	status := "/proc/" + strconv.Itoa(pid) + "/status"
	peak := statusPeakRSS(status) // at once: the goroutine may come too late for a short run
	go func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			peak = max(peak, statusPeakRSS(status))
			select {
			case <-tick.C:
			case <-stop:
				last <- peak
				return
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-last
	}
}

// statusPeakRSS reads "VmHWM: 1234 kB" of a Linux status file (proc(5)) in
// bytes, 0 if there is none.
func statusPeakRSS(file string) int64 {
	status, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			kib, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				return 0
			}
			return kib * 1024
		}
	}
	return 0
}
