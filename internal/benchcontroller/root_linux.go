// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"syscall"
)

// inRoot runs a process with a folder as its root, which who is not root may do
// within a user namespace. It dies with this process.
func inRoot(dir string) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Chroot: dir, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		attr.Cloneflags = syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return attr
}
