// SPDX-License-Identifier: Apache-2.0

//go:build linux

package memfile

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/signet-secrets/signet/internal/testtool"
)

// TestKilled kills the process that holds a directory, or its whole group, with
// signals that it does nothing about.
func TestKilled(t *testing.T) {
	for _, group := range []bool{false, true} {
		for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGKILL} {
			t.Run(fmt.Sprintf("%v, group %v", s, group), func(t *testing.T) {
				testtool.NeedSignal(t, s)
				h := startHolder(t, memoryParent(t))
				pid := h.cmd.Process.Pid
				if group {
					pid = -pid
				}
				if err := syscall.Kill(pid, s); err != nil {
					t.Fatal(err)
				}
				eventually(t, "the directory is gone", func() bool { return !exists(h.dir) })
				eventually(t, "the reaper has ended", func() bool { return !running(h.reaper) })
			})
		}
	}
}

// The reaper ends only with its parent.
func TestReaperIsDeaf(t *testing.T) {
	h := startHolder(t, memoryParent(t))
	for _, s := range deafTo() {
		if err := syscall.Kill(h.reaper, s.(syscall.Signal)); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the directory is gone", func() bool { return !exists(h.dir) })
}

// The environment of the program may hold identities, and its terminal sends
// signals.
func TestReaperIsApart(t *testing.T) {
	t.Setenv("SOPS_AGE_KEY", "AGE-SECRET-KEY-EXAMPLE")
	d := newDir(t, Options{})
	pid := d.reaper.cmd.Process.Pid
	if got := readFile(t, fmt.Sprintf("/proc/%d/environ", pid)); got != "" {
		t.Errorf("environment %q", got)
	}
	stat := readFile(t, fmt.Sprintf("/proc/%d/stat", pid))
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
	if session := fields[3]; session != fmt.Sprint(pid) { // proc_pid_stat(5)
		t.Errorf("session %s, want one of its own, %d", session, pid)
	}
}

// Two kills leave the directory; the next process removes it. What is in use and
// what is not ours stays.
func TestLeftovers(t *testing.T) {
	parent := memoryParent(t)
	left, used := startHolder(t, parent), startHolder(t, parent)
	if err := errors.Join(syscall.Kill(left.reaper, syscall.SIGKILL), left.cmd.Process.Kill()); err != nil {
		t.Fatal(err)
	}
	// A thread of a process that counts as ended may still have it open.
	eventually(t, "both have let it go", func() bool { return canBeLocked(t, left.dir) })
	if !exists(left.dir) {
		t.Fatal("nothing was left")
	}
	letters := strings.Repeat("A", 26)
	foreign := []string{namePrefix + "controller", namePrefix + strings.ToLower(letters), "other-" + letters, namePrefix + letters + "1"}
	for _, name := range foreign {
		if err := os.Mkdir(filepath.Join(parent, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	opened := filepath.Join(parent, namePrefix+letters+"O")
	link := filepath.Join(parent, namePrefix+letters+"L")
	elsewhere := t.TempDir()
	writeFile(t, filepath.Join(elsewhere, "kept"), "", 0o600)
	if err := errors.Join(os.Mkdir(opened, 0o700), os.Chmod(opened, 0o755), os.Symlink(elsewhere, link)); err != nil {
		t.Fatal(err)
	}

	newDir(t, Options{Parents: []string{parent}})
	if exists(left.dir) {
		t.Error("the leftover is there")
	}
	if got := readFile(t, filepath.Join(used.dir, "secret")); got != marker {
		t.Errorf("the one in use holds %q", got)
	}
	stay := []string{opened, link, filepath.Join(elsewhere, "kept")}
	for _, name := range foreign {
		stay = append(stay, filepath.Join(parent, name))
	}
	for _, path := range stay {
		if !exists(path) {
			t.Errorf("%s was removed", path)
		}
	}

	// With the reaper alone killed, nothing is lost.
	if err := syscall.Kill(used.reaper, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	used.input.Close()
	eventually(t, "the holder has wiped", func() bool { return !exists(used.dir) })
}

// canBeLocked reports whether nobody holds a directory.
func canBeLocked(t *testing.T, dir string) bool {
	t.Helper()
	f, err := openDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	locked, err := lock(f)
	return err == nil && locked
}

// TestReaperWaitsForTheEditor has a process that outlives the one that was killed
// and goes on writing.
func TestReaperWaitsForTheEditor(t *testing.T) {
	h := startHolder(t, memoryParent(t))
	editor := exec.Command("sh", "-c", `i=0; while echo x > "$0/$i"; do i=$((i+1)); done`, h.dir)
	if err := editor.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = editor.Process.Kill()
		_ = editor.Wait()
	})
	eventually(t, "the editor writes", func() bool { return exists(filepath.Join(h.dir, "9")) })
	if err := h.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "everything is gone", func() bool { return isEmpty(t, filepath.Dir(h.dir)) })
}

// Somebody who starts the reaper by hand cannot have it remove anything.
func TestReapByHand(t *testing.T) {
	h := startHolder(t, memoryParent(t))
	own := filepath.Join(memoryParent(t), namePrefix+strings.Repeat("A", 26))
	if err := os.Mkdir(own, 0o700); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, dir string
		lock      string // what is handed over
	}{
		{"in use", h.dir, ""},
		{"not in use", own, ""},
		{"another lock", own, other},
		{"another name", other, other},
		{"missing", filepath.Join(own, "missing"), other},
	} {
		t.Run(test.name, func(t *testing.T) {
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(self, reaperArgument, test.dir)
			if test.lock != "" {
				lock, err := os.Open(test.lock)
				if err != nil {
					t.Fatal(err)
				}
				defer lock.Close()
				cmd.ExtraFiles = []*os.File{lock}
			}
			out, err := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != 2 || strings.Contains(string(out), reaperReady) {
				t.Errorf("exit code %d, %v\n%s", code, err, out)
			}
		})
	}
	if !exists(own) || !exists(other) || readFile(t, filepath.Join(h.dir, "secret")) != marker {
		t.Error("something was removed")
	}
}

func TestReapIsNotMeant(t *testing.T) {
	for _, args := range [][]string{nil, {"signet"}, {"signet", "edit", "x"}, {"signet", reaperArgument}, {"signet", "x", reaperArgument, "y"}} {
		if code, ok := Reap(args); ok {
			t.Errorf("Reap(%q) = %d, %v", args, code, ok)
		}
	}
}

// A program that does not call Reap must not be taken for a reaper.
func TestNoReaper(t *testing.T) {
	for _, program := range []string{"true", "echo", "missing program"} {
		r := &reaper{cmd: exec.Command(program)}
		if err := r.start(); err == nil {
			t.Errorf("%s is taken for a reaper", program)
		}
	}
}
