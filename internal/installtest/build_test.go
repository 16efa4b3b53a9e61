// SPDX-License-Identifier: Apache-2.0

package installtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/signet-secrets/signet/internal/testtool"
)

// testTimeout is for a machine that is busy with other tests.
const testTimeout = 10 * time.Minute

// config returns the folder of the install manifests.
func config(tb testing.TB) string {
	tb.Helper()
	return filepath.Join(testtool.Root(tb), "controller", "config")
}

// build returns what kustomize makes of a folder.
func build(tb testing.TB, dir string) []byte {
	tb.Helper()
	r := testtool.Run(tb, testtool.Cmd{Path: testtool.Path(tb, "kustomize"), Args: []string{"build", dir}})
	if r.ExitCode != 0 {
		tb.Fatalf("kustomize build %s: %s", dir, r.Stderr)
	}
	if warnings := r.Stderr; len(warnings) > 0 {
		tb.Errorf("kustomize build %s warns: %s", dir, warnings)
	}
	return r.Stdout
}

// buildConfig is build for a folder of the install manifests.
func buildConfig(tb testing.TB, folder string) []byte {
	tb.Helper()
	return build(tb, filepath.Join(config(tb), folder))
}

// objects reads a YAML stream.
func objects(tb testing.TB, stream []byte) []*unstructured.Unstructured {
	tb.Helper()
	var all []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(stream), 4096)
	for {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(&o.Object)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			tb.Fatal(err)
		}
		if len(o.Object) > 0 {
			all = append(all, o)
		}
	}
}

// only returns the one object of a kind and name.
func only(tb testing.TB, all []*unstructured.Unstructured, kind, name string) *unstructured.Unstructured {
	tb.Helper()
	var found []*unstructured.Unstructured
	for _, o := range all {
		if o.GetKind() == kind && o.GetName() == name {
			found = append(found, o)
		}
	}
	if len(found) != 1 {
		tb.Fatalf("there are %d objects %s %s, want one", len(found), kind, name)
	}
	return found[0]
}

// as turns an object into its Go type. Fields that the type doesn't have are
// errors.
func as[T any](tb testing.TB, o *unstructured.Unstructured) *T {
	tb.Helper()
	v := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, v, true); err != nil {
		tb.Fatalf("%s %s: %v", o.GetKind(), o.GetName(), err)
	}
	return v
}

// kustomizations returns the folders of the install manifests that kustomize can
// build (kind Kustomization), or that others take in (kind Component).
func kustomizations(tb testing.TB, kind string) []string {
	tb.Helper()
	var folders []string
	err := filepath.WalkDir(config(tb), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "kustomization.yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte("\nkind: "+kind+"\n")) {
			folder, err := filepath.Rel(config(tb), filepath.Dir(path))
			folders = append(folders, folder)
			return err
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	if len(folders) == 0 {
		tb.Fatalf("no kustomization of kind %s", kind)
	}
	return folders
}

// install writes a kustomization of resources and components, folders of the
// install manifests, and returns its folder.
func install(tb testing.TB, resources, components []string) string {
	tb.Helper()
	dir, err := filepath.EvalSymlinks(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	list := func(folders []string) string {
		var b strings.Builder
		for _, folder := range folders {
			if !strings.HasSuffix(folder, ".yaml") {
				if folder, err = filepath.Rel(dir, filepath.Join(config(tb), folder)); err != nil {
					tb.Fatal(err)
				}
			}
			fmt.Fprintf(&b, "- %s\n", folder)
		}
		return b.String()
	}
	text := "resources:\n" + list(resources) + "components:\n" + list(components)
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func TestEveryBaseBuilds(t *testing.T) {
	for _, folder := range kustomizations(t, "Kustomization") {
		t.Run(folder, func(t *testing.T) {
			if len(objects(t, buildConfig(t, folder))) == 0 {
				t.Error("nothing comes out")
			}
		})
	}
}

func TestEveryComponentChangesSomething(t *testing.T) {
	bare := build(t, install(t, []string{"crd", "rbac", "manager", "network-policy"}, nil))
	for _, folder := range kustomizations(t, "Component") {
		if folder == "argocd" {
			continue // see TestArgoCDComponentAddsTheScript
		}
		t.Run(folder, func(t *testing.T) {
			if with := build(t, install(t, []string{"crd", "rbac", "manager", "network-policy"}, []string{folder})); bytes.Equal(with, bare) {
				t.Error("the component changes nothing")
			}
		})
	}
}

// A file that no kustomization lists is never installed.
func TestEveryFileIsListed(t *testing.T) {
	err := filepath.WalkDir(config(t), func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" || d.Name() == "kustomization.yaml" {
			return err
		}
		text, err := os.ReadFile(filepath.Join(filepath.Dir(path), "kustomization.yaml"))
		if err != nil {
			return err
		}
		if !slices.Contains(strings.Split(string(text), "\n"), "- "+d.Name()) {
			t.Errorf("%s: not in the kustomization beside it", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestArgoCDComponentAddsTheScript(t *testing.T) {
	script, err := os.ReadFile(filepath.Join(config(t), "argocd", "health.lua"))
	if err != nil {
		t.Fatal(err)
	}
	dir := install(t, []string{"argocd-cm.yaml"}, []string{"argocd"})
	const base = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: argocd-cm\ndata:\n  url: https://argocd.example.com\n"
	if err := os.WriteFile(filepath.Join(dir, "argocd-cm.yaml"), []byte(base), 0o600); err != nil {
		t.Fatal(err)
	}
	data, _, err := unstructured.NestedStringMap(only(t, objects(t, build(t, dir)), "ConfigMap", "argocd-cm").Object, "data")
	if err != nil {
		t.Fatal(err)
	}
	if data["url"] != "https://argocd.example.com" {
		t.Error("what was in argocd-cm is gone")
	}
	for _, kind := range []string{"SealedSecret", "SealingKey"} {
		if data["resource.customizations.health.signet.dev_"+kind] != string(script) {
			t.Errorf("no health of %s in argocd-cm", kind)
		}
	}
}
