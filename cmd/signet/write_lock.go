// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/signet-secrets/signet/internal/parallel"
)

// How long a lock is waited for, which others hold while they write one file.
const (
	lockWait = 30 * time.Second
	lockTick = 5 * time.Millisecond
)

// errLocked says that somebody does not let go of a lock.
var errLocked = errors.New("another program holds a lock on its directory")

// locked calls do while no other signet replaces a file in the directory in which
// path is, or what it leads to. The lock is that directory itself, so that nothing is
// left behind, and ends with the process. Where there are no such locks, or the
// directory cannot be read, do is called without one.
func locked(path string, do func() error) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		target = path // is made, or cannot be written, which do finds out
	}
	dir, err := os.Open(filepath.Dir(target))
	if err != nil {
		return do()
	}
	defer dir.Close()
	for end := time.Now().Add(lockWait); ; time.Sleep(lockTick) {
		busy := lockFile(dir)
		if !busy {
			return do()
		}
		if time.Now().After(end) {
			return writeError(path, errLocked)
		}
	}
}

// replaceIf replaces a file, unless it is not what was read any more: the sum is that
// of the whole of it. No other signet writes in between.
func replaceIf(file string, sum [sha256.Size]byte, data []byte) error {
	return locked(file, func() error {
		if err := stillAs(file, sum); err != nil {
			return err
		}
		return writeLocked(file, data, modeSealed)
	})
}

// replaceNone makes a file, unless it is there meanwhile.
func replaceNone(file string, data []byte) error {
	return locked(file, func() error {
		if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			return writeError(file, errMeanwhile)
		}
		return writeLocked(file, data, modeSealed)
	})
}

// maxAgain is how often something is done anew because its file was changed.
const maxAgain = 50

// untilSaved calls do, which reads a file, changes it and saves it, again if another
// program has changed the file meanwhile.
func untilSaved(ctx context.Context, do func() error) error {
	for n := 1; ; n++ {
		err := do()
		if !errors.Is(err, errMeanwhile) || n >= maxAgain {
			return err
		}
		if ctx.Err() != nil {
			return parallel.ErrNotTried
		}
	}
}
