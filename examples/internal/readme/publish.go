// SPDX-License-Identifier: Apache-2.0

package readme

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/testtool"
)

// Publish has git find the files of this checkout under a URL: those of the work
// tree, committed or not, as one commit. What is built of a clone uses the caches
// of the go command that the test uses.
func (s *Scratch) Publish(t testing.TB, url string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "published")
	must(t, os.Mkdir(dir, 0o755))
	root := testtool.Root(t)
	for name := range strings.SplitSeq(output(t, root, "git", "ls-files", "-co", "--exclude-standard", "-z"), "\x00") {
		if name != "" {
			copyFile(t, filepath.Join(root, filepath.FromSlash(name)), filepath.Join(dir, filepath.FromSlash(name)))
		}
	}
	commit := []string{"-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-qm", "the checkout"}
	output(t, dir, "git", "init", "-q", "-b", "main")
	output(t, dir, "git", "add", "-A", "--force")
	output(t, dir, "git", commit...)
	s.Env = append(s.Env, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url."+dir+".insteadOf", "GIT_CONFIG_VALUE_0="+url)
}

// GoCaches gives the commands of s the caches of the go command, whose places go
// by the home directory. Call it before Start, which changes that.
func GoCaches(t testing.TB) []string {
	t.Helper()
	env := []string{"MAKEFLAGS=", "MAKELEVEL=", "MFLAGS="} // of the make that runs the tests
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH"} {
		env = append(env, name+"="+strings.TrimSpace(output(t, "", "go", "env", name)))
	}
	return env
}

// output runs a program in a directory, which must succeed, and returns its
// stdout.
func output(t testing.TB, dir, program string, args ...string) string {
	t.Helper()
	r := testtool.Run(t, testtool.Cmd{Path: program, Args: args, Dir: dir, Env: []string{"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1"}})
	if r.ExitCode != 0 {
		t.Fatalf("%s %s: exit code %d\n%s", program, strings.Join(args, " "), r.ExitCode, r.Stderr)
	}
	return string(r.Stdout)
}

// copyFile copies a file or a symbolic link. One that is not there, because it is
// deleted and git still has it, is passed over.
func copyFile(t testing.TB, from, to string) {
	t.Helper()
	info, err := os.Lstat(from)
	if os.IsNotExist(err) {
		return
	}
	must(t, err)
	must(t, os.MkdirAll(filepath.Dir(to), 0o755))
	if info.Mode()&os.ModeSymlink != 0 {
		target, err := os.Readlink(from)
		must(t, err)
		must(t, os.Symlink(target, to))
		return
	}
	content, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, content, info.Mode().Perm()))
}
