// SPDX-License-Identifier: Apache-2.0

package testcluster

import "syscall"

// sysProcAttr keeps Ctrl-C for the parent, which stops its programs in order,
// and has the kernel kill them if the parent can't.
func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
