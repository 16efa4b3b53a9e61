// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
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
	return locked(path, func() error { return writeLocked(path, data, perm) })
}

// writeLocked is writeFile for who has the lock.
func writeLocked(path string, data []byte, perm fs.FileMode) error {
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
		if same, _ := holds(target, data); same && info.Mode().Perm() == perm {
			return nil
		}
	}
	if err := replaceFile(target, data, perm); err != nil {
		return writeError(path, err)
	}
	return nil
}

// canReplace reports whether a file can be replaced, as far as that can be known
// before: whether a file can be made beside it.
func canReplace(path string) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		target = path
	}
	f, err := os.CreateTemp(filepath.Dir(target), ".signet-*.tmp")
	if err != nil {
		return writeError(path, fmt.Errorf("no file can be made beside it: %w", report.Cause(err)))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// writeNew makes a file. The error wraps fs.ErrExist if anything has the name,
// also a symbolic link that leads nowhere.
func writeNew(path string, data []byte, perm fs.FileMode) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(path)
	}
	return err
}

// readBounded reads a file as far as a stream of documents may be long. The error
// wraps manifest.ErrTooLarge if it is longer.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, manifest.MaxStreamBytes+1))
	if err == nil && len(data) > manifest.MaxStreamBytes {
		return nil, manifest.ErrTooLarge
	}
	return data, err
}

// holds reports whether a file holds exactly the data. It reads no more than that.
func holds(path string, data []byte) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	have, err := io.ReadAll(io.LimitReader(f, int64(len(data))+1))
	return err == nil && bytes.Equal(have, data), err
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
