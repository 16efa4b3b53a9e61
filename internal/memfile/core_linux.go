// SPDX-License-Identifier: Apache-2.0

package memfile

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// NoCore switches core dumps of this process off, which would put plaintext on a
// disk, and keeps other processes of the user from reading its memory. Programs
// that it starts inherit only the limit: for an editor that is as good, for
// others see Restore. It returns the limit that was.
func NoCore() (CoreLimit, error) {
	var old unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_CORE, nil, &old); err != nil {
		return CoreLimit{}, fmt.Errorf("read the limit of core dumps: %w", err)
	}
	was := CoreLimit{old.Cur, old.Max}
	if err := unix.Prlimit(0, unix.RLIMIT_CORE, &unix.Rlimit{Cur: 0, Max: old.Max}, nil); err != nil {
		return was, fmt.Errorf("switch core dumps off: %w", err)
	}
	// Core dumps that are piped to a program know no limit (core(5)).
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return was, fmt.Errorf("make the process undumpable: %w", err)
	}
	return was, nil
}

// Restore gives this process the limit back, for the programs that it starts from now
// on, or becomes: it writes no core dumps itself all the same.
func (l CoreLimit) Restore() error {
	if err := unix.Prlimit(0, unix.RLIMIT_CORE, &unix.Rlimit{Cur: l.cur, Max: l.max}, nil); err != nil {
		return fmt.Errorf("restore the limit of core dumps: %w", err)
	}
	return nil
}
