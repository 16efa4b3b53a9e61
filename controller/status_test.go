// SPDX-License-Identifier: Apache-2.0

package controller

import "testing"

func TestCut(t *testing.T) {
	for _, test := range []struct {
		name, text string
		n          int
		want       string
	}{
		{"shorter", "abc", 5, "abc"},
		{"as long", "abcde", 5, "abcde"},
		{"longer", "abcdef", 5, "ab..."},
		{"between characters", "ääää", 7, "ää..."},
		{"within a character", "ääää", 6, "ä..."},
		{"within a long one", "a\U0001F512bcd", 7, "a..."},
		{"empty", "", 5, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := cut(test.text, test.n); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
