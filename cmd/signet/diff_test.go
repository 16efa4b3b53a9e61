// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/fingerprint"
)

// maskedFor reads values in short: "a=m1 b=m2" are two texts by their marks; a mark
// with ! is one of ciphertext, one with * that of a binary value.
func maskedFor(text string) map[string]maskedValue {
	all := map[string]maskedValue{}
	for field := range strings.FieldsSeq(text) {
		key, mark, _ := strings.Cut(field, "=")
		v := maskedValue{Form: formOf(strings.Contains(mark, "*")), Sealed: strings.Contains(mark, "!"), Bytes: 1}
		v.Mark = strings.Trim(mark, "!*")
		v.same = v.Mark
		all[key] = v
	}
	return all
}

// TestValueDiffs tells a value that was renamed from one that was made anew.
func TestValueDiffs(t *testing.T) {
	tests := []struct {
		name, old, now string
		want           []string
	}{
		{"nothing", "a=1 b=2", "a=1 b=2", nil},
		{"added", "a=1", "a=1 b=2", []string{"+ b: text, 1 byte, 2"}},
		{"removed", "a=1 b=2", "b=2", []string{"- a: text, 1 byte, 1"}},
		{"changed", "a=1", "a=2", []string{"~ a: text, 1 byte, 1 -> text, 1 byte, 2"}},
		{"renamed", "a=1 c=3", "b=1 c=3", []string{"= b: the value that was under a, text, 1 byte, 1"}},
		{"renamed twice", "a=1 b=1", "c=1 d=1", []string{"= c: the value that was under a, text, 1 byte, 1", "= d: the value that was under b, text, 1 byte, 1"}},
		{"copied", "a=1", "a=1 b=1", []string{"+ b: text, 1 byte, 1"}},
		{"empty ones are not the same", "a=" + fingerprint.Empty, "b=" + fingerprint.Empty, []string{"- a: text, empty", "+ b: text, empty"}},
		{"in another form", "a=1", "a=1*", []string{"~ a: text, 1 byte, 1 -> binary, 1 byte, 1"}},
		{"ciphertext", "a=1!", "a=2!", []string{"~ a: text, ciphertext 1 -> text, ciphertext 2"}},
		{"ciphertext is no value", "a=1!", "b=1", []string{"- a: text, ciphertext 1", "+ b: text, 1 byte, 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, v := range valueDiffs(maskedFor(tt.old), maskedFor(tt.now)) {
				got = append(got, v.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
