// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The bench is only worth something if wrong output fails it.
func TestVerifyOpened(t *testing.T) {
	want := content{}
	right := string(newSecret(want, "a", "x", "y")) + "---\n" + string(newSecret(want, "b", "x"))
	value := want["a/x"]
	tests := []struct {
		name, text string
		ok         bool
	}{
		{"right", right, true},
		{"nothing", "", false},
		{"another value", strings.Replace(right, value, "other", 1), false},
		{"a value is missing", strings.Replace(right, "  x: "+value+"\n", "", 1), false},
		{"still sealed", strings.Replace(right, "kind: Secret", "kind: SealedSecret", 1), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "opened.yaml")
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := verifyOpened(want, file); (err == nil) != test.ok {
				t.Errorf("error %v, want one: %v", err, !test.ok)
			}
		})
	}
}

func TestVerifyChangedLines(t *testing.T) {
	tests := []struct {
		name, before, after string
		ok                  bool
	}{
		{"one of two", "a\nb\n", "a\nc\n", true},
		{"nothing", "a\nb\n", "a\nb\n", false},
		{"too many", "a\nb\n", "c\nd\n", false},
		{"a line more", "a\nb\n", "a\nb\nc\n", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
			if err := os.WriteFile(a, []byte(test.before), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(b, []byte(test.after), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := verifyChangedLines(a, b, 1); (err == nil) != test.ok {
				t.Errorf("error %v, want one: %v", err, !test.ok)
			}
		})
	}
}
