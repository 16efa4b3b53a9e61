// SPDX-License-Identifier: Apache-2.0

package memfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// wiper overwrites files and removes them.
type wiper struct {
	disk bool // what is written must reach the disk before the file is gone
}

// maxZeroBytes is up to which size a file is overwritten. A larger one is only
// cut: it may be a sparse file, which would fill the memory.
const maxZeroBytes = 256 << 20

// wipe empties a directory and removes it, again and again until patience ends:
// an editor that is about to end may still write its last file. After the first
// time the directory gets another name, where nobody finds it. One that is gone
// is no error.
func wipe(path string, root *os.Root, held *os.File, w wiper, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for first := true; ; first = false {
		err := w.empty(root)
		if err == nil {
			err = removeDir(path, held)
		}
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("remove %s: %w", path, cause(err))
		}
		if first {
			path = moveAway(path, held)
			continue
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// moveAway gives the directory another name, and returns the one that it has.
func moveAway(path string, held *os.File) string {
	to := filepath.Join(filepath.Dir(path), namePrefix+rand.Text())
	if checkNamed(path, held) != nil || os.Rename(path, to) != nil {
		return path
	}
	return to
}

// checkNamed tells whether a path still names what is held.
func checkNamed(path string, held *os.File) error {
	named, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if opened, err := held.Stat(); err != nil || !os.SameFile(named, opened) {
		return errors.New("it was replaced by something else")
	}
	return nil
}

// removeDir removes an empty directory if the path still names what is held.
func removeDir(path string, held *os.File) error {
	err := checkNamed(path, held)
	if err == nil {
		err = os.Remove(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// empty removes everything in a directory. It goes on after an error, and joins
// all of them.
func (w wiper) empty(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	entries, err := dir.ReadDir(-1)
	dir.Close()
	errs := []error{err}
	for _, entry := range entries {
		if err := w.remove(root, entry.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// remove removes what has a name, with all that is below it. It follows no
// symbolic link.
func (w wiper) remove(root *os.Root, name string) error {
	info, err := root.Lstat(name)
	if err != nil {
		return err
	}
	switch {
	case info.IsDir():
		err = w.emptyBelow(root, name, info)
	case info.Mode().IsRegular():
		w.overwrite(root, name, info)
	}
	return errors.Join(err, root.Remove(name))
}

func (w wiper) emptyBelow(root *os.Root, name string, info fs.FileInfo) error {
	if info.Mode().Perm()&0o700 != 0o700 {
		if err := root.Chmod(name, 0o700); err != nil {
			return err
		}
	}
	sub, err := root.OpenRoot(name)
	if err != nil {
		return err
	}
	defer sub.Close()
	return w.empty(sub)
}

// overwrite fills a file with zeros and cuts it, as far as it can: what counts is
// that the file is removed. One that has other names stays as it is: a program may
// have linked a file of the user into the directory. If the names are all in here,
// the last one is overwritten.
func (w wiper) overwrite(root *os.Root, name string, info fs.FileInfo) {
	if hasOtherNames(info) {
		return
	}
	if info.Mode().Perm()&0o200 == 0 {
		_ = root.Chmod(name, 0o600)
	}
	f, err := root.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if opened, err := f.Stat(); err != nil || hasOtherNames(opened) {
		return
	}
	w.zero(f, info.Size())
	_ = f.Truncate(0)
}

func (w wiper) zero(f *os.File, size int64) {
	if size > maxZeroBytes {
		return
	}
	_, _ = io.Copy(f, io.LimitReader(zeros{}, size))
	if w.disk {
		_ = f.Sync()
	}
}

// zeros is an endless source of zero bytes.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
