// SPDX-License-Identifier: Apache-2.0

//go:build linux

package argocd_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	settings      = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  a: \"1\"\n"
	settingsJSON  = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"},"data":{"a":"1"}}`
	settingsMoved = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings","namespace":"prod"},"data":{"a":"1"}}`
)

// secretJSON is the Secret that seal seals.
func secretJSON(namespace, name string) string {
	return `{"apiVersion":"v1","kind":"Secret","type":"Opaque","metadata":{"name":"` + name + `","namespace":"` + namespace +
		`"},"stringData":{"password":"` + password + `"}}`
}

// generates checks that an Application comes out as these manifests, in
// whatever order.
func (p *plugin) generates(t *testing.T, a app, want ...string) {
	t.Helper()
	got := p.ask(t, "generate", a)
	if got.Error != "" {
		t.Fatal(got.Error)
	}
	if diff := cmp.Diff(parsed(t, want), parsed(t, got.Manifests)); diff != "" {
		t.Errorf("manifests (-want +got):\n%s", diff)
	}
}

func parsed(t *testing.T, manifests []string) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, text := range manifests {
		var m struct {
			Kind     string
			Metadata struct{ Name, Namespace string }
		}
		var whole any
		for _, to := range []any{&m, &whole} {
			if err := json.Unmarshal([]byte(text), to); err != nil {
				t.Fatalf("%v in %q", err, text)
			}
		}
		name := m.Kind + " " + m.Metadata.Namespace + "/" + m.Metadata.Name
		if all[name] != nil {
			t.Errorf("%s comes twice", name)
		}
		all[name] = whole
	}
	return all
}

// An Application's Secrets come out opened and the rest as it was, whatever it
// is made with.
func TestGenerate(t *testing.T) {
	p := start(t, setup{})
	db, api, batch := p.seal(t, "prod", "db"), p.seal(t, "prod", "api"), p.seal(t, "prod", "batch", "--scope", "cluster")
	placeless := strings.Replace(batch, "  namespace: prod\n", "", 1)
	if placeless == batch {
		t.Fatal("no namespace to take away")
	}
	tests := []struct {
		name string
		app  app
		want []string
	}{
		{"kustomization", app{files: map[string]string{
			"app/kustomization.yaml": "namespace: prod\nresources: [settings.yaml, db.yaml]\n", "app/settings.yaml": settings, "app/db.yaml": db,
		}, path: "app"}, []string{settingsMoved, secretJSON("prod", "db")}},
		{"kustomization with a base elsewhere", app{files: map[string]string{
			"base/kustomization.yml": "resources: [db.yaml, deeper]\n", "base/db.yaml": db,
			"base/deeper/Kustomization": "resources: [api.yaml]\n", "base/deeper/api.yaml": api,
			"overlays/prod/kustomization.yaml": "resources: [../../base, settings.yaml]\n", "overlays/prod/settings.yaml": settings,
		}, path: "overlays/prod"}, []string{settingsJSON, secretJSON("prod", "db"), secretJSON("prod", "api")}},
		{"files", app{files: map[string]string{
			"db.yaml": db, "api.yml": api, "settings.json": settingsJSON, "empty.yaml": "", "-n.yaml": "# no flag\n",
			"README.md": "# not a manifest", ".hidden.yaml": "a: 1", "deeper/other.yaml": p.seal(t, "stage", "other"),
		}}, []string{settingsJSON, secretJSON("prod", "db"), secretJSON("prod", "api")}},
		{"files of directories", app{files: map[string]string{
			"db.yaml": db, "deeper/deepest/api.yaml": api, "deeper/settings.yaml": settings,
		}, parameters: `[{"name": "recurse", "string": "true"}]`}, []string{settingsJSON, secretJSON("prod", "db"), secretJSON("prod", "api")}},
		{"object without namespace", app{files: map[string]string{"batch.yaml": placeless}}, []string{secretJSON("prod", "batch")}},
		{"nothing sealed", app{files: map[string]string{"settings.yaml": settings}}, []string{settingsJSON}},
		{"nothing at all, permitted", app{
			files: map[string]string{"empty.yaml": "# nothing\n"}, parameters: `[{"name": "allow-empty", "string": "true"}]`,
		}, nil},
		{"no file, permitted", app{
			files: map[string]string{"README.md": "#\n"}, parameters: `[{"name": "allow-empty", "string": "true"}]`,
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { p.generates(t, tt.app, tt.want...) })
	}
}

// A chart is rendered as Argo CD renders it: with the name of the Application,
// its namespace, the versions of the cluster and the chart's CRDs.
func TestHelm(t *testing.T) {
	p := start(t, setup{})
	const crd = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.example.com"}}`
	chart := map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n", "values.yaml": "a: 0\nb: 0\n",
		"values/prod.yaml": "a: 1\n", "My_values-2.yml": "b: 2\n", "crds/things.yaml": crd, "templates/db.yaml": p.seal(t, "prod", "db"),
		"templates/settings.yaml": `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
data:
  values: "{{ .Values.a }}{{ .Values.b }}"
  cluster: "{{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.APIVersions.Has "example.com/v1" }}"
`,
	}
	p.generates(t, app{files: chart, parameters: `[{"name": "values", "array": ["values/prod.yaml", "My_values-2.yml"]}]`},
		crd, secretJSON("prod", "db"),
		`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"shop","namespace":"prod"},"data":{"values":"12","cluster":"v1.36.3 true"}}`)
	t.Run("values missing", func(t *testing.T) {
		p.fails(t, app{files: chart, parameters: `[{"name": "values", "array": ["missing.yaml"]}]`}, "Error: ", "missing.yaml", "\nsignet: error: run helm: exit status 1")
	})
}
