// SPDX-License-Identifier: Apache-2.0

//go:build linux

package memfile

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// TestWipeRemovesWhatOthersLeft has all that an editor could make.
func TestWipeRemovesWhatOthersLeft(t *testing.T) {
	d := newDir(t, Options{Parents: []string{memoryParent(t)}})
	outside := filepath.Join(t.TempDir(), "outside")
	writeFile(t, outside, "not ours", 0o600)
	at := func(name string) string { return filepath.Join(d.Path(), name) }
	for _, dir := range []string{"ide/User/History", "closed/below", "empty"} {
		if err := os.MkdirAll(at(dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, at(".secret.swp"), marker, 0o600)
	writeFile(t, at("secret~"), marker, 0o444)
	writeFile(t, at("none"), marker, 0)
	writeFile(t, at("#secret#"), "", 0o600)
	writeFile(t, at("ide/User/History/x"), marker, 0o600)
	writeFile(t, at("closed/below/x"), marker, 0o400)
	for _, err := range []error{
		os.Chmod(at("closed/below"), 0),
		os.Chmod(at("closed"), 0),
		os.Symlink(outside, at("link")),
		os.Symlink(filepath.Dir(outside), at("link to a directory")),
		os.Symlink("missing", at("link to nothing")),
		os.Link(at("secret~"), at("another name")),
		syscall.Mkfifo(at("pipe"), 0o600),
		os.Truncate(at("#secret#"), 1<<40), // sparse: filling it would fill the memory
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	socket, err := net.Listen("unix", at("s"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if err := d.Wipe(); err != nil {
		t.Error(err)
	}
	if exists(d.Path()) {
		t.Error("the directory is there")
	}
	if got := readFile(t, outside); got != "not ours" {
		t.Errorf("the target of a link holds %q", got)
	}
}

// A file that a program has linked into the directory keeps what it holds, and its
// mode; one whose names are all in the directory does not.
func TestWipeKeepsLinkedFiles(t *testing.T) {
	parent := memoryParent(t)
	d := newDir(t, Options{Parents: []string{parent}})
	imported := filepath.Join(parent, "imported")
	writeFile(t, imported, "of the user", 0o400)
	ours := filepath.Join(d.Path(), "secret")
	writeFile(t, ours, marker, 0o600)
	opened, err := os.Open(ours)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	for _, err := range []error{
		os.Link(imported, filepath.Join(d.Path(), "hard")),
		os.Link(ours, filepath.Join(d.Path(), "secret~")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Wipe(); err != nil {
		t.Error(err)
	}
	if got := readFile(t, imported); got != "of the user" {
		t.Errorf("the file of the user holds %q", got)
	}
	if info, err := os.Stat(imported); err != nil || info.Mode().Perm() != 0o400 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, err := io.ReadAll(opened); err != nil || len(left) != 0 {
		t.Errorf("%d bytes are left, %v", len(left), err)
	}
	if exists(d.Path()) {
		t.Error("the directory is there")
	}
}

// What a process still has open is empty too.
func TestWipeEmptiesOpenFiles(t *testing.T) {
	d := newDir(t, Options{})
	path, err := d.WriteFile("secret", []byte(marker), 0o400)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := d.Wipe(); err != nil {
		t.Fatal(err)
	}
	if info, err := f.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestZero(t *testing.T) {
	for _, disk := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "file")
		writeFile(t, path, marker, 0o600)
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		wiper{disk: disk}.zero(f, int64(len(marker)))
		f.Close()
		if got := []byte(readFile(t, path)); !bytes.Equal(got, make([]byte, len(marker))) {
			t.Errorf("disk %v: the file holds %q", disk, got)
		}
	}
}

// An editor that is about to end may write its last file while all is removed.
func TestWipeWhileSomebodyWrites(t *testing.T) {
	d := newDir(t, Options{Parents: []string{memoryParent(t)}})
	begun, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for i := 0; ; i++ {
			if i == 100 {
				close(begun)
			}
			if os.WriteFile(filepath.Join(d.Path(), strconv.Itoa(i)), []byte(marker), 0o600) != nil {
				return // the directory is gone
			}
		}
	}()
	select {
	case <-begun:
	case <-ended:
		t.Fatal("nothing can be written")
	}
	err := wipe(d.Path(), d.root, d.held, wiper{}, time.Minute)
	if err != nil || exists(d.Path()) {
		t.Errorf("%v; the directory is there: %v", err, exists(d.Path()))
	}
	<-ended
}

// Whatever took the place of the directory is not ours to remove.
func TestWipeOfAnotherDirectory(t *testing.T) {
	d := newDir(t, Options{Parents: []string{memoryParent(t)}})
	if _, err := d.WriteFile("secret", []byte(marker), 0o600); err != nil {
		t.Fatal(err)
	}
	moved := d.Path() + "-moved"
	if err := os.Rename(d.Path(), moved); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(d.Path(), 0o700); err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(d.Path(), "kept")
	writeFile(t, kept, "not ours", 0o600)
	root, err := os.OpenRoot(moved)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := wipe(d.Path(), root, d.held, wiper{}, 0); err == nil || exists(filepath.Join(moved, "secret")) {
		t.Errorf("error %v; the file is there: %v", err, exists(filepath.Join(moved, "secret")))
	}
	if err := wipeHeld(d.Path(), d.held, 0); err == nil {
		t.Error("the reaper has taken it for ours")
	}
	if got := readFile(t, kept); got != "not ours" {
		t.Errorf("the other file holds %q", got)
	}
	if err := os.RemoveAll(d.Path()); err != nil {
		t.Fatal(err)
	}
}
