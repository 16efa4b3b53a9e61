// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

const orphanVariable = "TESTCLUSTER_ORPHAN_DIR"

// TestProcessDiesWithItsParent runs this test again as a parent that is killed.
func TestProcessDiesWithItsParent(t *testing.T) {
	if dir := os.Getenv(orphanVariable); dir != "" {
		p := startTestProcess(t, dir, "sleep", "600")
		fmt.Printf("pid=%d\n", p.cmd.Process.Pid)
		<-p.ended
		return
	}
	parent := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProcessDiesWithItsParent$")
	parent.Env = append(os.Environ(), orphanVariable+"="+t.TempDir())
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
	eventually(t, "the process is gone", func(context.Context) error {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err == nil && !bytes.Contains(stat, []byte(") Z ")) {
			return errors.New("it runs on")
		}
		return nil
	})
}
