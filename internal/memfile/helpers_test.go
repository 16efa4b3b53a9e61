// SPDX-License-Identifier: Apache-2.0

//go:build linux

package memfile

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// marker stands for plaintext.
const marker = "correct horse battery staple"

// roleVariable makes the test binary another program: see TestMain.
const roleVariable = "MEMFILE_TEST_ROLE"

func TestMain(m *testing.M) {
	if code, ok := Reap(os.Args); ok {
		os.Exit(code)
	}
	role, argument, _ := strings.Cut(os.Getenv(roleVariable), ":")
	switch role {
	case "":
		os.Exit(m.Run())
	case "hold":
		holdUntilInput(argument)
	case "limits":
		printLimits()
	case "small":
		fillSmallStorage(argument)
	}
}

// holdUntilInput makes a directory with a file, says where and which process is
// its reaper, and wipes it when its input ends.
func holdUntilInput(parent string) {
	d, err := New(Options{Parents: []string{parent}})
	if err == nil {
		_, err = d.WriteFile("secret", []byte(marker), 0o600)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(d.Path(), d.reaper.cmd.Process.Pid)
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := d.Wipe(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// holder is a process that holds a directory.
type holder struct {
	cmd    *exec.Cmd
	input  io.Closer
	dir    string
	reaper int
}

// startHolder starts one in a process group of its own.
func startHolder(t *testing.T, parent string) *holder {
	t.Helper()
	h := &holder{cmd: role(t, "hold:"+parent)}
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := h.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	h.input = in
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = h.cmd.Process.Kill()
		_ = h.cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	dir, pid, ok := strings.Cut(strings.TrimSpace(line), " ")
	if h.reaper, _ = strconv.Atoi(pid); err != nil || !ok || h.reaper == 0 {
		t.Fatalf("holder printed %q, %v, want a directory and a process ID", line, err)
	}
	h.dir = dir
	if got := readFile(t, filepath.Join(dir, "secret")); got != marker {
		t.Fatalf("the file holds %q", got)
	}
	return h
}

// role is this test binary as another program.
func role(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), roleVariable+"="+name)
	return cmd
}

// memoryParent is a directory in memory for one test.
func memoryParent(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "memfile-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// diskParent is a directory that is not in memory, which that for temporary files
// may be.
func diskParent(t *testing.T) string {
	t.Helper()
	for _, parent := range []string{os.TempDir(), "/var/tmp", "."} {
		dir, err := os.MkdirTemp(parent, "memfile-test-")
		if err != nil {
			continue
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		if dir, err = filepath.Abs(dir); err != nil {
			t.Fatal(err)
		}
		if onDisk(t, dir) {
			return dir
		}
	}
	t.Fatal("no directory on a disk: that for temporary files, /var/tmp and this one are in memory")
	return ""
}

func onDisk(t *testing.T, dir string) bool {
	t.Helper()
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := storageOf(f)
	return err == nil && !s.memory
}

func newDir(t *testing.T, o Options) *Dir {
	t.Helper()
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Wipe() })
	return d
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func writeFile(t *testing.T, path, text string, perm fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, perm); err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func isEmpty(t *testing.T, dir string) bool {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries) == 0
}

// eventually waits until check returns true.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !check(); {
		if time.Now().After(deadline) {
			t.Fatalf("no sign of this within a minute: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// running tells whether a process runs.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
