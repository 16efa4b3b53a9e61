// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/signet-secrets/signet/internal/testtool"
)

// programsKey is under what a story finds the folder of built programs.
type programsKey struct{}

// built PROGRAM... builds other programs of this repository, once for all
// stories, and brings them into PATH.
func cmdBuilt(ts *testscript.TestScript, neg bool, args []string) {
	tb := ts.Value(tbKey{}).(testing.TB)
	dir := ts.Value(programsKey{}).(string)
	for _, name := range args {
		ts.Check(build(testtool.Root(tb), name, dir))
		ts.Check(os.Symlink(filepath.Join(dir, name), filepath.Join(ts.Getenv("WORK"), ".tmp", "bin", name)))
	}
}

// build builds cmd/NAME into dir, where it appears when it is complete.
func build(root, name, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
		return nil
	}
	temporary, err := os.MkdirTemp(dir, name)
	if err != nil {
		return err
	}
	file := filepath.Join(temporary, name)
	cmd := exec.Command("go", "build", "-o", file, "./cmd/"+name)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return os.Rename(file, filepath.Join(dir, name))
}
