// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const templatesFile = golden + "/templates.json"

// renderCase is a template and what Sealed Secrets makes of it, as
// sealed-secrets-golden reads and writes them.
type renderCase struct {
	Data     map[string][]byte `json:"data,omitempty"`
	Template string            `json:"template"`
	Output   []byte            `json:"output,omitempty"`
	Error    string            `json:"error,omitempty"`
}

// templateContext has values of each kind for the templates below.
func templateContext() map[string]string {
	return map[string]string{
		"user": "admin", "password": `p"s's<&>/ +%` + "\x00\n", "host": "db.prod.svc", "empty": "",
		"lines": "one\ntwo\n\nthree", "list": "a,b,,c", "num": "42", "b64": "Z3LDvMOfZQ==", "b32": "NBSWY3DP",
		"unicode": "grüße 世界 ǆ", "binary": "\xff\xfe\x00a", "spaced": "  x y  ", "url": "https://u:p@h/x?y=z",
	}
}

// renderOurs renders as Unseal does: the template itself is in the context.
func renderOurs(template string, data map[string]string) (string, error) {
	context := map[string]string{"output": template}
	for key, value := range data {
		context[key] = value
	}
	out, _, err := renderTemplate("output", template, context, &limits{steps: maxSteps, bytes: maxWork})
	return out, err
}

// askUpstream lets Sealed Secrets render templates.
func askUpstream(t testing.TB, templates []string, data map[string]string) []renderCase {
	t.Helper()
	cases := make([]renderCase, len(templates))
	for i, template := range templates {
		cases[i] = renderCase{Template: template, Data: map[string][]byte{}}
		for key, value := range data {
			cases[i].Data[key] = []byte(value)
		}
	}
	in, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	out, stderr, err := program(t, "sealed-secrets-golden", in, "render")
	if err != nil {
		t.Fatalf("sealed-secrets-golden render: %v: %s", err, stderr)
	}
	var results []renderCase
	if err := json.Unmarshal(out, &results); err != nil || len(results) != len(cases) {
		t.Fatalf("%d answers to %d templates, %v", len(results), len(cases), err)
	}
	for i := range results {
		results[i].Template = templates[i]
	}
	return results
}

// compare demands that we render what Sealed Secrets renders, and call nothing a
// failure that is none there.
func compare(t testing.TB, want renderCase, data map[string]string) {
	t.Helper()
	got, err := renderOurs(want.Template, data)
	var e *TemplateError
	switch {
	case err != nil && !errors.As(err, &e):
		t.Errorf("%q: error is %#v", want.Template, err)
	case err == nil && want.Error != "":
		t.Errorf("%q: rendered %q, Sealed Secrets says %s", want.Template, got, want.Error)
	case err == nil && got != string(want.Output):
		t.Errorf("%q: rendered\n%q, Sealed Secrets\n%q", want.Template, got, want.Output)
	case err != nil && want.Error == "" && !e.Unsupported:
		t.Errorf("%q: fails with %v, Sealed Secrets renders %q", want.Template, err, want.Output)
	}
}

// Every function and statement renders as in Sealed Secrets, whose answers are
// in templates.json.
func TestTemplates(t *testing.T) {
	data := templateContext()
	if *update {
		b, err := json.MarshalIndent(askUpstream(t, templateCases(), data), "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(templatesFile, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var want []renderCase
	if err := json.Unmarshal(readTestFile(t, templatesFile), &want); err != nil {
		t.Fatal(err)
	}
	templates := make([]string, len(want))
	rendered := 0
	for i, c := range want {
		templates[i] = c.Template
		compare(t, c, data)
		if _, err := renderOurs(c.Template, data); err == nil {
			rendered++
		}
		if _, err := renderOurs(c.Template, data); err != nil && c.Error == "" && !mayRefuse(c.Template) {
			t.Errorf("%q: not rendered: %v", c.Template, err)
		}
	}
	if diff := cmp.Diff(templateCases(), templates); diff != "" {
		t.Errorf("templates.json has other templates, run with -update:\n%s", diff)
	}
	if rendered < 150 {
		t.Errorf("only %d templates were rendered", rendered)
	}
}

// Each function that we have is in a template that both render.
func TestTemplatesHaveEachFunction(t *testing.T) {
	for name := range functions() {
		found := false
		for _, template := range templateCases() {
			if _, err := renderOurs(template, templateContext()); err == nil && strings.Contains(template, name+" ") {
				found = true
			}
		}
		if !found {
			t.Errorf("no template uses %s", name)
		}
	}
}

// What we don't support is refused by name, wherever it stands.
func TestTemplatesRefused(t *testing.T) {
	for _, row := range []struct{ name, template, want string }{
		{"function", "a\nb {{ .user | htpasswd \"x\" }}", `template of key "output": line 2: "htpasswd" is not supported`},
		{"in a branch not taken", `{{ if false }}{{ now }}{{ end }}`, `template of key "output": line 1: "now" is not supported`},
		{"as an argument", `{{ print (randAlpha 5) }}`, `template of key "output": line 1: "randAlpha" is not supported`},
		{"in else", `{{ if true }}{{ else }}{{ uuidv4 }}{{ end }}`, `template of key "output": line 1: "uuidv4" is not supported`},
		{"template", `{{ template "x" }}`, `template of key "output": line 1: "template" is not supported`},
		{"define", `{{ define "x" }}{{ end }}`, `template of key "output": defines a template of its own, which is not supported`},
		{"define in its own name", `{{ define "t" }}x{{ end }}`, `template of key "output": defines a template of its own, which is not supported`},
		{"block", `{{ block "x" . }}{{ end }}`, `template of key "output": defines a template of its own, which is not supported`},
		{"call", `{{ call .user }}`, `template of key "output": line 1: "call" is not supported`},
		{"verb", `{{ printf "%*d" 5 5 }}`, `template of key "output": line 1: "printf" has a verb that is not supported`},
		{"byte of a string", `{{ index .user 0 }}`, `template of key "output": line 1: "index" of a string is not supported`},
		{"type", `{{ b64enc 5 }}`, `template of key "output": line 1: "b64enc" has a number as argument 1, which must be a string`},
		{"no value", "\n\n{{ b64enc .absent }}", `template of key "output": line 3: "b64enc" has no value as argument 1, which must be a string`},
		{"number of arguments", `{{ trimSuffix "x" }}`, `template of key "output": line 1: "trimSuffix" takes 2 arguments, has 1`},
		{"syntax", "x\n{{ end }}", `template of key "output": line 2: does not parse`},
	} {
		t.Run(row.name, func(t *testing.T) {
			out, err := renderOurs(row.template, templateContext())
			if err == nil || err.Error() != row.want || out != "" {
				t.Errorf("rendered %q, error is\n%v, want\n%s", out, err, row.want)
			}
		})
	}
}
