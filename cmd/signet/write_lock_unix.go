// SPDX-License-Identifier: Apache-2.0

//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// hasLocks says that files can be locked.
const hasLocks = true

// lockFile takes the lock of an open file until it is closed. It is busy if another
// process has it. File systems that know no locks grant it.
func lockFile(f *os.File) (busy bool) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	return errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR)
}
