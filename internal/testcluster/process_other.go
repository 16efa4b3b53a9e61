// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package testcluster

import "syscall"

// sysProcAttr keeps Ctrl-C for the parent, which stops its programs in order.
// These systems have no signal for a child whose parent died.
func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
