// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/testtool"
)

// editMarker is the value that must not reach a disk.
const editMarker = testtool.Plaintext

// workshop is a user with a home, a directory with a sealed file, and a place in
// memory for what signet puts there.
type workshop struct {
	t                   testing.TB
	program, home, work string
	memory              string
	sealed              string // the file as it was
}

// hostileVim turns on everything that vim can keep, in the home directory.
const hostileVim = `set nocompatible swapfile updatecount=1 updatetime=1 directory=$HOME/swap//
set backup writebackup backupcopy=no backupdir=$HOME/bk
set undofile undodir=$HOME/undo
set viminfo='100,<1000,s1000,:100 viminfofile=$HOME/viminfo
autocmd BufWritePre * set backup writebackup backupdir=$HOME/bk | setlocal undofile
`

func newWorkshop(t testing.TB, program string) *workshop {
	t.Helper()
	memory, err := os.MkdirTemp("/dev/shm", "signet-test-")
	if err != nil {
		t.Fatal(err)
	}
	w := &workshop{t: t, program: program, home: t.TempDir(), memory: memory}
	t.Cleanup(func() {
		testtool.NoneLeft(t, "HOME="+w.home)
		os.RemoveAll(memory)
	})
	w.work = filepath.Join(w.home, "work")
	for _, name := range []string{"swap/keep", "bk/keep", "undo/keep", "tmp/keep"} {
		writeTestFile(t, filepath.Join(w.home, name), "")
	}
	writeTestFile(t, filepath.Join(w.home, ".vimrc"), hostileVim)
	k := newKeyFile(t)
	writeTestFile(t, filepath.Join(w.home, ".config/sops/age/keys.txt"), readTestFile(t, k.path))
	writeTestFile(t, filepath.Join(w.work, ".sops.yaml"), "creation_rules: [{age: "+k.recipient+"}]\n")
	w.sealed = mustRun(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: prod}\nstringData:\n  password: "+editMarker+"\n",
		"seal", "--age", k.recipient, "-")
	writeTestFile(t, w.file(), w.sealed)
	return w
}

func (w *workshop) file() string { return filepath.Join(w.work, "sealed.yaml") }

// command is one of signet, behind those that trace it.
func (w *workshop) command(editor string, trace []string, args ...string) *exec.Cmd {
	all := slices.Concat(trace, []string{w.program}, args)
	cmd := exec.Command(all[0], all[1:]...)
	cmd.Dir = w.work
	cmd.Env = []string{
		"HOME=" + w.home, "XDG_RUNTIME_DIR=" + w.memory, "TMPDIR=" + filepath.Join(w.home, "tmp"), "PATH=" + os.Getenv("PATH"),
		"SIGNET_EDITOR=" + editor, "TERM=xterm", "LANG=C.UTF-8", "SHELL=/bin/sh",
	}
	return cmd
}

// checkGone waits until nothing is in memory, and looks for plaintext on the disk.
func (w *workshop) checkGone() {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		entries, err := os.ReadDir(w.memory)
		if err == nil && len(entries) == 0 {
			break
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("after a minute there still is something in %s: %v", w.memory, entries)
		}
		<-time.After(5 * time.Millisecond)
	}
	for _, path := range testtool.PlaintextFiles(w.t, w.home) {
		w.t.Errorf("plaintext is in %s", path)
	}
}

// judgeTrace returns the calls that took the marker elsewhere than to memory and
// terminals, and counts those that took it to memory.
func (w *workshop) judgeTrace(file string) (leaks []string, inMemory int) {
	w.t.Helper()
	var copies []string
	for _, place := range []string{"/swap", "/bk", "/undo", "/viminfo"} {
		copies = append(copies, w.home+place)
	}
	return testtool.JudgeTrace(w.t, file, w.memory, copies...)
}
