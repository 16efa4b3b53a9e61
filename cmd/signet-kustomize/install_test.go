// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/testtool"
)

// installed lists what lies in a folder, with modes, and fails the test for a
// file that is not this program.
func installed(t *testing.T, dir string) []string {
	t.Helper()
	program := readFile(t, self(t))
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		all = append(all, fmt.Sprintf("%s %v", rel, info.Mode()))
		if readFile(t, path) != program {
			t.Errorf("%s is another program", rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestInstall(t *testing.T) {
	isolate(t)
	plugins := []string{
		"kustomize/plugin/signet.dev/v1alpha1/sealedsecret/SealedSecret -rwxr-xr-x",
		"kustomize/plugin/signet.dev/v1alpha1/unseal/Unseal -rwxr-xr-x",
		"kustomize/plugin/viaduct.ai/v1/ksops/ksops -rwxr-xr-x",
	}
	tests := []struct {
		name   string
		args   []string
		before func(t *testing.T)
		want   []string
	}{
		{"new folder", []string{"a/b"}, func(*testing.T) {}, []string{"a/b/signet-kustomize -rwxr-xr-x"}},
		{"folder like a flag", []string{"--", "--legacy"}, func(*testing.T) {}, []string{"--legacy/signet-kustomize -rwxr-xr-x"}},
		{"over an old one", []string{"."}, func(t *testing.T) { writeFile(t, "signet-kustomize", "old", 0o600) }, []string{"signet-kustomize -rwxr-xr-x"}},
		{"over one with another mode", []string{"."}, func(t *testing.T) { writeFile(t, "signet-kustomize", readFile(t, self(t)), 0o600) }, []string{"signet-kustomize -rwxr-xr-x"}},
		{"over a part", []string{"."}, func(t *testing.T) { writeFile(t, "signet-kustomize", readFile(t, self(t))[:4096], 0o755) }, []string{"signet-kustomize -rwxr-xr-x"}},
		{"over one of the same size", []string{"."}, func(t *testing.T) {
			other := []byte(readFile(t, self(t)))
			other[len(other)-1]++
			writeFile(t, "signet-kustomize", string(other), 0o600)
			if err := os.Chmod("signet-kustomize", 0o755); err != nil {
				t.Fatal(err)
			}
		}, []string{"signet-kustomize -rwxr-xr-x"}},
		{"legacy", []string{"--legacy", "."}, func(*testing.T) {}, plugins},
		{"legacy, flag last", []string{".", "--legacy"}, func(*testing.T) {}, plugins},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			test.before(t)
			o := runProgram(t, "", append([]string{"install"}, test.args...)...)
			if o.code != 0 || o.stdout != "" || !strings.Contains(o.stderr, ": installed\n") {
				t.Fatalf("%+v", o)
			}
			if diff := cmp.Diff(test.want, installed(t, dir)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			before := states(t, dir)
			if o := runProgram(t, "", append([]string{"install"}, test.args...)...); o != (outcome{}) {
				t.Errorf("the second time: %+v", o)
			}
			if diff := cmp.Diff(before, states(t, dir)); diff != "" {
				t.Errorf("the second time: -before +after:\n%s", diff)
			}
		})
	}
}

// states lists inodes and times: what changes when anything is written.
func states(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		all = append(all, fmt.Sprint(path, info.Sys().(*syscall.Stat_t).Ino, info.ModTime()))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The plugins are one file, so that an image grows by one copy only; a link to
// elsewhere in the place of a target is replaced, not followed.
func TestInstallLinks(t *testing.T) {
	isolate(t)
	writeFile(t, "elsewhere", "precious", 0o600)
	plugins := targets(".", true)
	for _, target := range plugins {
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join("..", "..", "..", "..", "..", "..", "elsewhere"), target); err != nil {
			t.Fatal(err)
		}
	}
	if o := runProgram(t, "", "install", "--legacy", "."); o.code != 0 {
		t.Fatalf("%+v", o)
	}
	if readFile(t, "elsewhere") != "precious" {
		t.Error("a link was followed")
	}
	first, err := os.Lstat(plugins[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range plugins {
		if info, err := os.Lstat(target); err != nil || !os.SameFile(first, info) {
			t.Errorf("%s is a copy: %v", target, err)
		}
	}
}

// unprivileged runs this program as somebody who is not root.
func unprivileged(t *testing.T, dir string, args ...string) outcome {
	t.Helper()
	cmd := exec.Command(filepath.Join(dir, "program"), args...)
	cmd.Env, cmd.Dir = append(os.Environ(), roleVariable+"=", "GOCOVERDIR="+anyonesFolder(t)), dir
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	var out, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &stderr
	_ = cmd.Run()
	return outcome{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// anyonesFolder is where every user may write, as go test -cover makes programs
// do.
func anyonesFolder(t *testing.T) string {
	t.Helper()
	dir := publicDir(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestInstallRefused(t *testing.T) {
	isolate(t)
	t.Run("not writable", func(t *testing.T) {
		dir := publicDir(t)
		writeFile(t, filepath.Join(dir, "program"), readFile(t, self(t)), 0o755)
		writeFile(t, filepath.Join(dir, "target", program), "old", 0o644)
		if err := os.Chmod(filepath.Join(dir, "target"), 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(filepath.Join(dir, "target"), 0o755) })
		unprivileged(t, dir, "install", "target").failed(t, exitcode.Failed,
			"error: target/signet-kustomize: install: permission denied\n", "hint: name a directory that you may write to")
		if got := readFile(t, filepath.Join(dir, "target", program)); got != "old" {
			t.Errorf("%d bytes in the place of the old file", len(got))
		}
	})
	t.Run("no folder", func(t *testing.T) {
		writeFile(t, "file", "", 0o600)
		runProgram(t, "", "install", "file").failed(t, exitcode.Failed, "error: file/signet-kustomize: install: not a directory\n")
	})
	t.Run("a folder in its place", func(t *testing.T) {
		writeFile(t, "full/signet-kustomize/file", "", 0o600)
		runProgram(t, "", "install", "full").failed(t, exitcode.Failed, "error: full/signet-kustomize: install: file exists\n")
		if entries, err := os.ReadDir("full"); err != nil || len(entries) != 1 {
			t.Errorf("left behind: %v, %v", entries, err)
		}
	})
}

// publicDir is a folder that every user may look into.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "signet-kustomize-test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestInstallDiskFull(t *testing.T) {
	isolate(t)
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=1m,mode=0700"); err != nil {
		t.Skipf("a small file system needs the right to mount: %v; TestInstallFileSizeLimit does not", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, 0) })
	writeFile(t, filepath.Join(disk, program), "old", 0o755)
	runProgram(t, "", "install", disk).failed(t, exitcode.Failed, "install: no space left on device\n", "hint: the disk is full; what was there is as it was")
	onlyOld(t, disk)
}

// A limit for the size of files acts in the middle of a write.
func TestInstallFileSizeLimit(t *testing.T) {
	dir := isolate(t)
	writeFile(t, program, "old", 0o755)
	r := testtool.Run(t, testtool.Cmd{Path: "bash", Env: []string{roleVariable + "="}, Args: []string{"-c", `ulimit -f 8; exec "$@"`, "bash", self(t), "install", "."}})
	outcome{r.ExitCode, string(r.Stdout), string(r.Stderr)}.failed(t, exitcode.Failed, "install: file too large\n")
	onlyOld(t, dir)
}

// onlyOld checks that a folder holds nothing but the old file.
func onlyOld(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || readFile(t, filepath.Join(dir, program)) != "old" {
		t.Errorf("%v, %v", entries, err)
	}
}

// A process that ends in the middle of copying leaves the target as it was: what
// is there, or nothing. It copies from a pipe, so that the test knows where the
// middle is.
func TestInstallInterrupted(t *testing.T) {
	for _, row := range []struct {
		name    string
		signal  syscall.Signal
		old     bool
		remains int // temporary files
	}{
		{"killed, nothing there", syscall.SIGKILL, false, 1},
		{"killed, old file there", syscall.SIGKILL, true, 1},
		{"terminated, old file there", syscall.SIGTERM, true, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			isolate(t)
			pipe, target := filepath.Join(t.TempDir(), "pipe"), filepath.Join("bin", program)
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			if row.old {
				writeFile(t, target, "old", 0o755)
			}
			cmd := exec.Command(self(t), pipe, target)
			cmd.Env = append(os.Environ(), roleVariable+"=copy")
			cmd.Stderr = t.Output()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cmd.Process.Kill() }()
			source, err := os.OpenFile(pipe, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer source.Close()
			if _, err := io.WriteString(source, strings.Repeat("x", 1<<20)); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the copy has begun", func() bool { return len(temporary(t)) == 1 && size(temporary(t)[0]) > 0 })
			if err := cmd.Process.Signal(row.signal); err != nil {
				t.Fatal(err)
			}
			if row.signal == syscall.SIGTERM { // it notices between two reads
				for _, err := source.Write([]byte("x")); err == nil; {
					_, err = source.Write([]byte("x"))
				}
			}
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code == 0 {
				t.Error("exit 0")
			}
			switch text, err := os.ReadFile(target); {
			case row.old && string(text) != "old":
				t.Errorf("%d bytes in the place of the old file, %v", len(text), err)
			case !row.old && err == nil:
				t.Errorf("a file of %d bytes", len(text))
			}
			if left := temporary(t); len(left) != row.remains {
				t.Errorf("temporary files: %q", left)
			}
		})
	}
}

func temporary(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("bin/.signet-kustomize-*.tmp")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// Where the file system has no links, each plugin is a copy.
func TestInstallWithoutLinks(t *testing.T) {
	isolate(t)
	writeFile(t, "source", "program", 0o755)
	if err := link("missing", "a"); err == nil {
		t.Error("a link to what is not there")
	}
	other, err := os.MkdirTemp("/dev/shm", "signet-kustomize-test")
	if err != nil {
		t.Skipf("needs a second file system: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(other) })
	c := copies{ctx: t.Context(), source: "source", notes: report.Printer{Program: program, W: io.Discard}}
	if _, err := c.all([]string{filepath.Join(other, "first"), "here"}); err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, "here"); got != "program" {
		t.Errorf("%d bytes", len(got))
	}
}

func TestCopyInterrupted(t *testing.T) {
	isolate(t)
	writeFile(t, "source", "program", 0o755)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := copies{ctx: ctx, source: "source", notes: report.Printer{W: io.Discard}}.all([]string{"target"})
	if fmt.Sprint(err) != "target: install: interrupted" {
		t.Error(err)
	}
	entries, err := os.ReadDir(".")
	if err != nil || slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() != "source" }) {
		t.Errorf("%v, %v", entries, err)
	}
}
