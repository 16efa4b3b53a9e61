// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// Errors about what a path leads to.
var (
	ErrOutside    = errors.New("leads out of the directory that is read") // out of the root
	ErrDirectory  = errors.New("is a directory")
	ErrNotRegular = errors.New("is not a regular file")
)

// Inside returns the clean form of a path or pattern, with slashes, that is
// below the directory that it is relative to, as far as the text of it tells. The
// error is ErrOutside, or another one for what can be no path.
func Inside(name string) (string, error) {
	clean := path.Clean(name)
	switch {
	case path.IsAbs(name), filepath.IsAbs(name), filepath.VolumeName(name) != "", clean == "..", strings.HasPrefix(clean, "../"):
		return "", ErrOutside
	case strings.ContainsRune(name, 0):
		return "", errors.New("is no path")
	}
	return clean, nil
}

// Open opens a file or directory that is one of the wanted kind, without waiting
// for whoever may write into it. The error is that of wanted, or one that Cause
// was applied to.
func Open(root *os.Root, name string, wanted func(fs.FileMode) error) (*os.File, error) {
	info, err := root.Stat(filepath.FromSlash(name)) // follows links within the root
	if err != nil {
		return nil, Cause(err)
	}
	if err := wanted(info.Mode()); err != nil {
		return nil, err
	}
	f, err := root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, Cause(err)
	}
	info, err = f.Stat() // it may have been exchanged
	if err == nil {
		err = wanted(info.Mode())
	}
	if err != nil {
		f.Close()
		return nil, Cause(err)
	}
	return f, nil
}

// Read returns the content of a regular file. If that is more than limit bytes,
// the error is tooLarge, and comes with limit+1 of them. Other errors are
// ErrDirectory and ErrNotRegular, or those of Open.
func Read(root *os.Root, name string, limit int, tooLarge error) ([]byte, error) {
	f, err := Open(root, name, regular)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err == nil && len(text) > limit {
		err = tooLarge
	}
	return text, Cause(err)
}

func regular(mode fs.FileMode) error {
	switch {
	case mode.IsDir():
		return ErrDirectory
	case !mode.IsRegular():
		return ErrNotRegular
	}
	return nil
}

// Cause takes the path out of an error about a file, and tells one that leads
// out of a root by its text, which is all that package os offers.
func Cause(err error) error {
	var at *fs.PathError
	if !errors.As(err, &at) {
		return err
	}
	if at.Err.Error() == "path escapes from parent" {
		return ErrOutside
	}
	return at.Err
}
