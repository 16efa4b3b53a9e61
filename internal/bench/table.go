// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// row is a line of the table. Of all numbers less is better.
type row struct {
	work         string
	signet, sops string
	ratio        float64 // signet by sops: the median of the rounds, whose two parts met the same noise
	low, high    float64 // quartiles of the rounds' ratios; 0 if there are no rounds
	cpuRatio     float64 // of CPU time; 0 if not measured
	target       float64 // largest good ratio, 0 if there is none
}

// verdict says whether the target is met.
func (r row) verdict() string {
	switch {
	case r.target == 0:
		return ""
	case r.ratio <= r.target:
		return "met"
	}
	return "missed"
}

// timeRow makes a row of the costs of both programs, round by round.
func timeRow(work string, signet, sops []cost, target float64) row {
	wall := func(c cost) float64 { return float64(c.wall) }
	cpu := func(c cost) float64 { return float64(c.cpu) }
	a, b := column(signet, wall), column(sops, wall)
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	return row{
		work:     work,
		signet:   duration(median(a)),
		sops:     duration(median(b)),
		ratio:    median(ratios),
		low:      quantile(ratios, 0.25),
		high:     quantile(ratios, 0.75),
		cpuRatio: median(column(signet, cpu)) / median(column(sops, cpu)),
		target:   target,
	}
}

// sizeRow makes a row of sizes in bytes.
func sizeRow(work string, signet, sops float64) row {
	mib := func(bytes float64) string { return fmt.Sprintf("%.1f MiB", bytes/(1<<20)) }
	return row{work: work, signet: mib(signet), sops: mib(sops), ratio: signet / sops}
}

func column(costs []cost, get func(cost) float64) []float64 {
	values := make([]float64, len(costs))
	for i, c := range costs {
		values[i] = get(c)
	}
	return values
}

// median and quantile take any order and do not change it. A quantile between
// two values is in between.
func median(values []float64) float64 { return quantile(values, 0.5) }

func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	below := int(at)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}

// duration prints nanoseconds with three digits.
func duration(ns float64) string {
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

// printTable prints the rows in columns.
func printTable(w io.Writer, rows []row) {
	var text strings.Builder
	t := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "work\tsignet\tsops\tratio\tquartiles\tCPU ratio\ttarget\tresult")
	for _, r := range rows {
		spread, cpu, target := "", "", ""
		if r.high > 0 {
			spread = fmt.Sprintf("%.3f-%.3f", r.low, r.high)
		}
		if r.cpuRatio > 0 {
			cpu = fmt.Sprintf("%.3f", r.cpuRatio)
		}
		if r.target > 0 {
			target = fmt.Sprintf("<= %.2f", r.target)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%.3f\t%s\t%s\t%s\t%s\n", r.work, r.signet, r.sops, r.ratio, spread, cpu, target, r.verdict())
	}
	t.Flush()
	for line := range strings.Lines(text.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}
