// SPDX-License-Identifier: Apache-2.0

//go:build linux

package memfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestNew(t *testing.T) {
	d := newDir(t, Options{})
	var s unix.Statfs_t
	if err := unix.Statfs(d.Path(), &s); err != nil {
		t.Fatal(err)
	}
	if s.Type != unix.TMPFS_MAGIC && s.Type != unix.RAMFS_MAGIC {
		t.Errorf("%s is on a file system of type %#x", d.Path(), s.Type)
	}
	info, err := os.Lstat(d.Path())
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != fs.ModeDir|0o700 || !d.InMemory() {
		t.Errorf("mode %v, in memory: %v", info.Mode(), d.InMemory())
	}
	path, err := d.WriteFile("db.yaml", []byte(marker), 0o400)
	if err != nil {
		t.Fatal(err)
	}
	if info, err = os.Stat(path); err != nil || info.Mode() != 0o400 || readFile(t, path) != marker {
		t.Errorf("file %v, %v", info, err)
	}
	for range 2 {
		if err := d.Wipe(); err != nil {
			t.Error(err)
		}
	}
	if exists(d.Path()) || running(d.reaper.cmd.Process.Pid) {
		t.Errorf("%s is there: %v; the reaper runs: %v", d.Path(), exists(d.Path()), running(d.reaper.cmd.Process.Pid))
	}
}

// An umask must neither open the directory to others nor close it to us.
func TestNewWhateverTheUmask(t *testing.T) {
	parent := memoryParent(t)
	for _, mask := range []int{0, 0o777} {
		old := syscall.Umask(mask)
		d, err := New(Options{Parents: []string{parent}})
		syscall.Umask(old)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Lstat(d.Path()); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("umask %#o: %v, %v", mask, info, err)
		}
		if err := d.Wipe(); err != nil {
			t.Error(err)
		}
	}
}

func TestNewPassesOver(t *testing.T) {
	good := memoryParent(t)
	open := memoryParent(t)
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	writeFile(t, file, "", 0o600)
	tests := []struct{ name, parent, want string }{
		{"disk", diskParent(t), "is not in memory (a file system of type 0x"},
		{"missing", filepath.Join(good, "missing"), "no such file or directory"},
		{"a file", file, "is not a directory"},
		{"others could exchange it", open, "others may write to it, and it has no sticky bit"},
		{"nothing may be made", "/proc", ""}, // the cause depends on who asks
	}
	if os.Getuid() == 0 {
		foreign := memoryParent(t)
		if err := os.Chown(foreign, 65534, -1); err != nil {
			t.Fatal(err)
		}
		tests = append(tests, struct{ name, parent, want string }{"of another user", foreign, "belongs to another user (65534)"})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := New(Options{Parents: []string{test.parent}})
			failed := (*NoMemoryError)(nil)
			if !errors.As(err, &failed) || len(failed.Tried) != 1 || !strings.Contains(err.Error(), test.parent+": "+test.want) {
				t.Fatalf("error %v, want that %s %s", err, test.parent, test.want)
			}
			if info, err := os.Stat(test.parent); err == nil && info.IsDir() && test.parent != "/proc" && !isEmpty(t, test.parent) {
				t.Error("something was left there")
			}
			d := newDir(t, Options{Parents: []string{test.parent, test.parent, good}})
			if got := filepath.Dir(d.Path()); got != good {
				t.Errorf("made in %s, want %s", got, good)
			}
		})
	}
}

func TestNoMemoryAtAll(t *testing.T) {
	_, err := New(Options{Parents: []string{}})
	if failed := (*NoMemoryError)(nil); !errors.As(err, &failed) || err.Error() != "no directory in memory is known on linux" {
		t.Errorf("error %v", err)
	}
}

func TestSystemParents(t *testing.T) {
	user := fmt.Sprintf("/run/user/%d", os.Geteuid())
	for runtime, want := range map[string][]string{
		"":       {"/dev/shm", user},
		"/run/x": {"/run/x", "/dev/shm", user},
	} {
		got := systemParents(func(string) string { return runtime })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// A directory that the user names is taken as it is, and nothing else.
func TestNewInTempDir(t *testing.T) {
	disk := diskParent(t)
	d := newDir(t, Options{TempDir: disk})
	if d.InMemory() || d.Swap() != nil || filepath.Dir(d.Path()) != disk {
		t.Errorf("%s, in memory: %v", d.Path(), d.InMemory())
	}
	if _, err := d.WriteFile("secret", []byte(marker), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Wipe(); err != nil || !isEmpty(t, disk) {
		t.Errorf("Wipe: %v; empty: %v", err, isEmpty(t, disk))
	}
	_, err := New(Options{TempDir: filepath.Join(disk, "missing"), Parents: []string{"/dev/shm"}})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want that it does not exist", err)
	}
}

// The parent may be a link, as /dev/shm is on some systems; the path has none.
func TestPathHasNoLink(t *testing.T) {
	parent := memoryParent(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(parent, link); err != nil {
		t.Fatal(err)
	}
	if d := newDir(t, Options{Parents: []string{link}}); filepath.Dir(d.Path()) != parent {
		t.Errorf("path %s, want one in %s", d.Path(), parent)
	}
}

func TestWriteFileRefuses(t *testing.T) {
	d := newDir(t, Options{})
	outside := filepath.Join(t.TempDir(), "outside")
	if _, err := d.WriteFile("taken", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(d.Path(), "link")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, file string }{
		{"taken", "taken"},
		{"symbolic link", "link"},
		{"folder", "a/b"},
		{"outside", "../outside"},
		{"absolute", outside},
		{"itself", "."},
		{"parent", ".."},
		{"empty", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			path, err := d.WriteFile(test.file, []byte(marker), 0o600)
			if err == nil || path != "" || strings.Contains(err.Error(), marker) {
				t.Errorf("WriteFile(%q) = %q, %v", test.file, path, err)
			}
		})
	}
	if exists(outside) || readFile(t, filepath.Join(d.Path(), "taken")) != "" {
		t.Error("it was written even so")
	}
}

func TestReadFile(t *testing.T) {
	d := newDir(t, Options{})
	outside := filepath.Join(t.TempDir(), "outside")
	writeFile(t, outside, marker, 0o600)
	if _, err := d.WriteFile("file", []byte("123456"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Symlink(outside, filepath.Join(d.Path(), "link")), syscall.Mkfifo(filepath.Join(d.Path(), "pipe"), 0o600)); err != nil {
		t.Fatal(err)
	}
	// Most editors write another file and rename it.
	writeFile(t, filepath.Join(d.Path(), "file~"), "654321", 0o600)
	if err := os.Rename(filepath.Join(d.Path(), "file~"), filepath.Join(d.Path(), "file")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, file string
		limit      int64
		want       string
	}{
		{"replaced", "file", 6, ""},
		{"too large", "file", 5, "is larger than 5 bytes"},
		{"symbolic link", "link", 100, "is not a regular file"},
		{"named pipe", "pipe", 100, "is not a regular file"},
		{"missing", "missing", 100, "no such file or directory"},
		{"outside", "../x", 100, "is no file name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			data, err := d.ReadFile(test.file, test.limit)
			switch {
			case test.want == "" && (err != nil || string(data) != "654321"):
				t.Errorf("%q, %v", data, err)
			case test.want != "" && (err == nil || !strings.HasSuffix(err.Error(), test.want)):
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

// To write a file anew it is removed first.
func TestRemove(t *testing.T) {
	d := newDir(t, Options{})
	for range 2 {
		if _, err := d.WriteFile("file", []byte(marker), 0o400); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time there is nothing
			if err := d.Remove("file"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := d.Remove("../x"); err == nil {
		t.Error("a file outside is no error")
	}
}

// TestNoSpace fills a file system of 64 KiB, as containers have a small /dev/shm.
func TestNoSpace(t *testing.T) {
	cmd := role(t, "small:"+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{ // also for root, who may not mount anything in a container
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if string(out) != "write large: full: true, left: [small]\n" {
		t.Errorf("output %q", out)
	}
}

func fillSmallStorage(dir string) {
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k,mode=700"); err != nil {
		fmt.Println("mount:", err)
		os.Exit(1)
	}
	d, err := New(Options{Parents: []string{dir}})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	_, small := d.WriteFile("small", []byte(marker), 0o600)
	_, large := d.WriteFile("large", make([]byte, 1<<20), 0o600)
	entries, _ := os.ReadDir(d.Path())
	var left []string
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	if err := errors.Join(small, d.Wipe()); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("write large: full: %v, left: %v\n", errors.Is(large, ErrFull), left)
}
