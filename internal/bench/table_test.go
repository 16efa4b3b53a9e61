// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestVerdict(t *testing.T) {
	tests := []struct {
		name          string
		ratio, target float64
		want          string
	}{
		{"no target", 3, 0, ""},
		{"below", 0.4, 0.5, "met"},
		{"at the target", 0.5, 0.5, "met"},
		{"just above", 0.5001, 0.5, "missed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := (row{ratio: test.ratio, target: test.target}).verdict(); got != test.want {
				t.Errorf("verdict = %q, want %q", got, test.want)
			}
		})
	}
}

// A row beside something else than sops must not be read as one beside sops.
func TestPrintTables(t *testing.T) {
	var out strings.Builder
	printTables(&out, []row{{work: "a", ratio: 1}, {work: "b", beside: "no function", ratio: 2}, {work: "c", ratio: 3}})
	var got []string
	for line := range strings.Lines(out.String()) {
		fields := strings.Fields(line)
		got = append(got, strings.Join(fields[:min(4, len(fields))], " "))
	}
	want := []string{"work signet sops ratio", "a 1.000", "c 3.000", "", "work signet no function", "b 2.000"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tables differ (-want +got):\n%s", diff)
	}
}

// One round on a busy machine must not decide, whichever program it hits.
func TestTimeRow(t *testing.T) {
	ms := func(wall, cpu int) cost {
		return cost{time.Duration(wall) * time.Millisecond, time.Duration(cpu) * time.Millisecond}
	}
	signet := []cost{ms(10, 8), ms(900, 8), ms(12, 9)}
	sops := []cost{ms(100, 80), ms(1000, 90), ms(4000, 80)}
	r := timeRow("work", signet, sops, 0.5)
	if r.signet != "12.0 ms" || r.sops != "1.00 s" {
		t.Errorf("medians %s and %s, want 12.0 ms and 1.00 s", r.signet, r.sops)
	}
	if r.ratio != 0.1 || r.cpuRatio != 0.1 {
		t.Errorf("ratios %v and %v, want 0.1 and 0.1", r.ratio, r.cpuRatio)
	}
	var out strings.Builder
	printTables(&out, []row{r, sizeRow("size", 1<<20, 4<<20)})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || !strings.HasSuffix(lines[1], "<= 0.500  met") || !strings.HasSuffix(lines[2], "1.0 MiB  4.0 MiB  0.250") {
		t.Errorf("table:\n%s", out.String())
	}
}
