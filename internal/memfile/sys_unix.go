// SPDX-License-Identifier: Apache-2.0

//go:build unix && !aix && !solaris

package memfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

const (
	canLock = true
	lockFD  = 3 // in the reaper: the first one after stderr
)

// deafTo returns the signals that do not end the reaper.
func deafTo() []os.Signal {
	return []os.Signal{
		syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE,
		syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU,
	}
}

// ownSession keeps the signals of a terminal away from a process.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func openDir(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_DIRECTORY, 0)
}

// lock takes the lock of a directory, which ends with the last process that has
// it open. It is false if another one holds it.
func lock(dir *os.File) (bool, error) {
	for {
		err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		default:
			return err == nil, err
		}
	}
}

// checkParent tells whether only we, root and, where the sticky bit protects us,
// others can rename or remove what we make in a directory.
func checkParent(info fs.FileInfo) error {
	owner := info.Sys().(*syscall.Stat_t).Uid
	if int(owner) != os.Geteuid() && owner != 0 {
		return fmt.Errorf("belongs to another user (%d)", owner)
	}
	if info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return errors.New("others may write to it, and it has no sticky bit")
	}
	return nil
}

// hasOtherNames tells whether a file has more than one hard link.
func hasOtherNames(info fs.FileInfo) bool { return info.Sys().(*syscall.Stat_t).Nlink > 1 }

// checkOwn tells whether a directory is ours and closed to others.
func checkOwn(info fs.FileInfo) error {
	switch {
	case !info.IsDir():
		return errors.New("is not a directory")
	case int(info.Sys().(*syscall.Stat_t).Uid) != os.Geteuid():
		return errors.New("belongs to another user")
	case info.Mode().Perm()&0o077 != 0:
		return errors.New("is open to others")
	}
	return nil
}
