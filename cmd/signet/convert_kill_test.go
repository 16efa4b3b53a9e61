// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// convertible makes 30 Secrets that SOPS has encrypted, and what is to be made of
// them, in the directories in and old below the killer's.
func convertible(t *testing.T, k *killer) (in, old fileSet) {
	t.Helper()
	dir := filepath.Dir(k.dir)
	killDir().write(t, filepath.Join(dir, "in"))
	k.args = []string{"seal", "--as", "sops", "-i", "in"}
	k.whole(t)
	in = readTree(t, filepath.Join(dir, "in"))
	k.args = []string{"convert", "--to", "sealedsecret", "--out-dir", "files", "in"}
	k.whole(t)
	old = readTree(t, k.dir)
	if len(old) != 30 {
		t.Fatalf("%d files were made", len(old))
	}
	return in, old
}

// A conversion of a directory that is killed at any moment leaves what it reads as
// it was, and each result whole or absent; the next run makes the rest, and what
// it finds stays.
func TestConvertKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the program 10 times")
	}
	k := newKiller(t)
	in, old := convertible(t, k)
	names := secretNames(old)
	k.secrets = k.opened(t, "files")
	if len(k.secrets) != 30 {
		t.Fatalf("%d Secrets", len(k.secrets))
	}
	partly, took := 0, k.took
	for i := range 10 {
		if err := os.RemoveAll(k.dir); err != nil {
			t.Fatal(err)
		}
		k.took = took
		k.killAtRandom(t, i, names)
		left := k.converted(t, in, nil)
		if len(left) > 0 && len(left) < len(names) {
			partly++
		}
		was := map[string]uint64{}
		for name := range left {
			was[name] = inode(filepath.Join(k.dir, name))
		}
		k.whole(t)
		if done := k.converted(t, in, nil); len(done) != len(names) {
			t.Errorf("the run after a kill left %d of %d files", len(names)-len(done), len(names))
		}
		for name, before := range was {
			if inode(filepath.Join(k.dir, name)) != before {
				t.Errorf("%s was done before the kill, and written again", name)
			}
		}
		if diff := cmp.Diff(k.secrets, k.opened(t, "files")); diff != "" {
			t.Errorf("not what a run gives that nobody kills (-want +got):\n%s", diff)
		}
		if t.Failed() {
			t.Fatalf("after run %d", i)
		}
	}
	t.Logf("%d kills, %d with a part of the files made; a whole run takes %v", 10, partly, took.Round(time.Millisecond))
	if partly < 1 { // every other kill follows a file that was drawn
		t.Errorf("only %d runs were killed while they wrote", partly)
	}
}

// The same over files that hold something else: with --force each is as it was or
// replaced by a whole result.
func TestConvertKilledOver(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the program 6 times")
	}
	k := newKiller(t)
	in, old := convertible(t, k)
	names := secretNames(old)
	k.secrets = k.opened(t, "files")
	for name := range old {
		old[name] = "kind: ConfigMap\n"
	}
	k.args = append(k.args, "--force")
	took := k.took
	for i := range 6 {
		old.write(t, k.dir)
		k.took = took
		k.killAtRandom(t, i, names)
		k.converted(t, in, old)
		k.whole(t)
		if done := k.converted(t, in, old); len(done) != len(names) {
			t.Errorf("the run after a kill left %d of %d files", len(names)-len(done), len(names))
		}
		if t.Failed() {
			t.Fatalf("after run %d", i)
		}
	}
}

// converted returns the results that are there, which must open to what they were
// made of, beside the files that are as they were, and checks the inputs.
func (k *killer) converted(t *testing.T, in, old fileSet) fileSet {
	t.Helper()
	if diff := cmp.Diff(in, readTree(t, filepath.Join(filepath.Dir(k.dir), "in"))); diff != "" {
		t.Fatalf("an input was changed (-was +is):\n%s", diff)
	}
	if _, err := os.Stat(k.dir); err != nil {
		return fileSet{}
	}
	made := fileSet{}
	for name, text := range readTree(t, k.dir) {
		if was, ok := old[name]; ok && was == text {
			continue
		}
		if _, ok := in[name]; !ok { // a temporary name
			checkStray(t, filepath.Join(k.dir, name), text, false)
			continue
		}
		made[name] = text
	}
	if len(made) == 0 {
		return made
	}
	for name, value := range k.opened(t, "files") {
		if k.secrets[name] != value {
			t.Errorf("%s opens to something else", name)
		}
	}
	return made
}

// failsToWrite runs a conversion that must fail because it cannot write all, and
// returns how many results are in out, each of them whole, and what was printed.
func (k *killer) failsToWrite(t *testing.T, cmd *exec.Cmd, in, old fileSet, out string) (made int, stderr string) {
	t.Helper()
	var printed strings.Builder
	dir := filepath.Dir(k.dir)
	cmd.Dir, cmd.Env, cmd.Stderr = dir, k.command().Env, &printed
	err := cmd.Run()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("ended with %v, want exit code 1", err)
	}
	stderr = printed.String()
	if strings.Contains(stderr, killMarker) || strings.Contains(stderr, "goroutine") {
		t.Errorf("stderr:\n%s", stderr)
	}
	if diff := cmp.Diff(in, readTree(t, filepath.Join(dir, "in"))); diff != "" {
		t.Errorf("an input was changed (-was +is):\n%s", diff)
	}
	all := readTree(t, out)
	for name, text := range all {
		if _, ok := old[name]; !ok || !strings.HasSuffix(strings.TrimSpace(text), "    type: Opaque") {
			t.Errorf("%s is no whole result:\n%s", name, text)
		}
	}
	return len(all), stderr
}

// A disk that gets full, a limit for the size of files, and a directory that cannot be
// written to fail the command; what was read is as it was, no part of a result is left,
// and with room the next run makes the rest.
func TestConvertDiskFull(t *testing.T) {
	k := newKiller(t)
	in, old := convertible(t, k)
	k.secrets = k.opened(t, "files")
	dir := filepath.Dir(k.dir)
	t.Run("size limit", func(t *testing.T) {
		out := filepath.Join(dir, "limited")
		cmd := exec.Command("sh", "-c", `ulimit -f 5; exec "$0" convert --to sealedsecret --out-dir limited in`, k.program)
		if n, stderr := k.failsToWrite(t, cmd, in, old, out); n == 0 || n == len(old) || !strings.Contains(stderr, "file too large") {
			t.Errorf("%d of %d files were made\n%s", n, len(old), stderr)
		}
		k.args, k.dir = []string{"convert", "--to", "sealedsecret", "--out-dir", "limited", "in"}, out
		k.whole(t)
		if diff := cmp.Diff(k.secrets, k.opened(t, "limited")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("full disk", func(t *testing.T) {
		disk := smallDisk(t, 64<<10)
		cmd := exec.Command(k.program, "convert", "--to", "sealedsecret", "--config", ".sops.yaml", "--out-dir", disk, "in")
		n, stderr := k.failsToWrite(t, cmd, in, old, disk)
		if n == 0 || n == len(old) || !strings.Contains(stderr, "no space left on device") || !strings.Contains(stderr, "signet: hint: the disk is full") {
			t.Errorf("%d of %d files were made\n%s", n, len(old), stderr)
		}
	})
	t.Run("read-only", func(t *testing.T) {
		out := filepath.Join(dir, "readonly")
		if err := os.Mkdir(out, 0o500); err != nil {
			t.Fatal(err)
		}
		args := []string{"convert", "--to", "sealedsecret", "--out-dir", "readonly", "in"}
		cmd := exec.Command(k.program, args...)
		if os.Getuid() == 0 { // whom no mode keeps out
			cmd = exec.Command("setpriv", append([]string{"--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", k.program}, args...)...)
		}
		if n, stderr := k.failsToWrite(t, cmd, in, old, out); n != 0 || !strings.Contains(stderr, "permission denied") || !strings.Contains(stderr, "signet: hint: check who owns") {
			t.Errorf("%d files were made\n%s", n, stderr)
		}
	})
}
