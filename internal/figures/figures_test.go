// SPDX-License-Identifier: Apache-2.0

package figures

import (
	"strings"
	"testing"
)

func TestQuantile(t *testing.T) {
	tests := []struct {
		name   string
		values []float64
		q      float64
		want   float64
	}{
		{"one value", []float64{7}, 0.5, 7},
		{"odd, unsorted", []float64{9, 1, 5}, 0.5, 5},
		{"even", []float64{4, 1, 2, 3}, 0.5, 2.5},
		{"lower quartile", []float64{1, 2, 3, 4, 5}, 0.25, 2},
		{"largest", []float64{1, 3, 2}, 1, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			first := test.values[0]
			if got := Quantile(test.values, test.q); got != test.want {
				t.Errorf("Quantile = %v, want %v", got, test.want)
			}
			if test.values[0] != first {
				t.Error("the values were reordered")
			}
		})
	}
}

func TestPrintTable(t *testing.T) {
	var out strings.Builder
	PrintTable(&out, [][]string{{"work", "result", ""}, {"a longer one", "met", ""}})
	if want := "work          result\na longer one  met\n"; out.String() != want {
		t.Errorf("table:\n%q, want\n%q", out.String(), want)
	}
}
