// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"strings"
	"testing"
	"time"
)

func TestAllowPattern(t *testing.T) {
	tests := []struct {
		name, pattern, value string
		want                 bool
	}{
		{"the same", "abc", "abc", true},
		{"begins alike", "abc", "abcd", false},
		{"ends alike", "bcd", "abcd", false},
		{"within", "bc", "abcd", false},
		{"nothing", "abc", "", false},
		{"case", "abc", "ABC", false},
		{"star alone", "*", "arn:a/b:c\n", true},
		{"star alone and nothing", "*", "", true},
		{"two stars alone", "**", "arn:a/b:c\n", true},
		{"star", "a*c", "abbbc", true},
		{"star for nothing", "a*c", "ac", true},
		{"star and /", "a*c", "a/c", false},
		{"star and :", "a*c", "a:c", false},
		{"star at the end and /", "a*", "ab/c", false},
		{"star at the end and :", "a*", "ab:c", false},
		{"star at the beginning and :", "*c", "a:bc", false},
		{"stars for each part", "a:*:*/*", "a:b:c/d", true},
		{"one star too few", "a:*/*", "a:b:c/d", false},
		{"two stars", "a**d", "a:b/c:d", true},
		{"two stars for nothing", "a**d", "ad", true},
		{"two stars at the end", "a:**", "a:b/c:d", true},
		{"two stars and then no", "a**d", "a:b/c", false},
		{"three stars", "a***d", "a:b/c:d", true},
		{"four stars", "a****d", "a:b/c:d", true},
		{"star and two stars", "a*:**", "ab:c/d", true},
		{"star in an ARN takes a slash", "arn:aws:kms:*:111122223333:*", "arn:aws:kms:eu-west-1:111122223333:key/x", true},
		{"star in an ARN takes no colon", "arn:aws:kms:*:key/x", "arn:aws:kms:eu-west-1:111122223333:key/x", false},
		{"dot", "a.c", "abc", false},
		{"dot is a dot", "a.c", "a.c", true},
		{"metacharacters", `a[b-z]+(c|d)?$^\d{2}`, `a[b-z]+(c|d)?$^\d{2}`, true},
		{"class", "a[b-z]", "ac", false},
		{"alternative", "a|b", "a", false},
		{"plus", "ab+", "abb", false},
		{"question mark", "ab?", "a", false},
		{"end of quoting", `a\Eb`, `a\Eb`, true},
		{"end of quoting and a class", `\E.*\Q`, "x", false},
		{"newline after", "abc", "abc\n", false},
		{"newline before", "abc", "\nabc", false},
		{"second line", "abc", "x\nabc\nx", false},
		{"star takes a newline as it is", "a*c", "a\nc", true},
		{"two stars take a newline", "a**c", "a\n/c", true},
		{"not UTF-8", "a*c", "a\xffc", false},
		{"not UTF-8, any value", "*", "a\xffc", false},
		{"not UTF-8 is no other letter", "a\ufffdc", "a\xfdc", false},
		{"letters of other scripts", "ключ*", "ключи", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := newAllowPattern(tt.pattern).match(tt.value); got != tt.want {
				t.Errorf("%q matches %q: %t", tt.pattern, tt.value, got)
			}
		})
	}
}

// TestAllowPatternIsLinear matches hostile values with a pattern for which a
// matcher that goes back would take for ever. The bound is generous.
func TestAllowPatternIsLinear(t *testing.T) {
	const size, bound = 64 << 10, time.Minute
	star := newAllowPattern(strings.Repeat("*a", 20) + "*b")
	twoStars := newAllowPattern(strings.Repeat("**a", 20) + "**b")
	started := time.Now()
	if star.match(strings.Repeat("a", size)) || twoStars.match(strings.Repeat("a/", size/2)) {
		t.Error("matches without the last letter")
	}
	if !twoStars.match(strings.Repeat("a", size) + "b") {
		t.Error("does not match with the last letter")
	}
	took := time.Since(started)
	t.Logf("3 matches took %v", took)
	if took > bound {
		t.Errorf("took %v", took)
	}
}
