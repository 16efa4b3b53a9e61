// SPDX-License-Identifier: Apache-2.0

//go:build linux

package memfile

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestNoCore looks at a process that has switched its core dumps off, and at
// programs that it has started before and after it has given them the limit back.
func TestNoCore(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_CORE, nil, &limit); err != nil {
		t.Fatal(err)
	}
	soft := min(limit.Max, 1) // where the environment permits none there is nothing to give back
	cmd := exec.Command("sh", "-c", fmt.Sprintf(`ulimit -S -c %d && exec "$0"`, soft), role(t, "").Path)
	cmd.Env = append(os.Environ(), roleVariable+"=limits")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := fmt.Sprintf("core 0, dumpable 0, child 0, restored: dumpable 0, child %d, works: true\n", soft)
	if !strings.HasSuffix(string(out), want) {
		t.Errorf("%q, want %q", out, want)
	}
}

func printLimits() {
	was, err := NoCore()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	soft := func(pid int) uint64 {
		var l unix.Rlimit
		if err := unix.Prlimit(pid, unix.RLIMIT_CORE, nil, &l); err != nil {
			fmt.Println(err)
		}
		return l.Cur
	}
	dumpable := func() int {
		is, _ := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
		return is
	}
	child := func() uint64 { // the limit of a program that is started now
		cmd := exec.Command("sleep", "600")
		if err := cmd.Start(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		defer cmd.Wait()
		defer cmd.Process.Kill()
		return min(soft(cmd.Process.Pid), 1) // the unit of ulimit differs
	}
	fmt.Printf("core %d, dumpable %d, child %d, ", soft(0), dumpable(), child())
	if err := was.Restore(); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("restored: dumpable %d, child %d, ", dumpable(), child())
	d, err := New(Options{}) // a process that is not dumpable can start itself
	if err == nil {
		err = d.Wipe()
	}
	fmt.Printf("works: %v\n", err == nil)
}
