// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/signet-secrets/signet/internal/report"
)

// Modes of new files. One that is replaced keeps its own, except that plaintext
// is never left readable for others.
const (
	modeSealed = 0o644
	modePlain  = 0o600
)

// writeFile replaces the file at path with data, or makes it with mode perm,
// so that whatever happens there is either the old file or the new one: the
// data is on disk, under another name or none, before it takes the name. A
// symbolic link stays and what it points to is replaced, but not with plaintext. Nothing is written if
// the file already holds data.
func writeFile(path string, data []byte, perm fs.FileMode) error {
	if info, err := os.Lstat(path); err == nil && perm == modePlain && info.Mode()&fs.ModeSymlink != 0 {
		return writeError(path, errPlainLink)
	}
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(path); err == nil {
			return writeError(path, errors.New("is a symbolic link that leads nowhere"))
		}
		target, err = path, nil
	}
	if err != nil {
		return writeError(path, err)
	}
	if info, err := os.Stat(target); err == nil {
		if info.IsDir() {
			return writeError(path, errDirectory)
		}
		if !info.Mode().IsRegular() {
			return writeError(path, errors.New("is not a regular file"))
		}
		if perm != modePlain {
			perm = info.Mode().Perm()
		}
		if old, err := os.ReadFile(target); err == nil && bytes.Equal(old, data) && info.Mode().Perm() == perm {
			return nil
		}
	}
	if err := replaceFile(target, data, perm); err != nil {
		return writeError(path, err)
	}
	return nil
}

// errPlainLink says that plaintext was to be written through a symbolic link,
// which may have come with the repository and lead anywhere.
var errPlainLink = errors.New("is a symbolic link, through which opened documents are not written")

var errDirectory = errors.New("is a directory")

func writeError(path string, err error) error {
	return &report.PlacedError{File: path, Operation: "write", Err: report.Cause(err)}
}

// replaceNamed replaces a file through a named temporary file beside it.
func replaceNamed(target string, data []byte, perm fs.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(target), ".signet-*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := fill(f, data, perm); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), target); err != nil {
		return err
	}
	syncDir(filepath.Dir(target))
	return nil
}

func fill(f *os.File, data []byte, perm fs.FileMode) error {
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Chmod(perm); err != nil {
		return err
	}
	return f.Sync()
}

// syncDir makes a rename in dir durable. File systems that cannot do that say
// so, which is no reason to fail.
func syncDir(dir string) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	defer d.Close()
	_ = d.Sync()
}
