// SPDX-License-Identifier: Apache-2.0

//go:build linux

package argocd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/testtool"
)

// With discovery, the plugin is for directories in which something is sealed that
// it opens, and for no others.
func TestDiscover(t *testing.T) {
	p := start(t, setup{config: "discover"})
	db := p.seal(t, "prod", "db")
	const values = "password: ENC[AES256_GCM,data:Zm9v,iv:Zm9v,tag:Zm9v,type:str]\nsops: {}\n"
	tests := []struct {
		name  string
		files map[string]string
		want  bool
	}{
		{"SealedSecret", map[string]string{"app/db.yaml": db}, true},
		{"SealedSecret in a directory within", map[string]string{"app/base/db.yml": db}, true},
		{"Secret of SOPS", map[string]string{"app/db.yaml": "apiVersion: v1\nkind: Secret\ndata:\n  " + values}, true},
		{"JSON", map[string]string{"app/db.json": `{"kind": "Secret", "data": {"a": "ENC[AES256_GCM,data:Zm9v]"}}`}, true},
		{"SealedSecret elsewhere", map[string]string{"app/settings.yaml": settings, "other/db.yaml": db}, false},
		{"hidden", map[string]string{"app/settings.yaml": settings, "app/.old/db.yaml": db}, false},
		{"values of a chart", map[string]string{"app/values.yaml": values}, false},
		{"SealedSecret of Bitnami", map[string]string{"app/db.yaml": "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nspec:\n  encryptedData: {a: AgBy}\n"}, false},
		{"Secret that is not sealed", map[string]string{"app/db.yaml": "apiVersion: v1\nkind: Secret\nstringData: {a: b}\n"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := p.ask(t, "match", app{files: tt.files, path: "app"})
			if got.Error != "" || got.Supported != tt.want || !got.Discovery {
				t.Errorf("got %+v, want supported to be %v", got, tt.want)
			}
		})
	}
	p.generates(t, app{files: map[string]string{"app/db.yaml": db}, path: "app"}, secretJSON("prod", "db"))
}

// Without discovery, an Application has to name the plugin.
func TestNamed(t *testing.T) {
	p := start(t, setup{})
	got := p.ask(t, "match", app{files: map[string]string{"db.yaml": p.seal(t, "prod", "db")}})
	if diff := cmp.Diff(answer{}, got); diff != "" {
		t.Errorf("match (-want +got):\n%s", diff)
	}
}

// The UI offers the parameters that the script knows.
func TestParameters(t *testing.T) {
	p := start(t, setup{})
	got := p.ask(t, "parameters", app{files: map[string]string{"settings.yaml": settings}})
	want := []announcement{
		{"namespaces", "array", ""}, {"recurse", "", "false"}, {"values", "array", ""}, {"allow-empty", "", "false"},
	}
	if diff := cmp.Diff(want, got.Parameters); diff != "" || got.Error != "" {
		t.Errorf("%s\nparameters (-want +got):\n%s", got.Error, diff)
	}
	script, err := os.ReadFile("generate.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range got.Parameters {
		if name := "PARAM_" + strings.ToUpper(strings.ReplaceAll(a.Name, "-", "_")); !strings.Contains(string(script), name) {
			t.Errorf("generate.sh does not know %s", name)
		}
	}
}

// The two configurations differ in discovery only.
func TestConfigurations(t *testing.T) {
	named, discovering := readYAML(t, "plugin.yaml"), readYAML(t, "discover/plugin.yaml")
	spec := discovering["spec"].(map[string]any)
	if spec["discover"] == nil {
		t.Error("discover/plugin.yaml has no discovery")
	}
	delete(spec, "discover")
	if diff := cmp.Diff(named, discovering); diff != "" {
		t.Errorf("discover/plugin.yaml (-named +discovering):\n%s", diff)
	}
}

func readYAML(t *testing.T, path string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

// The component fits the repo server of Argo CD: the volumes that the sidecar
// mounts are there, it shares no files with it but what it has to, and it is
// confined.
func TestSidecar(t *testing.T) {
	dir := t.TempDir()
	argo := testtool.Run(t, testtool.Cmd{
		Path: "go", Args: []string{"list", "-m", "-f", "{{.Dir}}", "github.com/argoproj/argo-cd/v3"},
		Dir: filepath.Join(testtool.Root(t), "internal/testbin/argocd-cmp-server"), Env: []string{"GOFLAGS=-mod=readonly", "GOWORK=off"},
	})
	deployment, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(argo.Stdout)), "manifests/base/repo-server/argocd-repo-server-deployment.yaml"))
	if err != nil {
		t.Fatalf("%v %s", err, argo.Stderr)
	}
	write(t, filepath.Join(dir, "deployment.yaml"), string(deployment))
	write(t, filepath.Join(dir, "kustomization.yaml"), "resources: [deployment.yaml]\ncomponents: [sidecar]\n")
	if err := os.CopyFS(filepath.Join(dir, "sidecar"), os.DirFS("sidecar")); err != nil {
		t.Fatal(err)
	}
	built := testtool.Run(t, testtool.Cmd{Path: testtool.Path(t, "kustomize"), Args: []string{"build", dir}})
	if built.ExitCode != 0 || len(built.Stderr) > 0 {
		t.Fatalf("kustomize build: %s", built.Stderr)
	}
	var d struct {
		Spec struct{ Template struct{ Spec podSpec } }
	}
	if err := yaml.Unmarshal(built.Stdout, &d); err != nil {
		t.Fatal(err)
	}
	checkSidecar(t, d.Spec.Template.Spec)
}

type podSpec struct {
	Containers []container
	Volumes    []struct {
		Name     string
		EmptyDir map[string]any `yaml:"emptyDir"`
	}
}

type container struct {
	Name            string
	Args            []string
	Env             []struct{ Name, Value string }
	SecurityContext map[string]any `yaml:"securityContext"`
	VolumeMounts    []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

func checkSidecar(t *testing.T, pod podSpec) {
	t.Helper()
	containers, volumes, empty := map[string]container{}, map[string]bool{}, map[string]bool{}
	for _, c := range pod.Containers {
		containers[c.Name] = c
	}
	for _, v := range pod.Volumes {
		volumes[v.Name], empty[v.Name] = true, v.EmptyDir != nil
	}
	if len(containers) != 2 || len(containers["argocd-repo-server"].Args) == 0 {
		t.Fatalf("the containers are %+v", pod.Containers)
	}
	sidecar := containers["signet"]
	want := map[string]any{
		"runAsNonRoot": true, "runAsUser": 999, "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
		"capabilities": map[string]any{"drop": []any{"ALL"}}, "seccompProfile": map[string]any{"type": "RuntimeDefault"},
	}
	if diff := cmp.Diff(want, sidecar.SecurityContext); diff != "" {
		t.Errorf("security context (-want +got):\n%s", diff)
	}
	shared := map[string]bool{}
	for _, m := range containers["argocd-repo-server"].VolumeMounts {
		shared[m.Name] = true
	}
	homes := map[string]bool{}
	for _, m := range sidecar.VolumeMounts {
		if !volumes[m.Name] {
			t.Errorf("there is no volume %s", m.Name)
		}
		if shared[m.Name] && !m.ReadOnly && m.Name != "plugins" {
			t.Errorf("the sidecar may write to %s, which the repo server has too", m.Name)
		}
		if m.ReadOnly && empty[m.Name] && !shared[m.Name] {
			homes[m.MountPath] = true
		}
	}
	env := map[string]string{}
	for _, e := range sidecar.Env {
		env[e.Name] = e.Value
	}
	if !homes[env["HOME"]] || env["TMPDIR"] != "/tmp" || env["SIGNET_GIT_PROTOCOLS"] != "" {
		t.Errorf("HOME is nothing that stays empty, or what it should not be is set: %q", env)
	}
	for _, name := range []string{"SIGNET_ALLOW_KEYS", "SIGNET_PARAMETER_NAMESPACES", "SIGNET_GIT_PROTOCOLS", "SIGNET_ALLOW_UNSCOPED", "SIGNET_TIMEOUT"} {
		if _, ok := env[name]; !ok {
			t.Errorf("%s is not set, so that nobody sees it there", name)
		}
	}
	if env["SIGNET_ALLOW_UNSCOPED"] == "true" {
		t.Error("SOPS documents are opened without a choice of the administrator")
	}
	if !strings.Contains(strings.Join(sidecar.Args, " "), "--loglevel=info") {
		t.Errorf("the arguments are %q: debug would log Secrets", sidecar.Args)
	}
}
