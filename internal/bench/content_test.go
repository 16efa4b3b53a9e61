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
	configMap := string(newConfigMap(want, "c", "x"))
	right += "---\n" + configMap
	tests := []struct {
		name, text string
		ok         bool
	}{
		{"right", right, true},
		{"nothing", "", false},
		{"another value", strings.Replace(right, value, "other", 1), false},
		{"a value is missing", strings.Replace(right, "  x: "+value+"\n", "", 1), false},
		{"still sealed", strings.Replace(right, "kind: Secret", "kind: SealedSecret", 1), false},
		{"a ConfigMap is missing", strings.Replace(right, "---\n"+configMap, "", 1), false},
		{"another value of a ConfigMap", strings.Replace(right, want["ConfigMap/c/x"], "other", 1), false},
		{"a list", listed(right), true},
		{"a list, still sealed", listed(strings.Replace(right, "kind: Secret", "kind: SealedSecret", 1)), false},
		{"an empty list", "kind: ResourceList\nitems: []\n", false},
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

// listed is what a function makes of manifests.
func listed(manifests string) string {
	list := "kind: ResourceList\nitems:\n"
	for item := range strings.SplitSeq(manifests, "---\n") {
		list += "- " + strings.ReplaceAll(strings.TrimSpace(item), "\n", "\n  ") + "\n"
	}
	return list
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
