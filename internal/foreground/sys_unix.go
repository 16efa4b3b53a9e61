// SPDX-License-Identifier: Apache-2.0

//go:build unix

package foreground

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// UserSignals returns signals that mean something to programs only, for
// Options.Forward: USR1, USR2, and where the two do not stop together, CONT.
func UserSignals() []os.Signal {
	signals := []os.Signal{syscall.SIGUSR1, syscall.SIGUSR2}
	if !stopsTogether { // a second CONT could wake a program that has stopped again
		signals = append(signals, syscall.SIGCONT)
	}
	return signals
}

// killedBy returns the signal that has killed a program. It is false for one that
// has ended otherwise, and for nil.
func killedBy(state *os.ProcessState) (syscall.Signal, bool) {
	if state == nil {
		return 0, false
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return 0, false
	}
	return status.Signal(), true
}

// dieOf kills this process with a signal, and returns if that cannot be done: the
// runtime of Go answers to some in its own way (os/signal), as with a stack trace.
func dieOf(s syscall.Signal) {
	switch s {
	case syscall.SIGHUP, syscall.SIGINT, syscall.SIGKILL, syscall.SIGTERM:
	default:
		return
	}
	signal.Reset(s)
	if err := syscall.Kill(os.Getpid(), s); err == nil {
		time.Sleep(time.Second) // another thread may get it
	}
}
