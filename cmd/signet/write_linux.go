// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// replaceFile fills a file that has no name, so that a process that is killed
// leaves nothing behind, then gives it a name and renames it. Only a kill
// between these two calls leaves a complete file with a temporary name.
func replaceFile(target string, data []byte, perm fs.FileMode) error {
	dir := filepath.Dir(target)
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return replaceNamed(target, data, perm) // not every file system can
	}
	f := os.NewFile(uintptr(fd), target)
	defer f.Close()
	if err := fill(f, data, perm); err != nil {
		return err
	}
	name := filepath.Join(dir, ".signet-"+rand.Text()+".tmp")
	if err := unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", fd), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW); err != nil {
		return replaceNamed(target, data, perm) // no /proc
	}
	if err := os.Rename(name, target); err != nil {
		os.Remove(name)
		return err
	}
	syncDir(dir)
	return nil
}
