// SPDX-License-Identifier: Apache-2.0

package memfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// NoMemoryError says why no directory is in memory.
type NoMemoryError struct {
	Tried []Attempt // empty on systems that have none
}

// Attempt is a directory that was no place for plaintext.
type Attempt struct {
	Parent string
	Err    error
}

// Error names all that were tried.
func (e *NoMemoryError) Error() string {
	if len(e.Tried) == 0 {
		return "no directory in memory is known on " + runtime.GOOS
	}
	var all []string
	for _, a := range e.Tried {
		all = append(all, fmt.Sprintf("%s: %v", a.Parent, a.Err))
	}
	return "no directory in memory: " + strings.Join(all, "; ")
}

// storage is what a directory is on.
type storage struct {
	memory bool
	swap   bool   // the kernel may write it to swap
	kind   string // of file system, for people
}

// place makes and locks a directory, and removes what others have left.
func place(o Options) (*Dir, error) {
	if o.TempDir != "" {
		removeLeftovers(o.TempDir)
		d, err := makeIn(o.TempDir, false)
		if err != nil {
			return nil, fmt.Errorf("make a directory in %s: %w", o.TempDir, err)
		}
		return d, nil
	}
	parents := o.Parents
	if parents == nil {
		parents = systemParents(os.Getenv)
	}
	failed := &NoMemoryError{}
	for i, parent := range parents {
		if slices.Contains(parents[:i], parent) {
			continue
		}
		removeLeftovers(parent)
		d, err := makeIn(parent, true)
		if err == nil {
			return d, nil
		}
		failed.Tried = append(failed.Tried, Attempt{parent, err})
	}
	return nil, failed
}

// namePrefix begins the names of all directories; the rest is that of rand.Text.
const namePrefix = "signet-"

// ours tells whether a directory has a name that makeIn would give it.
func ours(name string) bool {
	random, ok := strings.CutPrefix(name, namePrefix)
	return ok && len(random) >= 26 && strings.Trim(random, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

func makeIn(parent string, memory bool) (*Dir, error) {
	parent, err := trusted(parent)
	if err != nil {
		return nil, err
	}
	for {
		path := filepath.Join(parent, namePrefix+rand.Text())
		if err := os.Mkdir(path, 0o700); err != nil {
			return nil, cause(err)
		}
		d, err := hold(path, memory)
		if err == nil {
			return d, nil
		}
		os.Remove(path) // it is empty
		if !errors.Is(err, errTaken) {
			return nil, err
		}
	}
}

// trusted returns the path of a directory without symbolic links, if nobody else
// can exchange what is made in it.
func trusted(parent string) (string, error) {
	if !filepath.IsAbs(parent) {
		abs, err := filepath.Abs(parent)
		if err != nil {
			return "", err
		}
		parent = abs
	}
	parent, err := filepath.EvalSymlinks(parent)
	if err != nil {
		return "", cause(err)
	}
	info, err := os.Lstat(parent)
	if err != nil {
		return "", cause(err)
	}
	if !info.IsDir() {
		return "", errors.New("is not a directory")
	}
	return parent, checkParent(info)
}

// errTaken says that somebody took a new directory for a leftover before it was
// locked.
var errTaken = errors.New("was removed by another process")

// hold opens and locks a directory that was just made. It is checked through what
// was opened: no name can lead elsewhere after that.
func hold(path string, memory bool) (d *Dir, err error) {
	d = &Dir{path: path}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if err := os.Chmod(path, 0o700); err != nil { // the umask may be anything
		return d, gone(err)
	}
	if d.held, err = openDir(path); err != nil {
		return d, gone(err)
	}
	locked, err := lock(d.held)
	if err == nil && !locked {
		return d, errTaken
	}
	if err != nil && memory { // file systems in a network may have no locks
		return d, fmt.Errorf("lock it: %w", err)
	}
	if d.root, err = os.OpenRoot(path); err != nil {
		return d, gone(err)
	}
	opened, err := d.held.Stat()
	if err != nil {
		return d, cause(err)
	}
	named, err := d.root.Lstat(".")
	if err != nil || !os.SameFile(opened, named) {
		return d, errTaken
	}
	if err := checkOwn(opened); err != nil {
		return d, err
	}
	if d.storage, err = storageOf(d.held); err != nil {
		return d, cause(err)
	}
	if memory && !d.storage.memory {
		return d, fmt.Errorf("is not in memory (%s)", d.storage.kind)
	}
	return d, nil
}

func (d *Dir) close() {
	if d.root != nil {
		d.root.Close()
	}
	if d.held != nil {
		d.held.Close()
	}
}

func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errTaken
	}
	return cause(err)
}

func cause(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}
