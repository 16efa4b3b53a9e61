// SPDX-License-Identifier: Apache-2.0

package foreground

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// dieWithParent has the kernel send a signal to the program when the thread is
// gone that has started it.
func dieWithParent(cmd *exec.Cmd, s syscall.Signal) {
	attr := syscall.SysProcAttr{}
	if cmd.SysProcAttr != nil {
		attr = *cmd.SysProcAttr
	}
	attr.Pdeathsig = s
	cmd.SysProcAttr = &attr
}

// cldStopped is CLD_STOPPED, a code of SIGCHLD (sigaction(2)).
const cldStopped = 5

const stopsTogether = true

// stopTogether waits for the end of a child, which it leaves to others to
// collect, and stops this process whenever the child has stopped: a program that
// stops itself alone would leave the terminal to nobody. Both go on together.
func stopTogether(pid int) {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WSTOPPED|unix.WNOWAIT, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || info.Code != cldStopped {
			return
		}
		info = unix.Siginfo{}
		err = unix.Waitid(unix.P_PID, pid, &info, unix.WSTOPPED|unix.WNOHANG, nil)
		if err != nil || info.Code != cldStopped {
			continue // it goes on already
		}
		// Sent to the process, the signal may reach this thread after the next call.
		if unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGSTOP) == nil {
			_ = unix.Kill(pid, unix.SIGCONT)
		}
	}
}
