// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// gitMerge merges texts as Git does and reports whether that went without a
// conflict.
func gitMerge(t testing.TB, base, ours, theirs []byte) (merged []byte, clean bool) {
	t.Helper()
	dir := t.TempDir()
	names := []string{"ours", "base", "theirs"}
	for i, text := range [][]byte{ours, base, theirs} {
		if err := os.WriteFile(filepath.Join(dir, names[i]), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("git", append([]string{"merge-file", "-p", "--diff3", "-L", "ours", "-L", "base", "-L", "theirs"}, names...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	merged, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() > 127) {
		t.Fatalf("git merge-file: %v", err)
	}
	return merged, err == nil
}
