// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// hardened prints how the process was before and after prepare.
func hardened() {
	var most unix.Rlimit
	_ = unix.Getrlimit(unix.RLIMIT_CORE, &most)
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: most.Max, Max: most.Max})
	printHardening("before")
	if err := prepare(newLogger(os.Stderr, levelInfo, formatText), &options{logLevel: levelInfo}); err != nil {
		os.Exit(3)
	}
	printHardening("after")
	os.Exit(0)
}

func printHardening(when string) {
	var core unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_CORE, &core)
	dumpable, errDumpable := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	fmt.Println(when, dumpable, core.Cur, core.Max, err, errDumpable, os.Getenv("AZURE_TOKEN_CREDENTIALS"), os.Getenv("AGEDEBUG"))
}

// No core dump, no ptrace, no /proc/<pid>/mem; no tools of developers, no
// protocol of age on stderr.
func TestHardening(t *testing.T) {
	c := startChild(t, "hardened", []string{"AGEDEBUG=plugin", "AZURE_TOKEN_CREDENTIALS="})
	code, text := c.exit(t), c.stderr.String()
	if code != 0 || !strings.HasPrefix(text, "before 1 ") || !strings.Contains(text, "\nafter 0 0 0 <nil> <nil> prod \n") {
		t.Errorf("exit %d:\n%s", code, text)
	}
}

// The real program does it too.
func TestProgramIsHardened(t *testing.T) {
	c := startController(t, "http://"+freeAddress(t))
	c.says(t, `"Starting"`)
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", c.PID()))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(limits)) {
		if rest, ok := strings.CutPrefix(line, "Max core file size"); ok {
			if fields := strings.Fields(rest); fields[0] != "0" || fields[1] != "0" {
				t.Error(line)
			}
			return
		}
	}
	t.Errorf("no line about core dumps:\n%s", limits)
}
