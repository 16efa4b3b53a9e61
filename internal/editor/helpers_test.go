// SPDX-License-Identifier: Apache-2.0

//go:build linux

package editor

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/foreground"
	"github.com/signet-secrets/signet/internal/memfile"
	"github.com/signet-secrets/signet/internal/testtool"
)

// marker stands for plaintext.
const marker = testtool.Plaintext

// parentVariable makes the test binary a program that has a file edited, in the
// directory that it names or, if that is "memory", in memory.
const parentVariable = "EDITOR_TEST_PARENT"

// moreVariable is more text for it, behind the marker.
const moreVariable = "EDITOR_TEST_MORE"

func TestMain(m *testing.M) {
	if code, ok := memfile.Reap(os.Args); ok {
		os.Exit(code)
	}
	if parent := os.Getenv(parentVariable); parent != "" {
		os.Exit(edit(parent))
	}
	os.Exit(m.Run())
}

// edit is what a command that edits a file does.
func edit(parent string) int {
	chosen, err := Choose(os.Getenv, false)
	if err != nil {
		fmt.Println("error:", err)
		return 1
	}
	dir, err := memfile.New(memfile.Options{Parents: []string{parent}})
	if err != nil {
		fmt.Println("error:", err)
		return 1
	}
	code := editIn(dir, chosen)
	if err := dir.Wipe(); err != nil {
		fmt.Println("error:", err)
		return 1
	}
	return code
}

func editIn(dir *memfile.Dir, chosen *Editor) int {
	file, err := dir.WriteFile("db.yaml", []byte("password: "+marker+"\n"+os.Getenv(moreVariable)), 0o600)
	if err != nil {
		fmt.Println("error:", err)
		return 1
	}
	err = chosen.Run(dir.Path(), file, Streams{os.Stdin, os.Stdout, os.Stderr})
	interrupted, ended := (*foreground.InterruptedError)(nil), (*ExitError)(nil)
	switch {
	case errors.As(err, &interrupted):
		fmt.Println("\r\ninterrupted")
		return 10
	case errors.As(err, &ended):
		fmt.Println("\r\n" + err.Error())
		return 11
	case err != nil:
		fmt.Println("error:", err)
		return 1
	}
	text, err := dir.ReadFile("db.yaml", 1<<20)
	if err != nil {
		fmt.Println("error:", err)
		return 1
	}
	if bytes.Contains(text, []byte("added")) {
		return 42
	}
	return 43
}

// session is a parent with an editor on a terminal.
type session struct {
	*testtool.Terminal
	cmd    *exec.Cmd
	home   string
	memory string // where the parent makes its directory
}

// newSession prepares a session; what trace adds to the command line stands
// before it.
func newSession(t *testing.T, editor string, home fs.FS, trace ...string) *session {
	t.Helper()
	s := &session{home: t.TempDir()}
	memory, err := os.MkdirTemp("/dev/shm", "editor-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		testtool.NoneLeft(t, "HOME="+s.home)
		os.RemoveAll(memory)
	})
	s.memory = memory
	if err := os.CopyFS(s.home, home); err != nil {
		t.Fatal(err)
	}
	s.fillIn(t, ".config/nano/nanorc")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append(trace, self)
	s.cmd = exec.Command(args[0], args[1:]...)
	s.cmd.Dir = filepath.Join(s.home, "work")
	tmp := filepath.Join(s.home, "tmp")
	for _, dir := range []string{s.cmd.Dir, tmp} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s.cmd.Env = []string{
		parentVariable + "=" + s.memory, "SIGNET_EDITOR=" + strings.ReplaceAll(editor, "~", s.home), "HOME=" + s.home, "TMPDIR=" + tmp,
		"PATH=" + os.Getenv("PATH"), "XDG_CONFIG_HOME=" + filepath.Join(s.home, ".config"), "TERM=xterm", "LANG=C.UTF-8", "SHELL=/bin/sh",
	}
	return s
}

// fillIn writes the home directory into a file of it, for nano, which looks up
// that of root itself.
func (s *session) fillIn(t *testing.T, name string) {
	t.Helper()
	path := filepath.Join(s.home, name)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = os.WriteFile(path, bytes.ReplaceAll(text, []byte("HOMEDIR"), []byte(s.home)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// start runs it on a terminal, in a session of its own.
func (s *session) start(t *testing.T) {
	t.Helper()
	s.Terminal = testtool.OnTerminal(t, s.cmd, 24, 80)
}

// checkGone waits until nothing is in memory, and looks for plaintext in what is
// left on the disk.
func (s *session) checkGone(t *testing.T) {
	t.Helper()
	eventually(t, "nothing is in "+s.memory, func() bool {
		entries, err := os.ReadDir(s.memory)
		return err == nil && len(entries) == 0
	})
	for _, path := range testtool.PlaintextFiles(t, s.home) {
		t.Errorf("plaintext is in %s", path)
	}
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
