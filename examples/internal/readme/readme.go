// SPDX-License-Identifier: Apache-2.0

// Package readme runs the commands of a README literally, so that what an
// example tells its readers to type works.
//
//	s := readme.Start(t, "signet", "kustomize")
//	s.Follow(t, readme.Blocks{Run: 3, Cluster: 1})
//
// A Scratch is a Git repository with the files of the example, a home directory
// without keys, and a PATH with the programs that are asked for. All blocks of
// shell commands run there, one after the other in one shell, but for those that
// are introduced by a line such as "On a cluster:".
//
// The package does not start clusters and calls no cloud: of a block for them only
// the command lines are looked at, whether signet and kubectl know such flags.
package readme

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/testtool"
)

// Scratch is a Git repository in which the commands of a README run.
type Scratch struct {
	Dir          string   // the repository
	Env          []string // "KEY=value", for all commands
	bin, kubectl string
}

// Start makes a scratch repository with the files of the example in the working
// directory, README.md, Go files and modules excepted. programs are names of
// directories in cmd, which are built, or in internal/testbin. The test is
// isolated as by testtool.Isolate.
func Start(t testing.TB, programs ...string) *Scratch {
	t.Helper()
	top := t.TempDir()
	s := &Scratch{Dir: filepath.Join(top, "repository"), bin: filepath.Join(top, "bin")}
	for _, dir := range []string{s.Dir, s.bin} {
		must(t, os.Mkdir(dir, 0o755))
	}
	for _, p := range programs {
		s.provide(t, p)
	}
	s.kubectl = testtool.Path(t, "kubectl")
	testtool.Isolate(t)
	s.Env = []string{
		"PATH=" + s.bin + string(os.PathListSeparator) + os.Getenv("PATH"),
		"AWS_EC2_METADATA_DISABLED=true", "KUBECONFIG=" + os.DevNull,
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com",
		"GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com",
	}
	s.copyExample(t)
	s.Must(t, "git init -q -b main")
	return s
}

// provide puts a program into PATH.
func (s *Scratch) provide(t testing.TB, name string) {
	t.Helper()
	root := testtool.Root(t)
	if _, err := os.Stat(filepath.Join(root, "cmd", name)); err != nil {
		must(t, os.Symlink(testtool.Path(t, name), filepath.Join(s.bin, name)))
		return
	}
	built := testtool.Run(t, testtool.Cmd{
		Path: "go", Args: []string{"build", "-o", s.bin + string(os.PathSeparator), "./cmd/" + name},
		Dir: root, Timeout: 10 * time.Minute,
	})
	if built.ExitCode != 0 {
		t.Fatalf("go build ./cmd/%s: %s", name, built.Stderr)
	}
}

func (s *Scratch) copyExample(t testing.TB) {
	t.Helper()
	must(t, filepath.WalkDir(".", func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
				return filepath.SkipDir // a module of its own, for tests
			}
			return os.MkdirAll(filepath.Join(s.Dir, path), 0o755)
		}
		info, err := e.Info()
		if err != nil || strings.HasSuffix(path, ".go") || path == "README.md" {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(s.Dir, path), content, info.Mode().Perm())
	}))
}

// Run runs a script of bash in the repository. It ends at the first command
// that fails, in a pipe too.
func (s *Scratch) Run(t testing.TB, script string, stdin ...byte) testtool.Result {
	t.Helper()
	return testtool.Run(t, testtool.Cmd{
		Path: "bash", Args: []string{"-euo", "pipefail", "-c", script}, Dir: s.Dir, Env: s.Env, Stdin: stdin, Timeout: 15 * time.Minute,
	})
}

// Must is Run for a script that has to succeed. It returns what it printed.
func (s *Scratch) Must(t testing.TB, script string, stdin ...byte) string {
	t.Helper()
	r := s.Run(t, script, stdin...)
	if r.ExitCode != 0 {
		t.Fatalf("exit code %d of\n%s\nstdout:\n%.3000s\nstderr:\n%.3000s", r.ExitCode, script, r.Stdout, r.Stderr)
	}
	return string(r.Stdout)
}

// Fails is Run for a script that must fail, print nothing on stdout, and say
// the reason and all of parts on stderr.
func (s *Scratch) Fails(t testing.TB, script, reason string, parts ...string) {
	t.Helper()
	r := s.Run(t, script)
	if r.ExitCode == 0 || len(r.Stdout) > 0 {
		t.Errorf("exit code %d, %d bytes on stdout of\n%s", r.ExitCode, len(r.Stdout), script)
	}
	for _, part := range append([]string{reason}, parts...) {
		if !strings.Contains(string(r.Stderr), part) {
			t.Errorf("stderr of\n%s\nlacks %q:\n%.3000s", script, part, r.Stderr)
		}
	}
}

// Read returns a file of the repository.
func (s *Scratch) Read(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(s.Dir, name))
	must(t, err)
	return string(content)
}

// Write writes a file of the repository, and its directory.
func (s *Scratch) Write(t testing.TB, name, content string) {
	t.Helper()
	path := filepath.Join(s.Dir, name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(content), 0o644))
}

// Hidden fails the test if a value, or its base64, is in a file of the
// repository or anywhere in its history.
func (s *Scratch) Hidden(t testing.TB, values ...string) {
	t.Helper()
	s.Must(t, "git add -A && git commit -qm 'what is left' --allow-empty")
	history := s.Must(t, "git log -p --all --text")
	for _, v := range values {
		for _, form := range forms(v) {
			if bytes.Contains([]byte(history), []byte(form)) {
				t.Errorf("the repository holds a value of %d bytes", len(v))
			}
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// shell checks that a script is one, without running it.
func shell(t testing.TB, script string) {
	t.Helper()
	if out, err := exec.Command("bash", "-n", "-c", script).CombinedOutput(); err != nil {
		t.Errorf("no shell commands:\n%s\n%s", script, out)
	}
}
