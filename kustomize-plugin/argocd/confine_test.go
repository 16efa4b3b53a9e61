// SPDX-License-Identifier: Apache-2.0

//go:build linux

package argocd_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/testtool"
)

// chart prints its values and its files.
func chart() map[string]string {
	return map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n", "values.yaml": "a: 0\n", "a.yaml": "a: 1\n", "b.yaml": "a: 2\n",
		"templates/settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n" +
			"  values: {{ toJson .Values | quote }}\n  file: {{ .Files.Get \"loot.txt\" | quote }}\n",
	}
}

// The parameter "values", which Git can set too, names no file outside of the
// chart, whatever helm makes of it.
func TestValuesStayInTheChart(t *testing.T) {
	p := start(t, setup{})
	outside := filepath.Join(t.TempDir(), "gcp.json")
	write(t, outside, `{"private_key": "`+loot+`"}`)
	for _, values := range []string{
		outside, "../other.yaml", "a/../../other.yaml", "..", "https://example.com/a.yaml", "file://" + outside, "--post-renderer=sh", "-", "",
		"a.yaml," + outside, "a.yaml,../other.yaml", `"` + outside + `"`, `a.yaml,"` + outside + `"`, "a.yaml\n" + outside,
		`a.yaml\,b.yaml`, "a.yaml b.yaml", "*.yaml", "a.yaml;b", "{a,b}.yaml", "\x7f", "ä.yaml",
	} {
		t.Run("values "+values, func(t *testing.T) {
			parameters, err := json.Marshal([]map[string]any{{"name": "values", "array": []string{values}}})
			if err != nil {
				t.Fatal(err)
			}
			p.fails(t, app{files: chart(), parameters: string(parameters)}, `signet: error: the parameter "values" names a file `, "\nsignet: hint: ")
			p.refuses(t, app{files: chart(), parameters: string(parameters)})
		})
	}
	p.generates(t, app{files: chart(), parameters: `[{"name": "values", "array": ["a.yaml", "b.yaml"]}]`},
		`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"},"data":{"values":"{\"a\":2}","file":""}}`)
}

// direct runs the plugin's script in a directory as it is, without the checks that
// Argo CD makes when it unpacks a repository.
func (p *plugin) direct(t *testing.T, files, links map[string]string, env ...string) testtool.Result {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return testtool.Run(t, testtool.Cmd{
		Path: p.path("signet-argocd-generate"), Dir: dir, Env: p.environ(append(env, "ARGOCD_APP_NAME=shop", "ARGOCD_APP_NAMESPACE=prod")...),
	})
}

// helm follows links within a chart, to any file. The plugin doesn't let it.
func TestHelmFollowsNoLinks(t *testing.T) {
	p := start(t, setup{})
	outside := t.TempDir()
	write(t, filepath.Join(outside, "loot.txt"), loot)
	write(t, filepath.Join(outside, "values.yaml"), "a: "+loot+"\n")
	const refused = "signet: error: there are symbolic links, which are not followed\nsignet: hint: replace them by what they point to\n"
	for _, tt := range []struct{ name, link, target string }{
		{"file of the chart", "loot.txt", "values.yaml"},
		{"file of the system", "loot.txt", filepath.Join(outside, "loot.txt")},
		{"variables", "loot.txt", "/proc/self/environ"},
		{"values", "prod.yaml", filepath.Join(outside, "values.yaml")},
		{"directory", "deeper", outside},
		{"hidden", ".deeper", outside},
		{"chart of the chart", "charts", outside},
		{"directory for values", "values", outside},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := app{files: chart(), links: map[string]string{tt.link: tt.target}}
			if got := p.ask(t, "generate", a); len(got.Manifests) > 0 || !strings.Contains(got.Error, "symbolic links, which are not followed") {
				t.Errorf("under Argo CD's server: %d manifests and %q", len(got.Manifests), got.Error)
			}
			env := []string{}
			if strings.HasPrefix(tt.name, "values") {
				env = append(env, "PARAM_VALUES_0=prod.yaml")
			} else if strings.HasPrefix(tt.name, "directory for") {
				env = append(env, "PARAM_VALUES_0=values/values.yaml")
			}
			got := p.direct(t, a.files, a.links, env...)
			if got.ExitCode != 1 || len(got.Stdout) > 0 || string(got.Stderr) != refused {
				t.Errorf("exit %d\n%s%s", got.ExitCode, got.Stdout, got.Stderr)
			}
		})
	}
}

// kustomize itself reads no file outside of the directory of a kustomization, by
// whatever path or link and whatever for.
func TestKustomizeStaysInItsDirectory(t *testing.T) {
	p := start(t, setup{})
	outside := t.TempDir()
	write(t, filepath.Join(outside, "key"), "a: "+loot+"\n")
	absolute := filepath.Join(outside, "key")
	links := map[string]string{"link": absolute, "directory": outside}
	for _, field := range []string{
		"configMapGenerator: [{name: x, files: [%]}]", "configMapGenerator: [{name: x, envs: [%]}]", "secretGenerator: [{name: x, files: [k=%]}]",
		"resources: [%]", "components: [%]", "generators: [%]", "transformers: [%]", "validators: [%]", "crds: [%]", "configurations: [%]",
		"patches: [{path: %, target: {kind: ConfigMap}}]", "replacements: [{path: %}]", "openapi: {path: %}",
		"helmCharts: [{name: x, valuesFile: %}]", "patchesStrategicMerge: [%]",
	} {
		t.Run(field, func(t *testing.T) {
			for _, path := range []string{"link", "directory/key", absolute} {
				files := map[string]string{"kustomization.yaml": strings.ReplaceAll(field, "%", path) + "\n", "settings.yaml": settings}
				if !strings.HasPrefix(field, "resources") {
					files["kustomization.yaml"] += "resources: [settings.yaml]\n"
				}
				got := p.direct(t, files, links)
				if got.ExitCode == 0 || len(got.Stdout) > 0 || strings.Contains(string(got.Stderr), loot) ||
					!strings.Contains(string(got.Stderr), "signet: error: run kustomize: exit status 1") {
					t.Errorf("%s: exit %d\n%s%s", path, got.ExitCode, got.Stdout, got.Stderr)
				}
			}
		})
	}
}
