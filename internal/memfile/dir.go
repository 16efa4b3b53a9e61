// SPDX-License-Identifier: Apache-2.0

package memfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// ErrFull says that a directory has no room for a file. In containers memory
// storage often is 64 MiB, shared by all.
var ErrFull = errors.New("there is no space left")

// Options say where a directory is made.
type Options struct {
	// TempDir is a directory that the user has named. It need not be in memory,
	// and nothing else is tried.
	TempDir string

	// Parents are tried in turn, and must be in memory; nil for those that the
	// system has: $XDG_RUNTIME_DIR, /dev/shm, /run/user/<uid>.
	Parents []string
}

// Dir is a directory for plaintext. Its methods are safe for concurrent use.
type Dir struct {
	path    string
	storage storage
	held    *os.File // the directory, with a lock that says it is in use
	root    *os.Root
	reaper  *reaper

	wipe sync.Once
	err  error // of Wipe; read it after wipe
}

// New makes an empty directory and starts its reaper; the program must call Reap
// first of all. It also removes what earlier processes have left, as far as that
// is possible. The error is a *NoMemoryError if no directory is in memory, none
// has room, or none can be trusted, and TempDir is not set.
func New(o Options) (*Dir, error) {
	d, err := place(o)
	if err != nil {
		return nil, err
	}
	if d.reaper, err = startReaper(d.path, d.held); err != nil {
		return nil, errors.Join(fmt.Errorf("start the process that removes %s: %w", d.path, err), d.Wipe())
	}
	return d, nil
}

// Path returns the absolute path of the directory, which has no symbolic link.
func (d *Dir) Path() string { return d.path }

// InMemory tells whether the directory is in memory. One that New makes in
// Options.TempDir may be on a disk.
func (d *Dir) InMemory() bool { return d.storage.memory }

// WriteFile makes a file in the directory and returns its path. The name has no
// folder, and must not be taken, also not by a symbolic link. The error is
// ErrFull if there is no room; the file is gone then.
func (d *Dir) WriteFile(name string, data []byte, perm fs.FileMode) (path string, err error) {
	path = filepath.Join(d.path, name)
	if err := checkName("make", name); err != nil {
		return "", err
	}
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fileError("make", path, err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(perm) // whatever the umask is
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return "", errors.Join(fileError("write", path, err), d.Remove(name))
	}
	return path, nil
}

// ReadFile reads a file in the directory, which another program may have
// replaced. It must be a regular file of at most limit bytes.
func (d *Dir) ReadFile(name string, limit int64) ([]byte, error) {
	path := filepath.Join(d.path, name)
	if err := checkName("read", name); err != nil {
		return nil, err
	}
	info, err := d.root.Lstat(name) // a named pipe would keep us waiting
	if err != nil {
		return nil, fileError("read", path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: is not a regular file", path)
	}
	f, err := d.root.Open(name)
	if err != nil {
		return nil, fileError("read", path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fileError("read", path, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("read %s: is larger than %d bytes", path, limit)
	}
	return data, nil
}

// Remove overwrites and removes a file in the directory. A file that is not
// there is no error.
func (d *Dir) Remove(name string) error {
	if err := checkName("remove", name); err != nil {
		return err
	}
	err := wiper{disk: !d.storage.memory}.remove(d.root, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fileError("remove", filepath.Join(d.path, name), err)
	}
	return nil
}

// Wipe overwrites and removes everything in the directory, whoever has made it,
// then the directory, and ends the reaper. The error says where something is left
// after 2 seconds; the next New tries again. Further calls return what the first
// has returned.
func (d *Dir) Wipe() error {
	d.wipe.Do(func() {
		d.err = wipe(d.path, d.root, d.held, wiper{disk: !d.storage.memory}, wipePatience)
		d.root.Close()
		if d.reaper != nil {
			d.reaper.release()
		}
		d.held.Close()
	})
	return d.err
}

// wipePatience is how long a directory is emptied again and again while another
// process still writes into it.
const wipePatience = 2 * time.Second

func checkName(operation, name string) error {
	if name == "." || !filepath.IsLocal(name) || filepath.Base(name) != name {
		return fmt.Errorf("%s %q: is no file name", operation, name)
	}
	return nil
}

func fileError(operation, path string, err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%s %s: %w", operation, path, ErrFull)
	}
	return fmt.Errorf("%s %s: %w", operation, path, cause(err))
}
