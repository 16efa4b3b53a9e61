// SPDX-License-Identifier: Apache-2.0

package testtool

import (
	"os"
	"syscall"
)

// dieWithParent has the kernel kill a program when the thread is gone that has
// started it.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// InRoot runs a program with a folder as its root, which who is not root may do
// within a user namespace. It is nil on other systems than Linux.
func InRoot(dir string) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Chroot: dir}
	if os.Getuid() != 0 {
		attr.Cloneflags = syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return attr
}
