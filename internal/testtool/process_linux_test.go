// SPDX-License-Identifier: Apache-2.0

package testtool

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

const orphanVariable = "TESTTOOL_ORPHAN"

// TestProcessDiesWithItsParent runs this test again as a parent that is killed.
func TestProcessDiesWithItsParent(t *testing.T) {
	if os.Getenv(orphanVariable) != "" {
		p := startProcess(t, "sleep", "600")
		fmt.Printf("pid=%d\n", p.PID())
		_ = p.Wait()
		return
	}
	parent := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProcessDiesWithItsParent$")
	parent.Env = append(os.Environ(), orphanVariable+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	pid, numberErr := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "pid=")))
	_ = parent.Process.Kill()
	_ = parent.Wait() // killed, as it was meant to be
	if err != nil || numberErr != nil {
		t.Fatalf("parent printed %q, %v, want a process ID", line, err)
	}
	eventually(t, "the process is gone", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || bytes.Contains(stat, []byte(") Z "))
	})
}
