// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package foreground

import (
	"os/exec"
	"syscall"
)

func dieWithParent(*exec.Cmd, syscall.Signal) {}

const stopsTogether = false

func stopTogether(int) {}
