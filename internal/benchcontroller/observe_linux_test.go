// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"testing"
	"time"
)

// The CPU time of this test is at least what it has burnt, and its memory at
// least what it holds.
func TestOwnProcess(t *testing.T) {
	pid := map[string]int{"self": os.Getpid()}
	before := cpuTimes(pid)["self"]
	held := make([]byte, 32<<20)
	for begin := time.Now(); cpuTimes(pid)["self"]-before < 5*tick; {
		for i := range held {
			held[i]++
		}
		if time.Since(begin) > time.Minute {
			t.Fatal("no CPU time goes by")
		}
	}
	resident, peak, err := memoryOf(pid["self"])
	if err != nil || resident < float64(len(held)) || peak < resident {
		t.Errorf("memory %v, at its peak %v, error %v, want at least %d bytes", resident, peak, err, len(held))
	}
}
