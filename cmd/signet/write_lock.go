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
var errLocked = errors.New("another program holds a lock on it")

// locked calls do while no other signet replaces the file at path, or what that
// leads to. The lock is on the file itself, or on its directory while there is none,
// so that nothing is left behind and many files can be written at once; it ends with
// the process. Where there are no such locks, or nothing can be read, do is called
// without one.
func locked(path string, do func() error) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		target = path // is made, or cannot be written, which do finds out
	}
	for end := time.Now().Add(lockWait); ; time.Sleep(lockTick) {
		f := openLock(target)
		if f == nil {
			return do()
		}
		if !lockFile(f) && locks(f, target) {
			defer f.Close()
			return do()
		}
		f.Close()
		if time.Now().After(end) {
			return writeError(path, errLocked)
		}
	}
}

// openLock opens what is locked, or returns nil.
func openLock(target string) *os.File {
	info, err := os.Stat(target)
	switch {
	case !hasLocks:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		target = filepath.Dir(target)
	case err != nil || !info.Mode().IsRegular():
		return nil // a pipe would wait
	}
	f, err := os.Open(target)
	if err != nil {
		return nil
	}
	return f
}

// locks reports whether a lock still is on what it was taken for: who had it before
// has put another file there.
func locks(f *os.File, target string) bool {
	held, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(target)
	if held.IsDir() {
		return errors.Is(err, fs.ErrNotExist)
	}
	return err == nil && os.SameFile(held, there)
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
