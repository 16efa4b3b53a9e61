// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"

	"github.com/signet-secrets/signet/internal/figures"
)

// row is a line of the table. Of all numbers less is better.
type row struct {
	work         string
	signet, sops string
	beside       string  // what stands in the column of sops, if it is another
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
		signet:   figures.Duration(figures.Median(a)),
		sops:     figures.Duration(figures.Median(b)),
		ratio:    figures.Median(ratios),
		low:      figures.Quantile(ratios, 0.25),
		high:     figures.Quantile(ratios, 0.75),
		cpuRatio: figures.Median(column(signet, cpu)) / figures.Median(column(sops, cpu)),
		target:   target,
	}
}

// sizeRow makes a row of sizes in bytes.
func sizeRow(work string, signet, sops float64) row {
	return row{work: work, signet: figures.MiB(signet), sops: figures.MiB(sops), ratio: signet / sops}
}

func column(costs []cost, get func(cost) float64) []float64 {
	values := make([]float64, len(costs))
	for i, c := range costs {
		values[i] = get(c)
	}
	return values
}

// printTables prints the rows in columns, and those beside something else than
// sops in tables of their own.
func printTables(w io.Writer, rows []row) {
	var order []string
	tables := map[string][]row{}
	for _, r := range rows {
		name := cmp.Or(r.beside, "sops")
		if tables[name] == nil {
			order = append(order, name)
		}
		tables[name] = append(tables[name], r)
	}
	for i, name := range order {
		if i > 0 {
			fmt.Fprintln(w)
		}
		printTable(w, name, tables[name])
	}
}

func printTable(w io.Writer, beside string, rows []row) {
	lines := [][]string{{"work", "signet", beside, "ratio", "quartiles", "CPU ratio", "target", "result"}}
	for _, r := range rows {
		spread, cpu, target := "", "", ""
		if r.high > 0 {
			spread = fmt.Sprintf("%.3f-%.3f", r.low, r.high)
		}
		if r.cpuRatio > 0 {
			cpu = fmt.Sprintf("%.3f", r.cpuRatio)
		}
		if r.target > 0 {
			target = fmt.Sprintf("<= %.3f", r.target)
		}
		lines = append(lines, []string{r.work, r.signet, r.sops, fmt.Sprintf("%.3f", r.ratio), spread, cpu, target, r.verdict()})
	}
	figures.PrintTable(w, lines)
}
