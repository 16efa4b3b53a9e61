// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/manifest"
)

// killMarker is in every value of the Secrets that the tests here seal.
const killMarker = "plaintext-marker"

// fileSet is a directory as a map from path to content.
type fileSet map[string]string

// killDir has 30 Secrets that dir will hold, in folders, and other manifests.
func killDir() fileSet {
	files := fileSet{}
	for i := range 30 {
		name := fmt.Sprintf("app%d/secret-%02d.yaml", i%3, i)
		files[name] = fmt.Sprintf("# number %d\napiVersion: v1\nkind: Secret\nmetadata: {name: s%d, namespace: prod}\nstringData:\n  a: %s-%d\n  b: |\n    %s\n    %s\n",
			i, i, killMarker, i, killMarker, strings.Repeat("x", 100*i))
	}
	files["app0/service.yaml"] = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
	return files
}

// write makes dir hold these files and nothing else.
func (files fileSet) write(t *testing.T, dir string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		writeTestFile(t, filepath.Join(dir, name), text)
	}
}

func readTree(t *testing.T, dir string) fileSet {
	t.Helper()
	files := fileSet{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		files[name] = readTestFile(t, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// killer starts a program over a directory and kills it.
type killer struct {
	program string
	args    []string
	dir     string
	env     []string
	took    time.Duration // of a whole run
	random  *rand.Rand
	secrets map[string]string // what is in the directory, sealed or not
}

func (k *killer) command() *exec.Cmd {
	c := exec.Command(k.program, k.args...)
	c.Dir = filepath.Dir(k.dir)
	c.Env = append(os.Environ(), k.env...)
	return c
}

// whole runs the program to its end.
func (k *killer) whole(t *testing.T) {
	t.Helper()
	start := time.Now()
	if out, err := k.command().CombinedOutput(); err != nil {
		t.Fatalf("signet %q: %v\n%s", k.args, err, out)
	}
	k.took = time.Since(start)
}

// killAtRandom kills the program at a moment anywhere in its run, or, every
// other time, soon after it has replaced a file that was drawn.
func (k *killer) killAtRandom(t *testing.T, n int, names []string) {
	t.Helper()
	watched := filepath.Join(k.dir, names[k.random.IntN(len(names))])
	before := inode(watched)
	c := k.command()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = c.Wait()
		close(ended)
	}()
	deadline := time.Now().Add(time.Duration(k.random.Int64N(int64(k.took) * 11 / 10)))
	if n%2 == 0 {
		deadline = time.Now().Add(time.Minute)
	}
	for time.Now().Before(deadline) && inode(watched) == before {
		select {
		case <-ended:
			return
		default:
		}
	}
	_ = c.Process.Signal(syscall.SIGKILL)
	<-ended
}

// inode tells whether a file was replaced, 0 if it is not there.
func inode(path string) uint64 {
	info, err := os.Lstat(path)
	if err != nil {
		return 0
	}
	return info.Sys().(*syscall.Stat_t).Ino
}

// state is how a directory was left.
type state struct {
	replaced, kept, strays int
}

// check holds every file against what it was: each must be as it was or
// another complete file; and all of them together must give the same Secrets.
func (k *killer) check(t *testing.T, old fileSet, strayMayBePlain bool) state {
	t.Helper()
	var s state
	now := readTree(t, k.dir)
	for name, text := range now {
		was, known := old[name]
		switch {
		case !known:
			s.strays++
			checkStray(t, filepath.Join(k.dir, name), text, strayMayBePlain)
		case text == was:
			s.kept++
		default:
			s.replaced++
		}
	}
	for name := range old {
		if _, there := now[name]; !there {
			t.Errorf("%s is gone", name)
		}
	}
	if diff := cmp.Diff(k.secrets, k.opened(t, "files")); diff != "" {
		t.Errorf("files are neither old nor new (-old +new):\n%s", diff)
	}
	return s
}

// opened returns the values of all Secrets, sealed or not, in a file or in the
// manifests of a directory.
func (k *killer) opened(t *testing.T, path string) map[string]string {
	t.Helper()
	c := k.command()
	c.Args = []string{k.program, "unseal", path}
	out, err := c.Output()
	if err != nil {
		t.Fatalf("what is left in %s does not open: %v", path, err)
	}
	stream, err := manifest.Split(out)
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{}
	for _, doc := range stream.Documents {
		n, err := doc.Node()
		if err != nil {
			t.Fatal(err)
		}
		o := manifest.Object{Node: manifest.Root(n)}
		if o.IsSecret() {
			secrets[o.Name()] = manifest.GetString(o.Node, "stringData", "a") + manifest.GetString(o.Node, "stringData", "b")
		}
	}
	return secrets
}

// checkStray refuses a file with plaintext that nobody asked for. Where the
// result itself is plaintext, a kill between giving it a temporary name and
// renaming it can leave it there, but complete, and for the user only.
func checkStray(t *testing.T, path, text string, mayBePlain bool) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, killMarker) && strings.HasSuffix(text, "\n") {
		return
	}
	if !mayBePlain || info.Mode().Perm() != 0o600 || !strings.HasPrefix(filepath.Base(path), ".signet-") {
		t.Errorf("stray file %s, mode %v, with plaintext or cut off:\n%s", path, info.Mode(), text)
	}
}

func secretNames(files fileSet) []string {
	var names []string
	for name, text := range files {
		if strings.Contains(text, "Secret") {
			names = append(names, name)
		}
	}
	return names
}

func newKiller(t *testing.T, args ...string) *killer {
	t.Helper()
	program := buildSignet(t)
	home := isolate(t)
	key := newKeyFile(t)
	writeTestFile(t, ".git/HEAD", "ref: refs/heads/main\n")
	writeTestFile(t, ".sops.yaml", "creation_rules:\n  - age: "+key.recipient+"\n")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return &killer{program: program, args: args, dir: filepath.Join(home, "files"), env: []string{"SOPS_AGE_KEY_FILE=" + key.path}, random: rand.New(rand.NewPCG(seed, 0))}
}

// runs kills the program n times and checks what is left; then it lets one run
// end. It returns how many runs left some files replaced and others not.
func (k *killer) runs(t *testing.T, n int, old fileSet, strayMayBePlain bool) (partly, strays int) {
	t.Helper()
	names := secretNames(old)
	k.took = time.Hour
	for range 3 {
		old.write(t, k.dir)
		best := k.took
		k.whole(t)
		k.took = min(k.took, best)
	}
	old.write(t, k.dir)
	k.secrets = k.opened(t, "files")
	if len(k.secrets) != len(names) {
		t.Fatalf("%d Secrets in %d files", len(k.secrets), len(names))
	}
	for i := range n {
		old.write(t, k.dir)
		k.killAtRandom(t, i, names)
		s := k.check(t, old, strayMayBePlain)
		strays += s.strays
		if s.replaced > 0 && s.replaced < len(names) {
			partly++
		}
		if t.Failed() {
			t.Fatalf("after run %d", i)
		}
	}
	k.whole(t) // over what the last kill has left
	if s := k.check(t, old, strayMayBePlain); s.replaced != len(names) {
		t.Errorf("the run after a kill left %d of %d files", len(names)-s.replaced, len(names))
	}
	t.Logf("%d kills, %d with a part of the files replaced, %d stray files; a whole run takes %v", n, partly, strays, k.took.Round(time.Millisecond))
	return partly, strays
}

// A run of seal -i that is killed at any moment leaves every file old or new.
func TestKillSealInPlace(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the program 200 times")
	}
	k := newKiller(t, "seal", "-i", "files")
	if partly, _ := k.runs(t, 200, killDir(), false); partly < 20 {
		t.Errorf("only %d runs were killed while they wrote", partly)
	}
}

// The same for unseal -i, which writes plaintext, but only where it was asked to.
func TestKillUnsealInPlace(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the program 60 times")
	}
	k := newKiller(t, "seal", "-i", "files")
	killDir().write(t, k.dir)
	k.whole(t)
	sealed := readTree(t, k.dir)
	k.args = []string{"unseal", "-i", "files"}
	if partly, _ := k.runs(t, 60, sealed, true); partly < 6 {
		t.Errorf("only %d runs were killed while they wrote", partly)
	}
}

// A run with -o that is killed leaves no file, the old one or the new one.
func TestKillOutput(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the program 80 times")
	}
	k := newKiller(t, "seal", "in.yaml", "-o", "files/out.yaml", "--fresh-key")
	var all strings.Builder
	for _, name := range secretNames(killDir()) {
		all.WriteString("---\n" + killDir()[name])
	}
	writeTestFile(t, "in.yaml", all.String())
	k.args[3] = "sealed.yaml"
	k.whole(t)
	sealed := readTestFile(t, "sealed.yaml")
	for _, row := range []struct {
		name, old string
		args      []string
		plain     bool
	}{
		{"seal", "", []string{"seal", "in.yaml", "-o", "files/out.yaml"}, false},
		{"seal over the old", sealed, []string{"seal", "in.yaml", "-o", "files/out.yaml", "--fresh-key"}, false},
		{"unseal", "", []string{"unseal", "sealed.yaml", "-o", "files/out.yaml"}, true},
		{"unseal over the old", "old: file\n", []string{"unseal", "sealed.yaml", "-o", "files/out.yaml"}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			k.args = row.args
			old := fileSet{".keep": ""}
			if row.old != "" {
				old["out.yaml"] = row.old
			}
			old.write(t, k.dir)
			k.whole(t)
			for i := range 20 {
				old.write(t, k.dir)
				k.killAtRandom(t, i, []string{"out.yaml"})
				for name, text := range readTree(t, k.dir) {
					switch {
					case name == "out.yaml" && text != row.old:
						k.checkWhole(t)
					case name != "out.yaml" && text != "":
						checkStray(t, filepath.Join(k.dir, name), text, row.plain)
					}
				}
			}
		})
	}
}

// checkWhole checks that the output has all 30 documents, and that they open.
func (k *killer) checkWhole(t *testing.T) {
	t.Helper()
	if n := len(k.opened(t, "files/out.yaml")); n != 30 {
		t.Errorf("the file has %d of 30 Secrets", n)
	}
}
