// SPDX-License-Identifier: Apache-2.0

package helmtext

import (
	"strings"
	"testing"
	"time"
)

// A template that is made to take long takes as long as others of its size. What
// is quadratic takes minutes for these, and linear work a fraction of a second.
func TestSecretsOfHostileTemplates(t *testing.T) {
	const begin = "apiVersion: v1\nkind: Secret\nstringData:\n  a: {{ .x }}\n"
	tests := []struct{ name, unit, end string }{
		{"actions without an end", "{{", ""},
		{"actions without an end, Jinja", "{%", ""},
		{"actions without an end, ERB", "<%", ""},
		{"comments without an end", "{{/*", ""},
		{"comments without an end, Jinja", "{#", ""},
		{"variables without an end", "${", ""},
		{"quotes without an end", "{{`", "}}"},
		{"variables with quotes", "${'", "}"},
		{"parentheses", "{{ " + strings.Repeat("(", 1<<18), " }}"},
		{"commas", "{{ list (" + strings.Repeat("a, ", 1<<17), ") }}"},
		{"assignments", "{{ $a := \"x\" }}", ""},
		{"kinds", "\nkind: Secret", "\nb: [\n"},
		{"items", "\n- kind: Secret\n  data:\n    a: b", "\nb: [\n"},
		{"documents", "\n---\nkind: Secret\nstringData: {a: b}", ""},
		{"many depths", manyDepths(), "\nb: [\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := begin + strings.Repeat(test.unit, max(1, (1<<20)/len(test.unit))) + test.end + "\n"
			start := time.Now()
			if _, err := Secrets(text); err != nil {
				t.Error(err)
			}
			if took := time.Since(start); took > time.Minute {
				t.Errorf("takes %v", took)
			}
		})
	}
}

// manyDepths are objects that are set in by more each.
func manyDepths() string {
	var b strings.Builder
	for i := range 1000 {
		b.WriteString("\n" + strings.Repeat(" ", i) + "kind: Secret")
	}
	return b.String()
}

// What stands behind delimiters that begin nothing counts as it stands there.
func TestLiteralBehindOpenDelimiters(t *testing.T) {
	for text, want := range map[string]bool{
		"{{ .a }}":               false,
		"{{ hunter2":             true,
		"${hunter2":              true,
		"{{` {{ .a":              true,
		"{% {# {{ .a }}":         false, // something in it comes from elsewhere
		strings.Repeat("(", 100): true,
		"{{ " + strings.Repeat("(", 100) + "\"hunter2\"" + strings.Repeat(")", 100) + " }}": false, // nobody writes that
		"{{ " + strings.Repeat("(", 20) + "\"hunter2\"" + strings.Repeat(")", 20) + " }}":   true,
	} {
		if got := Literal(text); got != want {
			t.Errorf("%.60q: %v", text, got)
		}
	}
}
