// SPDX-License-Identifier: Apache-2.0

package memfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"
)

// reaperArgument is the first argument of a program that is to be the reaper. The
// second one is the directory.
const reaperArgument = "__wipe"

const (
	reaperPatience = 20 * time.Second // for an editor that outlives its parent
	reaperStart    = 20 * time.Second // until it must have said that it runs
)

// Reap does the work of the reaper, and returns its exit code, if args, which are
// those of the process with its name, say that it was started as one. It must be
// called before anything else is done.
//
// The reaper waits for the end of its input, a pipe that only its parent holds,
// then removes the directory. No signal but SIGKILL ends it before.
func Reap(args []string) (code int, ok bool) {
	if len(args) != 3 || args[1] != reaperArgument {
		return 0, false
	}
	signal.Ignore(deafTo()...)
	_ = os.Chdir("/")
	path := args[2]
	held, err := inheritedDir(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2, true
	}
	defer held.Close()
	fmt.Println(reaperReady)
	os.Stdout.Close()
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := wipeHeld(path, held, reaperPatience); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	return 0, true
}

const reaperReady = "ready"

// inheritedDir returns the directory that a reaper is to remove, with the lock
// that its parent holds too. The path alone is not believed: whoever starts the
// program by hand could name anything.
func inheritedDir(path string) (held *os.File, err error) {
	named, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !ours(filepath.Base(path)) {
		return nil, fmt.Errorf("%s is no directory for plaintext", path)
	}
	if canLock {
		held = os.NewFile(lockFD, path)
	} else if held, err = openDir(path); err != nil {
		return nil, err
	}
	info, err := held.Stat()
	if err == nil {
		err = checkOwn(info)
	}
	if err != nil || !os.SameFile(info, named) {
		held.Close()
		return nil, fmt.Errorf("%s was not handed over", path)
	}
	return held, nil
}

// wipeHeld wipes a directory that was opened by its path.
func wipeHeld(path string, held *os.File, patience time.Duration) error {
	root, err := os.OpenRoot(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	named, err := root.Lstat(".")
	if err != nil {
		return err
	}
	if opened, err := held.Stat(); err != nil || !os.SameFile(opened, named) {
		return fmt.Errorf("remove %s: it was replaced by something else", path)
	}
	s, err := storageOf(held)
	return wipe(path, root, held, wiper{disk: err != nil || !s.memory}, patience)
}

// reaper is the process that removes a directory.
type reaper struct {
	cmd  *exec.Cmd
	life *os.File // its input; the end of this process closes it
}

// startReaper starts a reaper and waits until it is ready.
func startReaper(path string, held *os.File) (*reaper, error) {
	self, err := program()
	if err != nil {
		return nil, err
	}
	in, life, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r := &reaper{life: life, cmd: &exec.Cmd{
		Path:        self,
		Args:        []string{"signet", reaperArgument, path},
		Env:         []string{}, // identities may stand in ours
		Dir:         string(filepath.Separator),
		Stdin:       in,
		SysProcAttr: ownSession(),
	}}
	if canLock {
		r.cmd.ExtraFiles = []*os.File{held} // is lockFD there
	}
	if err := r.start(); err != nil {
		life.Close()
		return nil, err
	}
	return r, nil
}

func (r *reaper) start() error {
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := r.cmd.Start(); err != nil {
		return err
	}
	timeout := time.AfterFunc(reaperStart, func() { _ = r.cmd.Process.Kill() })
	defer timeout.Stop()
	said, _ := io.ReadAll(io.LimitReader(out, int64(len(reaperReady))))
	if string(said) == reaperReady {
		return nil
	}
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
	return errors.New("it has not said that it is ready")
}

// release lets the reaper look after the directory and end.
func (r *reaper) release() {
	r.life.Close()
	_ = r.cmd.Wait() // that it was killed, or has found something left, shows in the directory
}
