// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cost is what a piece of work took.
type cost struct {
	wall time.Duration
	cpu  time.Duration // user and system time of all processes
}

// command is a program to run.
type command struct {
	args   []string // the program first
	env    []string // nothing else is in its environment but PATH, unless that is here, too
	stdin  string   // file for the input; "" is an empty one
	stdout string   // file for the output, in the folder to run in
}

// run runs a program to its end. A non-zero exit code is an error.
func (c command) run(ctx context.Context) (cost, error) {
	out, err := os.Create(c.stdout)
	if err != nil {
		return cost{}, err
	}
	defer out.Close()
	in, err := os.Open(cmp.Or(c.stdin, os.DevNull))
	if err != nil {
		return cost{}, err
	}
	defer in.Close()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir = filepath.Dir(c.stdout) // where there is no .sops.yaml
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, c.env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, &stderr
	start := time.Now()
	err = cmd.Run()
	wall := time.Since(start)
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w\n%s", strings.Join(c.args, " "), err, stderr.Bytes())
	}
	return cost{wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}, nil
}

// runAll runs programs one after the other.
func runAll(ctx context.Context, commands []command) (cost, error) {
	var sum cost
	start := time.Now()
	for _, c := range commands {
		one, err := c.run(ctx)
		if err != nil {
			return cost{}, err
		}
		sum.cpu += one.cpu
	}
	sum.wall = time.Since(start)
	return sum, nil
}

// peakCommand is the hidden first argument with which the bench runs itself
// to measure memory: Linux starts a child's ru_maxrss at the peak of the
// process that started it (getrusage(2), kept over execve), and a bench that
// does nothing else is smaller than what it measures.
const peakCommand = "peak-of"

// peak returns the peak of the resident memory of a program in bytes.
func (c command) peak(ctx context.Context) (float64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	out := c.stdout + ".peak"
	args := append([]string{self, peakCommand}, c.args...)
	if _, err := (command{args: args, env: c.env, stdout: out}).run(ctx); err != nil {
		return 0, err
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(string(text), 64)
}

// printPeak runs a program, prints its peak memory and returns an exit code.
func printPeak(args []string) int {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(args[0]), err)
		return 1
	}
	peak, err := childPeak(cmd.ProcessState)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Print(peak)
	return 0
}

func childPeak(state *os.ProcessState) (int64, error) {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, errors.New("this system does not tell the peak memory of processes")
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss), nil // bytes there, KiB elsewhere
	}
	if int64(usage.Maxrss) <= ownPeakKiB() {
		return 0, errors.New("the program needs less memory than the bench, which hides it")
	}
	return int64(usage.Maxrss) * 1024, nil
}

// ownPeakKiB reads "VmHWM: 1234 kB" of Linux (proc(5)), 0 if there is none.
// The ru_maxrss of this process will not do, it has that of its parent in it.
func ownPeakKiB() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			kib, err := strconv.ParseInt(f[1], 10, 64)
			if err == nil {
				return kib
			}
		}
	}
	return 0
}
