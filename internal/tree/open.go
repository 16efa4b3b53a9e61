// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrOutside says that a path leads out of the root.
var ErrOutside = errors.New("is not below the folder of the kustomization")

// Inside returns the clean form of a path or pattern, with slashes, that is
// below the folder that it is relative to, as far as the text of it tells. The
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

// Open opens a file or folder that is one of the wanted kind, without waiting
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
