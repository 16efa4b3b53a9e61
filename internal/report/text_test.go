// SPDX-License-Identifier: Apache-2.0

package report

import (
	"strings"
	"testing"
)

func TestVisible(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", "prod/db: ü 비밀", "prod/db: ü 비밀"},
		{"terminal", "a\x1b[2Kb", `a\x1b[2Kb`},
		{"line break", "a\nsignet: note: all is well", `a\nsignet: note: all is well`},
		{"right to left", "a\u202eb", `a\u202eb`},
		{"identity", "x AGE-SECRET-KEY-1QQPQQPQQPQQ y", "x (a private key) y"},
		{"hybrid identity", "AGE-SECRET-KEY-PQ-1QQPQQPQQPQQ", "(a private key)"},
		{"plugin identity in lower case", "age-plugin-yubikey-1qqpqqpqqpqq", "(a private key)"},
		{"invalid UTF-8", "a\x9b2Kb\xff", `a\x9b2Kb\xff`},
		{"replacement character", "a\uFFFDb", "a\uFFFDb"},
		{"cut within a character", strings.Repeat("a", 3999) + "üb", strings.Repeat("a", 3999) + "..."},
		{"long and invalid", strings.Repeat("a", 3998) + "\xff\xff\xffb", strings.Repeat("a", 3998) + `\xff\xff` + "..."},
		{"long", strings.Repeat("ü", 3000), strings.Repeat("ü", 2000) + "..."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Visible(test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestLines(t *testing.T) {
	if got, want := Lines("a\nb\r\nc"), "a\n  b\\r\n  c"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestQuoted(t *testing.T) {
	tests := []struct{ name, path, want string }{
		{"plain", "a/b_c-1.yaml", "a/b_c-1.yaml"},
		{"space", "a b", "'a b'"},
		{"quote", "it's", `'it'\''s'`},
		{"flag", "-rf", "./-rf"},
		{"command", "$(reboot)", "'$(reboot)'"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Quoted(test.path); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
