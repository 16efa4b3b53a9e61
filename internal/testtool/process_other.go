// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package testtool

import "syscall"

func dieWithParent(*syscall.SysProcAttr) {}

// InRoot is nil: only Linux lets everybody give a program another root.
func InRoot(string) *syscall.SysProcAttr { return nil }
