// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"errors"
	"runtime"
	"strings"
	"testing"
)

// hostileTemplates would take time or memory without bound.
func hostileTemplates() map[string]string {
	return map[string]string{
		"repeat":           `{{ repeat 1000000000 "xxxxxxxx" }}`,
		"repeat overflow":  `{{ repeat 9223372036854775807 "xx" }}`,
		"repeat of it":     `{{ repeat 4000 (repeat 4000 (repeat 4000 "x")) }}`,
		"indent":           `{{ indent 1000000000 "x" }}`,
		"indent of lines":  `{{ indent 4000000 (repeat 1000000 "\n") }}`,
		"nindent":          `{{ nindent 9223372036854775807 "x" }}`,
		"replace":          `{{ replace "" (repeat 100000 "y") (repeat 1000000 "x") }}`,
		"width":            `{{ printf "%999999999d" 1 }}`,
		"precision":        `{{ printf "%.999999999f" 1.0 }}`,
		"star":             `{{ printf "%*d" 999999999 1 }}`,
		"many verbs":       `{{ printf (repeat 1000000 "%999d") 1 }}`,
		"split":            `{{ splitList "" (repeat 4000000 "x") }}`,
		"join":             `{{ join (repeat 4000000 "x") (splitList "" (repeat 20000 "x")) }}`,
		"range":            `{{ range 9223372036854775807 }}x{{ end }}`,
		"empty range":      `{{ range 9223372036854775807 }}{{ end }}`,
		"nested ranges":    strings.Repeat(`{{ range 1000 }}`, 5) + strings.Repeat(`{{ end }}`, 5),
		"work in a range":  `{{ $x := repeat 4000000 "x" }}{{ range 100000 }}{{ if eq (sha512sum $x) "" }}{{ end }}{{ end }}`,
		"doubling":         `{{ $x := "xxxxxxxx" }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}{{ $x }}`,
		"lists of lists":   `{{ $x := list 1 }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}{{ $x }}`,
		"quotes of quotes": `{{ $x := "\"" }}{{ range 60 }}{{ $x = quote $x }}{{ end }}{{ $x }}`,
		"deep statements":  strings.Repeat("{{if 1}}", 4000) + strings.Repeat("{{end}}", 900),
		"deep and closed":  strings.Repeat("{{if 1}}", 2000) + strings.Repeat("{{end}}", 2000),
		"too many":         strings.Repeat("{{if 1}}{{end}}", 3000),
		"deep parentheses": "{{" + strings.Repeat("(", 9000) + "1" + strings.Repeat(")", 9000) + "}}",
		"deeper":           "{{" + strings.Repeat("(", 500_000) + "1" + strings.Repeat(")", 500_000) + "}}",
		"output":           `{{ range 100 }}` + strings.Repeat("x", 100_000) + `{{ end }}`,
		"too long":         strings.Repeat("x", maxTemplateBytes+1),
	}
}

// Nothing that a template asks for takes more than the limits allow. What is counted
// is of the whole process, so nothing may run beside these tests.
func TestHostileTemplates(t *testing.T) {
	for name, template := range hostileTemplates() {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			out, err := renderOurs(template, nil)
			runtime.ReadMemStats(&after)
			if e := new(TemplateError); !errors.As(err, &e) || out != "" {
				t.Errorf("rendered %d bytes, %v", len(out), err)
			}
			if allocated := (after.TotalAlloc - before.TotalAlloc) >> 20; allocated > 400 {
				t.Errorf("%d MiB were allocated", allocated)
			}
		})
	}
}

// The limits are those of a document, not of each of its templates.
func TestTemplatesShareLimits(t *testing.T) {
	l := &limits{steps: maxSteps, bytes: maxWork}
	const template = `{{ range 50000 }}{{ end }}`
	for i := range 10 {
		_, _, err := renderTemplate("k", template, nil, l)
		if err != nil {
			if i == 0 {
				t.Errorf("the first: %v", err)
			}
			return
		}
	}
	t.Error("ten templates take the steps of one")
}

// Values as large as a Secret allows pass through the functions.
func TestLargeValues(t *testing.T) {
	data := map[string]string{"v": strings.Repeat("0123456789abcde\n", 60_000)}
	for _, template := range []string{`{{ .v }}`, `{{ .v | trim | upper }}`, `{{ .v | sha256sum }}`, `{{ .v | b64enc | b64dec }}`, `{{ .v | toJson | len }}`, `{{ .v | indent 2 | len }}`, `{{ .v | quote | len }}`} {
		if _, err := renderOurs(template, data); err != nil {
			t.Errorf("%s: %v", template, err)
		}
	}
}
