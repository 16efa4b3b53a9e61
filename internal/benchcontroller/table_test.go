// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

// One round on a busy machine must not decide, whichever program it hits.
func TestTimeRow(t *testing.T) {
	signet := []float64{2e9, 40e9, 3e9}
	other := []float64{9e9, 160e9, 12.9e9} // 4.5, 4 and 4.3 times as much
	tests := []struct {
		name    string
		target  float64
		verdict string
	}{
		{"no target", 0, "4.00-4.50"},
		{"reached", 4.3, "4.00-4.50  >= 4.30  met"},
		{"just not", 4.301, "4.00-4.50  >= 4.30  missed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := timeRow("work", signet, other, "they", test.target)
			r.low, r.high = 4, 4.5
			var out strings.Builder
			printTable(&out, []row{r})
			if want := "3.00 s  12.90 s they  4.30   " + test.verdict + "\n"; !strings.HasSuffix(out.String(), want) {
				t.Errorf("table:\n%s\nwant at its end: %s", out.String(), want)
			}
		})
	}
}

func TestTargets(t *testing.T) {
	limited := func(r row, limit float64) row {
		r.below(limit, "little")
		return r
	}
	flat := func(now, before float64) row {
		r := sizeRow("memory", now, before, "before")
		r.atLeast(1 / targetForeign)
		return r
	}
	tests := []struct {
		name string
		row  row
		want bool
	}{
		{"a call in one of the rounds", limited(countRow("calls", []float64{0, 1, 0}, nil, ""), 1), false},
		{"no call", limited(countRow("calls", []float64{0, 0, 0}, nil, ""), 1), true},
		{"in time", limited(timeRow("time", []float64{1e9}, []float64{1}, "", 0), float64(targetRestart)), true},
		{"not in time", limited(timeRow("time", []float64{2e9}, []float64{1}, "", 0), float64(targetRestart)), false},
		{"a little more memory", flat(109, 100), true},
		{"less memory", flat(50, 100), true},
		{"more memory", flat(111, 100), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.row.met != test.want {
				t.Errorf("target met: %v, want %v: %+v", test.row.met, test.want, test.row)
			}
		})
	}
}

func TestSumSeries(t *testing.T) {
	const text = `# HELP objects by state
# TYPE objects gauge
objects{ready="False",reason="KeyUnavailable"} 2
objects{ready="True",reason="Unsealed"} 40
objects{ready="True",reason="Suspended"} 1.5e+01
objects_other{ready="True"} 1000
plain 7
`
	tests := []struct {
		name   string
		labels []string
		want   float64
	}{
		{"all", nil, 57},
		{"by a label", []string{`ready="True"`}, 55},
		{"by two", []string{`ready="True"`, `reason="Unsealed"`}, 40},
		{"none", []string{`ready="Unknown"`}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := sumSeries(text, "objects", test.labels...); got != test.want {
				t.Errorf("sum = %v, want %v", got, test.want)
			}
		})
	}
}
