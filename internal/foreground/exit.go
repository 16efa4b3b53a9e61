// SPDX-License-Identifier: Apache-2.0

package foreground

import "os"

// ExitLike ends this process as a program has ended: with the same exit code, or
// killed by the same signal (HUP, INT, KILL, TERM). For other signals the code is
// 128 and the signal, as a shell has it. It does not return.
func ExitLike(state *os.ProcessState) {
	if s, killed := killedBy(state); killed {
		dieOf(s)
		os.Exit(128 + int(s))
	}
	os.Exit(state.ExitCode())
}
