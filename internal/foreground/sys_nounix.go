// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package foreground

import (
	"os"
	"syscall"
)

// UserSignals returns nothing: only Unix has signals.
func UserSignals() []os.Signal { return nil }

// killedBy is false: only Unix has signals.
func killedBy(*os.ProcessState) (syscall.Signal, bool) { return 0, false }

func dieOf(syscall.Signal) {}
