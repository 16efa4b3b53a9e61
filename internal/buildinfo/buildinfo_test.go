// SPDX-License-Identifier: Apache-2.0

package buildinfo

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What the Makefile, the Dockerfile and the benchmark pass to the linker has to
// arrive: the linker says nothing about a variable that it does not know.
func TestVersionOfTheLinker(t *testing.T) {
	const flag = "-X github.com/signet-secrets/signet/internal/buildinfo.version=v1.2.3-test"
	program := filepath.Join(t.TempDir(), "test")
	if out, err := exec.Command("go", "test", "-c", "-o", program, "-ldflags", flag, ".").CombinedOutput(); err != nil {
		t.Fatalf("go test -c: %v\n%s", err, out)
	}
	out, err := exec.Command(program, "-test.run=^TestVersionIsNeverEmpty$", "-test.v").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "version v1.2.3-test\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestVersionIsNeverEmpty(t *testing.T) {
	if Version() == "" {
		t.Error("no version")
	}
	t.Logf("version %s", Version())
}
