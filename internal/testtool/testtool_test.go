// SPDX-License-Identifier: Apache-2.0

package testtool

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestPathRunsStockPrograms(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"sops", []string{"--version", "--disable-version-check"}, "sops 3.13.3\n"},
		{"kustomize", []string{"version"}, "v5.8.1\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := Path(t, test.name)
			if again := Path(t, test.name); again != path {
				t.Errorf("second call returned %q, first %q", again, path)
			}
			if rel, err := filepath.Rel(Root(t), path); err == nil && !strings.HasPrefix(rel, "..") {
				t.Errorf("%s lies inside the checkout", path)
			}
			got := Run(t, Cmd{Path: path, Args: test.args})
			if got.ExitCode != 0 || string(got.Stdout) != test.want {
				t.Errorf("exit code %d, stdout %q, want 0 and %q", got.ExitCode, got.Stdout, test.want)
			}
		})
	}
}

func TestBuildOfUnknownProgramFails(t *testing.T) {
	_, err := build("no-such-program", io.Discard)
	if err == nil || !strings.Contains(err.Error(), `unknown program "no-such-program"`) {
		t.Errorf("error %v, want the script's message", err)
	}
}

func TestModuleRoot(t *testing.T) {
	root := t.TempDir()
	nested := filepath.Join(root, "internal", "testbin", "sops")
	if err := os.MkdirAll(nested, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "go.mod"), "// a comment\nmodule "+modulePath+"\n")
	write(t, filepath.Join(nested, "go.mod"), "module "+modulePath+"/internal/testbin/sops\n")

	got, err := moduleRoot(nested)
	if err != nil || got != root {
		t.Errorf("moduleRoot = %q, %v, want %q", got, err, root)
	}
	if _, err := moduleRoot(t.TempDir()); err == nil {
		t.Error("moduleRoot outside the repository: no error")
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	got := Run(t, Cmd{
		Path:  "sh",
		Args:  []string{"-c", `cat; printf '%s' "$GREETING" >&2; pwd; exit 7`},
		Dir:   dir,
		Env:   []string{"GREETING=first", "GREETING=hello"},
		Stdin: []byte("input\n"),
	})
	want := "input\n" + dir + "\n"
	if string(got.Stdout) != want || string(got.Stderr) != "hello" || got.ExitCode != 7 {
		t.Errorf("stdout %q, stderr %q, exit code %d", got.Stdout, got.Stderr, got.ExitCode)
	}
	if got.Wall <= 0 {
		t.Errorf("wall %v", got.Wall)
	}
}

func TestRunMeasuresCPU(t *testing.T) {
	got := Run(t, Cmd{Path: "sh", Args: []string{"-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"}})
	if cpu := got.User + got.System; cpu < 10*time.Millisecond || cpu > 2*got.Wall {
		t.Errorf("CPU time %v of %v wall", cpu, got.Wall)
	}
}

// A child's peak must be its own, not that of the (larger) test process.
func TestRunMeasuresMemoryOfChild(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the carry-over of the parent's peak is Linux's")
	}
	ballast := make([]byte, 200<<20)
	for i := 0; i < len(ballast); i += 4096 {
		ballast[i] = 1
	}
	small := Run(t, Cmd{Path: "sleep", Args: []string{"1"}}) // long enough to be looked at
	runtime.KeepAlive(ballast)
	if small.MaxRSSBytes <= 0 || small.MaxRSSBytes > 50<<20 {
		t.Errorf("peak of sleep: %d bytes", small.MaxRSSBytes)
	}
	// The first block fills the memory, the others give time to look at it.
	large := Run(t, Cmd{Path: "dd", Args: []string{"if=/dev/zero", "of=/dev/null", "bs=300M", "count=4"}})
	if large.MaxRSSBytes < 270<<20 {
		t.Errorf("peak of dd with a 300 MiB block: %d bytes", large.MaxRSSBytes)
	}
}

// fatal lets a test see how Run fails its caller.
type fatal struct {
	testing.TB
	message string
}

func TestRunKillsAtTimeout(t *testing.T) {
	start := time.Now()
	failed := expectFatal(t, func(tb testing.TB) {
		// The sleep is a grandchild that would keep the pipes open.
		Run(tb, Cmd{Path: "sh", Args: []string{"-c", "echo started; sleep 60; true"}, Timeout: 2 * time.Second})
	})
	if !strings.Contains(failed, "killed after") || !strings.Contains(failed, "started") {
		t.Errorf("message %q", failed)
	}
	if took := time.Since(start); took > 6*time.Second { // WaitDelay is 5 s
		t.Errorf("returned after %v: the process group was not killed", took)
	}
}

func TestRunFailsWithoutProgram(t *testing.T) {
	failed := expectFatal(t, func(tb testing.TB) { Run(tb, Cmd{Path: filepath.Join(t.TempDir(), "absent")}) })
	if !strings.Contains(failed, "run absent: ") {
		t.Errorf("message %q", failed)
	}
}

func (f *fatal) Helper() {}

func (f *fatal) Fatalf(format string, args ...any) {
	f.message = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// expectFatal runs call with a TB of its own and returns what it said to
// Fatalf.
func expectFatal(t *testing.T, call func(testing.TB)) string {
	t.Helper()
	tb := &fatal{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		call(tb)
	}()
	<-done
	if tb.message == "" {
		t.Error("the call did not fail the test")
	}
	return tb.message
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
