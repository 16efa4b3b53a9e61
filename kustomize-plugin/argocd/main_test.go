// SPDX-License-Identifier: Apache-2.0

//go:build linux

package argocd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// signetIn names the variable with the path of signet, which is built once for
// all tests.
const signetIn = "SIGNET_TEST_PROGRAM"

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "signet")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := runAll(m, filepath.Join(dir, "signet"))
	os.RemoveAll(dir)
	os.Exit(code)
}

func runAll(m *testing.M, signet string) int {
	if out, err := exec.Command("go", "build", "-o", signet, "../../cmd/signet").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	os.Setenv(signetIn, signet)
	return m.Run()
}
