// SPDX-License-Identifier: Apache-2.0

package controllertest

import "syscall"

// dieWithParent keeps a controller from outliving a test that was killed.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
