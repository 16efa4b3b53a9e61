// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
)

const noLimit = math.MaxInt64 // of Go

func TestMemoryLimit(t *testing.T) {
	const v2, v1 = "memory.max", "memory/memory.limit_in_bytes"
	for _, test := range []struct {
		name  string
		files map[string]string
		env   string
		want  int64
	}{
		{"cgroup v2", map[string]string{v2: "268435456\n"}, "", 268435456 / 100 * 85},
		{"cgroup v2, no limit", map[string]string{v2: "max\n"}, "", noLimit},
		{"cgroup v1", map[string]string{v1: "268435456\n"}, "", 268435456 / 100 * 85},
		{"cgroup v1, no limit", map[string]string{v1: "9223372036854771712\n"}, "", noLimit},
		{"both", map[string]string{v2: "268435456\n", v1: "134217728\n"}, "", 268435456 / 100 * 85},
		{"none", nil, "", noLimit},
		{"nonsense", map[string]string{v2: "-5"}, "", noLimit},
		{"GOMEMLIMIT is set", map[string]string{v2: "268435456\n"}, "100MiB", noLimit}, // Go has read it when the process began
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range test.files {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				writeTestFile(t, path, text)
			}
			if test.env == "" {
				unset(t, "GOMEMLIMIT")
			} else {
				t.Setenv("GOMEMLIMIT", test.env)
			}
			was, percent := debug.SetMemoryLimit(noLimit), debug.SetGCPercent(100)
			t.Cleanup(func() {
				debug.SetMemoryLimit(was)
				debug.SetGCPercent(percent)
			})
			saveMemory(dir)
			if got := debug.SetMemoryLimit(-1); got != test.want {
				t.Errorf("Go keeps to %d bytes, want %d", got, test.want)
			}
		})
	}
}

// unset takes a variable out of the environment for the test.
func unset(t *testing.T, name string) {
	t.Helper()
	t.Setenv(name, "") // puts back what was there
	if err := os.Unsetenv(name); err != nil {
		t.Fatal(err)
	}
}
