// SPDX-License-Identifier: Apache-2.0

package memfile

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// systemParents returns the directories that are in memory on most systems.
func systemParents(getenv func(string) string) []string {
	var parents []string
	if dir := getenv("XDG_RUNTIME_DIR"); dir != "" {
		parents = append(parents, dir)
	}
	return append(parents, "/dev/shm", "/run/user/"+strconv.Itoa(os.Geteuid()))
}

// storageOf asks the kernel what a directory is on.
func storageOf(dir *os.File) (storage, error) {
	var s unix.Statfs_t
	var err error
	for {
		if err = unix.Fstatfs(int(dir.Fd()), &s); err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return storage{}, err
	}
	switch uint32(s.Type) { // a signed number on some systems
	case unix.TMPFS_MAGIC:
		return storage{memory: true, swap: true, kind: "tmpfs"}, nil
	case unix.RAMFS_MAGIC:
		return storage{memory: true, kind: "ramfs"}, nil
	}
	return storage{kind: fmt.Sprintf("a file system of type %#x", uint32(s.Type))}, nil
}

// program is the file of this program, also if it was replaced since.
func program() (string, error) { return "/proc/self/exe", nil }
