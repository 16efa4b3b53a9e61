// SPDX-License-Identifier: Apache-2.0

package helmtext_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/helmtext"
)

// What a value is, alone and in a template that is YAML without its actions and
// in one that is not.
func TestLiteral(t *testing.T) {
	tests := []struct {
		name, value string
		want        bool
	}{
		{"text", `hunter2`, true},
		{"quoted", `"hunter2"`, true},
		{"short text", `x`, true},
		{"empty", `""`, false},
		{"value", `{{ .Values.password }}`, false},
		{"quoted value", `"{{ .Values.password }}"`, false},
		{"functions", `{{ .Values.password | b64enc | quote }}`, false},
		{"required", `{{ required "set .Values.password, please" .Values.password | b64enc }}`, false},
		{"literal in base64", `{{ "hunter2" | b64enc }}`, true},
		{"literal in base64 as a call", `{{ b64enc "hunter2" }}`, true},
		{"literal in back quotes", "{{ `hunter2` | b64enc | quote }}", true},
		{"default", `{{ default "hunter2" .Values.password | b64enc }}`, true},
		{"default behind a bar", `{{ .Values.password | default "hunter2" | b64enc }}`, true},
		{"default in parentheses", `{{ b64enc (default "hunter2" .Values.password) }}`, true},
		{"empty default", `{{ .Values.password | default "" | b64enc }}`, false},
		{"default from elsewhere", `{{ .Values.password | default .Values.global.password | b64enc }}`, false},
		{"random default", `{{ .Values.password | default (randAlphaNum 32) | b64enc }}`, false},
		{"coalesce", `{{ coalesce .Values.a .Values.b "hunter2" }}`, true},
		{"ternary", `{{ ternary "hunter2" "hunter3" .Values.prod }}`, true},
		{"index", `{{ index .Values "the password" | b64enc }}`, false},
		{"include", `{{ include "chart.password" . }}`, false},
		{"lookup", `{{ (lookup "v1" "Secret" "prod" "other-secret").data.password }}`, false},
		{"file", `{{ .Files.Get "files/password.txt" | b64enc }}`, false},
		{"printf", `{{ printf "postgres://%s:%s@%s:5432/app" .Values.user .Values.password .Values.host | b64enc }}`, false},
		{"printf with a password", `{{ printf "postgres://app:hunter2@%s:5432/app" .Values.host | b64enc }}`, true},
		{"printf with arguments", `{{ printf "%s:%s" "admin" "hunter2" | b64enc }}`, true},
		{"htpasswd", `{{ htpasswd "admin" "hunter2" }}`, true},
		{"dictionary", `{{ dict "auths" (dict "registry" (dict "auth" "aHVudGVyMg==")) | toJson | b64enc }}`, true},
		{"URL", `postgres://{{ .Values.user }}:{{ .Values.password }}@{{ .Release.Name }}-pg:5432/app`, false},
		{"URL with a password", `postgres://app:hunter2@{{ .Release.Name }}-pg:5432/app`, true},
		{"branches", `{{ if .Values.p }}{{ .Values.p }}{{ else }}hunter2{{ end }}`, true},
		{"branches from elsewhere", `{{ if .Values.p }}{{ .Values.p }}{{ else }}{{ .Values.q }}{{ end }}`, false},
		{"trimmed", `{{- "hunter2" -}}`, true},
		{"comment only", `{{/* "hunter2" }} */}}`, false},
		{"for another template", "{{`{{ .password }}`}}", false},
		{"variable of the environment", `${DB_PASSWORD}`, false},
		{"with a default", `${DB_PASSWORD:-hunter2}`, true},
		{"workflow expression", `${{ secrets.DB_PASSWORD }}`, false},
		{"Jinja", `{{ vault_db_password | b64encode }}`, false},
		{"Jinja default", `{{ db_password | default('hunter2') }}`, true},
		{"Jinja text", `{{ 'hunter2' | b64encode }}`, true},
		{"Jinja lookup", `{{ lookup('env', 'DB_PASSWORD') }}`, false},
		{"Jinja index", `{{ passwords['database'] }}`, false},
		{"ERB", `<%= ENV["DB_PASSWORD"] %>`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := helmtext.Literal(test.value); got != test.want {
				t.Errorf("Literal = %v", got)
			}
			for kind, format := range map[string]string{
				"YAML":    "kind: Secret\nmetadata: {name: db}\nstringData:\n  password: %s\n  other: {{ .x }}\n",
				"no YAML": "kind: Secret\nmetadata:\n  name: db\n  labels: [\nstringData:\n  password: %s\n  other: {{ .x }}\n",
			} {
				found, err := helmtext.Secrets(fmt.Sprintf(format, test.value))
				if got := len(found) > 0; got != test.want || err != nil {
					t.Errorf("%s: %v, %v", kind, found, err)
				}
			}
		})
	}
}

func TestSecrets(t *testing.T) {
	tests := []struct {
		name string
		text []string // lines
		want string   // "LINE NAME: LINE FIELD.KEY,...; ..."
	}{
		{"chart", []string{
			`{{- if .Values.create }}`,
			`apiVersion: v1`,
			`kind: Secret`,
			`metadata:`,
			`  name: {{ include "c.fullname" . }}`,
			`  labels:`,
			`    {{- include "c.labels" . | nindent 4 }}`,
			`type: Opaque`,
			`data:`,
			`  {{- range $k, $v := .Values.env }}`,
			`  {{ $k }}: {{ $v | b64enc }}`,
			`  {{- end }}`,
			`  root: {{ "hunter2" | b64enc }}`,
			`{{- end }}`,
		}, "2 : 13 data.root"},
		{"both branches", []string{
			`kind: Secret`, `metadata: {name: db}`, `stringData:`,
			`{{ if .Values.password }}`, `  password: {{ .Values.password }}`, `{{ else }}`, `  password: hunter2`, `{{ end }}`,
		}, "1 db: 7 stringData.password"},
		{"block of text", []string{
			`kind: Secret`, `metadata: {name: db}`, `stringData:`, `  app.conf: |`, `    host = {{ .Values.host }}`,
			`    {{- if .Values.tls }}`, `    tls = true`, `    {{- end }}`, `    password = {{ .Values.password }}`, `  user: app`,
		}, "1 db: 10 stringData.user"},
		{"password in a block of text", []string{
			`kind: Secret`, `stringData:`, `  app.conf: |`, `    host = {{ .Values.host }}`, `    db.password = hunter2`,
		}, "1 : 3 stringData.app.conf"},
		{"action over several lines", []string{
			`kind: Secret`, `stringData:`, `  a: {{ printf "%s"`, `      .Values.a }}`, `  b: hunter2`,
		}, "1 : 5 stringData.b"},
		{"assigned before", []string{
			`{{- $p := "hunter2" }}{{ $q := .Values.q }}`, `kind: Secret`, `data:`, `  p: {{ $p | b64enc }}`, `  q: {{ $q | b64enc }}`,
		}, "2 : 4 data.p"},
		{"assigned in Jinja", []string{
			`{% set p = 'hunter2' %}`, `kind: Secret`, `stringData:`, `  p: {{ p }}`,
		}, "2 : 4 stringData.p"},
		{"several documents", []string{
			`kind: Secret`, `metadata: {name: a}`, `stringData: {x: "{{ .x }}"}`, `---`,
			`kind: ConfigMap`, `data: {x: hunter2}`, `---`, `kind: "Secret"`, `metadata: {name: b}`, `stringData: {x: hunter2}`,
		}, "8 b: 10 stringData.x"},
		{"in a list", []string{
			`kind: List`, `items:`, `- kind: Secret`, `  metadata: {name: a}`, `  stringData:`, `    x: hunter2`, `- kind: ConfigMap`, `  data: {y: z}`,
		}, "3 a: 6 stringData.x"},
		{"in a list that is no YAML", []string{
			`items: [`, `- kind: Secret`, `  metadata:`, `    name: a`, `  stringData:`, `    x: hunter2`, `- kind: ConfigMap`, `  data:`, `    y: z`,
		}, "2 a: 6 stringData.x"},
		{"kind by an action", []string{`kind: {{ "Secret" }}`, `stringData:`, `  x: hunter2`}, "1 : 3 stringData.x"},
		{"all of the data", []string{`kind: Secret`, `data: {{ toYaml .Values.data | nindent 2 }}`}, ""},
		{"files", []string{`kind: Secret`, `data:`, `{{ (.Files.Glob "conf/*").AsSecrets | indent 2 }}`}, ""},
		{"wrong case", []string{`kind: Secret`, `StringData:`, `  x: hunter2`}, "1 : 3 StringData.x"},
		{"other kinds", []string{`kind: ExternalSecret`, `data:`, `  x: hunter2`, `kind2: Secret`}, ""},
		{"Windows", []string{"\uFEFFkind: Secret\r", "stringData:\r", "  x: hunter2\r"}, "1 : 3 stringData.x"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			found, err := helmtext.Secrets(strings.Join(test.text, "\n"))
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, s := range found {
				var keys []string
				for _, w := range s.Literals {
					keys = append(keys, fmt.Sprintf("%d %s.%s", w.Line, w.Field, w.Key))
				}
				all = append(all, fmt.Sprintf("%d %s: %s", s.Line, s.Name, strings.Join(keys, ",")))
			}
			if diff := cmp.Diff(test.want, strings.Join(all, "; ")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestTooLarge(t *testing.T) {
	text := "kind: Secret\n" + strings.Repeat("#\n", helmtext.MaxBytes/2)
	if _, err := helmtext.Secrets(text); !errors.Is(err, helmtext.ErrTooLarge) {
		t.Errorf("error %v", err)
	}
}

func TestIsTemplate(t *testing.T) {
	for text, want := range map[string]bool{
		"a: {{ .x }}": true, "{% if x %}": true, "<%= x %>": true, "a: {b: {c: d}}": false, "a: {{": false, "a: ${X}": false,
	} {
		if got := helmtext.IsTemplate(text); got != want {
			t.Errorf("IsTemplate(%q) = %v", text, got)
		}
	}
}

// Whatever a template is, reading it ends, without a panic and with places that
// are in it.
func FuzzSecrets(f *testing.F) {
	f.Add("kind: Secret\nstringData:\n  a: {{ \"hunter2\" | b64enc }}\n")
	f.Add("- kind: Secret\n  data: [\n  a: {% if x %}b{% endif %}\n---\n{{- $p := `x` }}")
	f.Add("kind: Secret\ndata: &a\n  b: *a\n  c: |\n   {{ end }}\n   ${X:-hunter2}\n")
	f.Add("kind: \uE0000\uE001Secret\ndata: {{ (dict \"a\" ( }}")
	f.Fuzz(func(t *testing.T, text string) {
		found, err := helmtext.Secrets(text)
		lines := strings.Count(text, "\n") + 1
		for _, s := range found {
			if len(s.Literals) == 0 || s.Line < 1 || s.Line > lines {
				t.Errorf("%+v", s)
			}
			for _, w := range s.Literals {
				if w.Line < 1 || w.Line > lines {
					t.Errorf("%+v", w)
				}
			}
		}
		if err != nil && len(text) <= helmtext.MaxBytes {
			t.Error(err)
		}
		helmtext.Literal(text)
		helmtext.OnlyReferences(text)
	})
}
