// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"

	"github.com/signet-secrets/signet/internal/figures"
)

// row is a line of the table. Of what is measured less is better.
type row struct {
	work          string
	value         float64 // Signet's; of several the one that tells most
	signet, other string
	ratio         float64 // the other by Signet, 0 if there is none
	low, high     float64 // quartiles of the rounds' ratios, 0 if there are no rounds
	target        string  // "" if there is none
	met           bool
}

// below sets the target that the value is less than limit.
func (r *row) below(limit float64, target string) { r.met, r.target = r.value < limit, target }

// atLeast sets the target that the other takes as many times as much.
func (r *row) atLeast(ratio float64) {
	r.met, r.target = r.ratio >= ratio, fmt.Sprintf(">= %.2f", ratio)
}

// timeRow makes a row of nanoseconds, round by round, with a target for the
// ratio unless it is 0. The ratio is that of the median round, whose two parts
// met the same noise.
func timeRow(work string, signet, other []float64, who string, target float64) row {
	ratios := make([]float64, len(signet))
	for i := range signet {
		ratios[i] = other[i] / signet[i]
	}
	r := row{
		work: work, value: figures.Median(signet),
		signet: figures.Duration(figures.Median(signet)), other: figures.Duration(figures.Median(other)) + " " + who,
		ratio: figures.Median(ratios), low: figures.Quantile(ratios, 0.25), high: figures.Quantile(ratios, 0.75),
	}
	if target > 0 {
		r.atLeast(target)
	}
	return r
}

// countRow makes a row of the largest of counts. Nothing is compared with nil.
func countRow(work string, signet, other []float64, who string) row {
	r := row{work: work, value: figures.Quantile(signet, 1)}
	r.signet = fmt.Sprintf("%.0f", r.value)
	if other != nil {
		r.other = fmt.Sprintf("%.0f %s", figures.Quantile(other, 1), who)
	}
	return r
}

// sizeRow makes a row of bytes. Nothing is compared with 0.
func sizeRow(work string, signet, other float64, who string) row {
	r := row{work: work, value: signet, signet: figures.MiB(signet)}
	if other > 0 {
		r.other, r.ratio = figures.MiB(other)+" "+who, other/signet
	}
	return r
}

// printTable prints the rows in columns.
func printTable(w io.Writer, rows []row) {
	lines := [][]string{{"work", "signet", "beside", "ratio", "quartiles", "target", "result"}}
	for _, r := range rows {
		ratio, spread, verdict := "", "", ""
		if r.ratio > 0 {
			ratio = fmt.Sprintf("%.2f", r.ratio)
		}
		if r.high > 0 {
			spread = fmt.Sprintf("%.2f-%.2f", r.low, r.high)
		}
		switch {
		case r.target != "" && r.met:
			verdict = "met"
		case r.target != "":
			verdict = "missed"
		}
		lines = append(lines, []string{r.work, r.signet, r.other, ratio, spread, r.target, verdict})
	}
	figures.PrintTable(w, lines)
}
