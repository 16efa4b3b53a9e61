// SPDX-License-Identifier: Apache-2.0

// Package argocd runs the commands of this example, and tests what its README
// promises of the documents and of the command that the plugin runs. The plugin
// under Argo CD's own server is tested in kustomize-plugin/argocd, health.lua in
// controller/config/test.
package argocd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/examples/internal/readme"
)

const value = "correct horse battery"

func TestReadme(t *testing.T) {
	s := readme.Start(t, "signet", "kustomize")
	out := s.Follow(t, readme.Blocks{Run: 2, Cluster: 1})
	if !strings.Contains(out, "password: "+value+"\n") || strings.Contains(out, "SealedSecret") {
		t.Errorf("the plugin's command printed\n%s", out)
	}
	if strings.Contains(out, "argocd.argoproj.io") {
		t.Errorf("a mark of Argo CD came out:\n%s", out)
	}
	s.Hidden(t, value, "AGE-SECRET-KEY")

	var o struct {
		Metadata struct{ Annotations map[string]string }
		Spec     struct {
			Sealed struct{ Annotations map[string]string }
		}
	}
	if err := yaml.Unmarshal([]byte(s.Read(t, "shop/db.yaml")), &o); err != nil {
		t.Fatal(err)
	}
	if o.Metadata.Annotations["argocd.argoproj.io/sync-wave"] != "-1" || len(o.Spec.Sealed.Annotations) > 0 {
		t.Errorf("the wave is not where Argo CD looks for it: %+v", o)
	}
	t.Run("an Application of another namespace", func(t *testing.T) {
		s.Fails(t, "export SOPS_AGE_KEY_FILE=~/controller.txt; signet unseal --only-namespace dev --namespace dev -- kustomize build shop", "dev")
		s.Fails(t, "export SOPS_AGE_KEY_FILE=~/controller.txt; sed 's/namespace: prod/namespace: dev/' shop/db.yaml | signet unseal --only-namespace dev -", "prod/db")
	})
	t.Run("without the key nothing is pruned", func(t *testing.T) {
		s.Fails(t, "signet unseal --only-namespace prod --namespace prod -- kustomize build shop", "no key could unwrap the data key")
	})
}

// The Applications use the options that the README speaks of, name directories
// that there are, and nothing that it warns of.
func TestApplications(t *testing.T) {
	files, err := filepath.Glob("applications/*.yaml")
	if err != nil || len(files) != 3 {
		t.Fatalf("%d Applications, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var app struct {
			APIVersion, Kind string
			Spec             struct {
				Source struct {
					RepoURL string `yaml:"repoURL"`
					Path    string
					Plugin  struct{ Name string }
				}
				SyncPolicy struct {
					SyncOptions []string `yaml:"syncOptions"`
				} `yaml:"syncPolicy"`
			}
		}
		if err := yaml.Unmarshal(text, &app); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		directory := app.Spec.Source.Path
		if strings.HasSuffix(app.Spec.Source.RepoURL, "/signet") {
			directory = filepath.Join("..", "..", directory)
		}
		if _, err := os.Stat(filepath.Join(directory, "kustomization.yaml")); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		options := strings.Join(app.Spec.SyncPolicy.SyncOptions, " ")
		if !strings.Contains(options, "ServerSideApply=true") || strings.Contains(options, "Replace=true") {
			t.Errorf("%s: options %s", file, options)
		}
		if plugin := app.Spec.Source.Plugin.Name; (plugin == "signet") != strings.Contains(file, "plugin") {
			t.Errorf("%s: plugin %q", file, plugin)
		}
	}
}

// The plugin has the name that the Application gives it.
func TestPluginOfThatName(t *testing.T) {
	text, err := os.ReadFile("../../kustomize-plugin/argocd/plugin.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var plugin struct {
		Kind     string
		Metadata struct{ Name string }
		Spec     struct{ Version string }
	}
	if err := yaml.Unmarshal(text, &plugin); err != nil {
		t.Fatal(err)
	}
	if plugin.Kind != "ConfigManagementPlugin" || plugin.Metadata.Name != "signet" || plugin.Spec.Version != "" {
		t.Errorf("%+v: with a version the name would have it at its end", plugin)
	}
}
