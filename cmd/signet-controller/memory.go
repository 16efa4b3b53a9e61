// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
)

// gcPercent is how much the heap may grow before it is collected, in per cent of
// what is in use. Go's own 100 would keep as much again free as the caches take,
// for good; the collector has little to do here.
const gcPercent = 50

// limitPercent is how much of the memory of the container is Go's to use: short of
// that it collects more often. The rest is for what it doesn't count.
const limitPercent = 85

// saveMemory sets the garbage collector up, unless GOGC and GOMEMLIMIT say
// otherwise. cgroups is where the kernel shows the limits of the container.
func saveMemory(cgroups string) {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
	if _, set := os.LookupEnv("GOMEMLIMIT"); set {
		return
	}
	if limit := containerMemory(cgroups); limit > 0 {
		debug.SetMemoryLimit(limit / 100 * limitPercent)
	}
}

// containerMemory returns the limit in bytes, 0 if there is none (kernel:
// Documentation/admin-guide/cgroup-v2.rst, memory.max; cgroup-v1/memory.rst,
// memory.limit_in_bytes, which is near the largest number then).
func containerMemory(cgroups string) int64 {
	for _, file := range []string{"memory.max", "memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(filepath.Join(cgroups, file))
		if err != nil {
			continue
		}
		limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err != nil || limit <= 0 || limit > math.MaxInt64/2 { // "max", for one
			return 0
		}
		return limit
	}
	return 0
}
