// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/testtool"
)

// smallDisk mounts a file system of the given size, or skips the test.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", bytes)); err != nil {
		t.Skipf("a small file system needs the right to mount (%v); TestKillFileSizeLimit does not", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
	return dir
}

// checkUnharmed checks that a command failed because it could not write, and
// left the files as they were or complete.
func checkUnharmed(t *testing.T, r testtool.Result, dir string, old fileSet, wants ...string) {
	t.Helper()
	stderr := string(r.Stderr)
	if r.ExitCode != exitcode.Failed || len(r.Stdout) != 0 {
		t.Errorf("exit %d, %d bytes on stdout", r.ExitCode, len(r.Stdout))
	}
	for _, want := range append(wants, "signet: error: ", ": write: ") {
		if !strings.Contains(stderr, want) {
			t.Errorf("stderr must contain %q:\n%s", want, stderr)
		}
	}
	if strings.Contains(stderr, "goroutine") || strings.Contains(stderr, "SIGXFSZ") {
		t.Errorf("a trace:\n%s", stderr)
	}
	now := readTree(t, dir)
	kept := 0
	for name, text := range now {
		switch was, known := old[name]; {
		case known && text == was:
			kept++
		case !known || !strings.Contains(text, "kind: SealedSecret") || !strings.HasSuffix(text, "    type: Opaque\n"):
			t.Errorf("%s is neither old nor complete:\n%s", name, text)
		}
	}
	if len(now) != len(old) || kept == 0 {
		t.Errorf("%d of %d files are left, %d as they were", len(now), len(old), kept)
	}
}

// A disk that gets full fails the command and harms nothing.
func TestKillDiskFull(t *testing.T) {
	program := buildSignet(t)
	home := isolate(t)
	key := newKeyFile(t)
	disk := smallDisk(t, 64<<10)
	old := fileSet{}
	for i := range 12 { // each takes a page, sealed two
		old[fmt.Sprintf("s%d.yaml", i)] = fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: s%d, namespace: prod}\nstringData: {a: %s}\n", i, strings.Repeat(killMarker, 180))
	}
	files := filepath.Join(disk, "files")
	old.write(t, files)
	run := func(args ...string) testtool.Result {
		return testtool.Run(t, testtool.Cmd{Path: program, Args: args, Dir: home, Env: []string{"SOPS_AGE_KEY_FILE=" + key.path}})
	}
	t.Run("seal in place", func(t *testing.T) {
		r := run("seal", "-a", key.recipient, "-i", files)
		checkUnharmed(t, r, files, old, "no space left on device", "signet: hint: the disk is full")
	})
	t.Run("seal over a file", func(t *testing.T) {
		old := fileSet{"old.yaml": "old: file\n", "filler": strings.Repeat("x", 40<<10)}
		old.write(t, files)
		writeTestFile(t, "in.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: prod}\nstringData: {a: "+strings.Repeat("y", 40<<10)+"}\n")
		r := run("seal", "-a", key.recipient, "in.yaml", "-o", filepath.Join(files, "old.yaml"))
		checkUnharmed(t, r, files, old, "no space left on device")
		r = run("seal", "-a", key.recipient, "in.yaml", "-o", filepath.Join(files, "new.yaml"))
		checkUnharmed(t, r, files, old, "no space left on device")
	})
	t.Run("unseal over a file", func(t *testing.T) {
		old := fileSet{"old.yaml": "old: file\n", "filler": strings.Repeat("x", 40<<10)}
		old.write(t, files)
		if r := run("seal", "-a", key.recipient, "in.yaml", "-o", "sealed.yaml"); r.ExitCode != 0 {
			t.Fatalf("%s", r.Stderr)
		}
		r := run("unseal", "sealed.yaml", "-o", filepath.Join(files, "old.yaml"))
		checkUnharmed(t, r, files, old, "no space left on device")
	})
	t.Run("key", func(t *testing.T) {
		fileSet{"filler": strings.Repeat("x", 64<<10)}.write(t, files)
		r := run("key", "generate", "-o", filepath.Join(files, "keys.txt"))
		if r.ExitCode != exitcode.Failed || !strings.Contains(string(r.Stderr), "no space left on device") {
			t.Errorf("exit %d\n%s", r.ExitCode, r.Stderr)
		}
		if _, err := os.Stat(filepath.Join(files, "keys.txt")); err == nil {
			t.Error("half of a key was left")
		}
	})
}

// A limit for the size of files acts in the middle of a write.
func TestKillFileSizeLimit(t *testing.T) {
	program := buildSignet(t)
	home := isolate(t)
	key := newKeyFile(t)
	old := fileSet{}
	for i := range 3 {
		old[fmt.Sprintf("s%d.yaml", i)] = fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: s%d, namespace: prod}\nstringData: {a: %s}\n", i, strings.Repeat(killMarker, 1+2000*i))
	}
	files := filepath.Join(home, "files")
	old.write(t, files)
	r := testtool.Run(t, testtool.Cmd{Path: "bash", Dir: home, Args: []string{"-c", `ulimit -f 8; exec "$@"`, "bash", program, "seal", "-a", key.recipient, "-i", files}})
	checkUnharmed(t, r, files, old, "file too large")
}
