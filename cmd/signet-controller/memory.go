// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"runtime/debug"
)

// gcPercent is how much the heap may grow before it is collected, in per cent of
// what is in use. Go's own 100 would keep as much again free as the caches take,
// for good; the collector has little to do here.
const gcPercent = 50

// saveMemory sets the garbage collector up, unless GOGC says otherwise.
func saveMemory() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
}
