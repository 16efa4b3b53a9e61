// SPDX-License-Identifier: Apache-2.0

// Package figures is what the benchmarks do with what they have measured:
// medians and quartiles, numbers as people read them, and tables.
//
// It measures nothing and knows no targets.
package figures

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Median is the 0.5 Quantile.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// Quantile returns the value below which a share q, 0 to 1, of values lie;
// between two values it is in between. The values may have any order, which
// stays, and there must be one.
func Quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	below := int(at)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}

// Duration prints nanoseconds with three digits.
func Duration(ns float64) string {
	switch d := time.Duration(ns); {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", ns/1e6)
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%.1f ms", ns/1e6)
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", ns/1e6)
	}
	return fmt.Sprintf("%.2f s", ns/1e9)
}

// MiB prints bytes.
func MiB(bytes float64) string { return fmt.Sprintf("%.1f MiB", bytes/(1<<20)) }

// PrintTable prints lines of cells in columns, without white space at the ends
// of lines.
func PrintTable(w io.Writer, lines [][]string) {
	var text strings.Builder
	t := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, cells := range lines {
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	t.Flush()
	for line := range strings.Lines(text.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

// CPUModel is what the system calls its processor.
func CPUModel(ctx context.Context) string {
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if key, model, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				return strings.TrimSpace(model)
			}
		}
	}
	if model, err := exec.CommandContext(ctx, "sysctl", "-n", "machdep.cpu.brand_string").Output(); err == nil {
		return strings.TrimSpace(string(model))
	}
	return "CPU unknown"
}
