// SPDX-License-Identifier: Apache-2.0

package testtool

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestHoldsPlaintext(t *testing.T) {
	for _, text := range []string{
		Plaintext, fmt.Sprintf("%x", Plaintext), fmt.Sprintf("%X", Plaintext), "elpats-yrettab-esroh-tcerroc",
		base64.StdEncoding.EncodeToString([]byte(Plaintext)), base64.StdEncoding.EncodeToString([]byte("password: " + Plaintext + "\n")),
		base64.StdEncoding.EncodeToString([]byte("12" + Plaintext)),
	} {
		if !HoldsPlaintext([]byte(text)) {
			t.Errorf("%q is not seen", text)
		}
	}
	if HoldsPlaintext([]byte("correct horse battery")) {
		t.Error("something else is seen")
	}
}

func TestJudgeTrace(t *testing.T) {
	for _, test := range []struct {
		name, line     string
		leak, inMemory bool
	}{
		{"to a disk", `12 write(3</home/x/.viminfo>, "a ` + Plaintext + `", 5) = 5`, true, false},
		{"to a disk, unfinished", `12 pwrite64(3</home/x/.x.swp>, "a ` + Plaintext + `" <unfinished ...>`, true, false},
		{"several pieces", `12 writev(3</home/x>, [{iov_base="a", iov_len=1}, {iov_base="` + Plaintext + `", iov_len=1}], 2) = 3`, true, false},
		{"to memory", `12 write(3</dev/shm/a/signet-X/db.yaml>, "a ` + Plaintext + `", 5) = 5`, false, true},
		{"to a directory that only looks like it", `12 write(3</dev/shm/ab>, "a ` + Plaintext + `", 5) = 5`, true, false},
		{"to the terminal", `12 write(1</dev/pts/0>, "a ` + Plaintext + `", 5) = 5`, false, false},
		{"something else", `12 write(3</home/x>, "abc", 3) = 3`, false, false},
		{"shared mapping", `12 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 5</home/x>, 0) = 0x1`, true, false},
		{"own mapping", `12 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE, 5</usr/lib/x>, 0) = 0x1`, false, false},
		{"copied out", `12 copy_file_range(3</dev/shm/a/x>, NULL, 4</home/x>, NULL, 5, 0) = 5`, true, false},
		{"copied within", `12 copy_file_range(3</dev/shm/a/x>, NULL, 4</dev/shm/a/y>, NULL, 5, 0) = 5`, false, false},
		{"a place for copies", `12 openat(AT_FDCWD</x>, "/home/x/bk/db.yaml", O_WRONLY|O_CREAT, 0600) = 3</home/x/bk/db.yaml>`, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "trace")
			write(t, file, test.line+"\n")
			leaks, inMemory := JudgeTrace(t, file, "/dev/shm/a", "/home/x/bk")
			if len(leaks) > 0 != test.leak || inMemory > 0 != test.inMemory {
				t.Errorf("leaks %q, in memory %d", leaks, inMemory)
			}
		})
	}
}

// A terminal shows what a program writes, gives it what is typed, and knows its
// child and its end.
func TestTerminal(t *testing.T) {
	cmd := exec.Command("sh", "-c", `stty size; sh -c 'echo inner; read x; echo "got $x"; read x; kill -9 $$'; exit 7`)
	s := OnTerminal(t, cmd, 24, 80)
	s.Expect("24 80")
	s.Expect("inner")
	s.Type("horse\n")
	s.Expect("got horse")
	s.See("inner")
	child := s.Child()
	if child <= 0 || child == s.PID() {
		t.Fatalf("child %d of %d", child, s.PID())
	}
	if err := syscall.Kill(child, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if code := s.Wait(); code != 7 {
		t.Errorf("exit code %d", code)
	}
}

// Without a child the test fails, instead of being told to signal process 0.
func TestTerminalWithoutChild(t *testing.T) {
	e := &complaints{TB: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s := OnTerminal(e, exec.Command("true"), 24, 80)
		s.Child()
		e.said = append(e.said, "went on")
	}()
	<-ended
	if len(e.said) != 1 || !strings.HasPrefix(e.said[0], "no child is in the session") {
		t.Errorf("said %q", e.said)
	}
}

// What a program writes last is on the screen when it has ended, however slow the
// reader is.
func TestTerminalLastWords(t *testing.T) {
	for range 20 {
		s := OnTerminal(t, exec.Command("sh", "-c", `printf %3000d 0; echo; echo last words`), 24, 80)
		if code := s.Wait(); code != 0 || !strings.HasSuffix(s.Screen(), "\nlast words\r\n") {
			t.Fatalf("exit code %d, screen %q", code, s.Screen())
		}
	}
}

// complaints collects what a test says that goes on, or that would end.
type complaints struct {
	testing.TB
	said []string
}

func (e *complaints) Helper() {}
func (e *complaints) Errorf(format string, args ...any) {
	e.said = append(e.said, fmt.Sprintf(format, args...))
}
func (e *complaints) Fatalf(format string, args ...any) {
	e.Errorf(format, args...)
	runtime.Goexit()
}

// NoneLeft sees a program that has left its parent, and waits for one that ends.
func TestNoneLeft(t *testing.T) {
	variable := "TESTTOOL_LEFT=" + t.TempDir()
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `setsid sh -c 'read x < "$0"' "$0" & `, fifo)
	cmd.Env = append(os.Environ(), variable)
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if left := runningWith(variable); len(left) == 0 {
		t.Fatal("nothing is seen that runs")
	}
	w, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteString("end\n"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	e := &complaints{TB: t}
	NoneLeft(e, variable)
	if len(e.said) > 0 {
		t.Errorf("said %s", strings.Join(e.said, "; "))
	}
}
