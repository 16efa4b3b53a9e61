// SPDX-License-Identifier: Apache-2.0

// Package helm runs the commands of this example, has Helm 4 render its chart
// with the plugin, and gives the post-renderer what Helm 3 and Helm 4 give it.
package helm

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/examples/internal/readme"
)

const value = "correct horse battery"

func TestReadme(t *testing.T) {
	s := readme.Start(t, "signet", "helm")
	out := s.Follow(t, readme.Blocks{Run: 2, Cluster: 3})
	if !strings.Contains(out, "password: "+value+"\n") {
		t.Errorf("the post-renderer printed\n%s", out)
	}
	s.Hidden(t, value)
	for _, helm := range []struct {
		name   string
		stream func(*testing.T, *readme.Scratch) string
	}{{"Helm 3", helm3}, {"Helm 4", helm4}} {
		t.Run(helm.name, func(t *testing.T) {
			stream := helm.stream(t, s)
			out := s.Must(t, "./signet/post-render.sh --only-namespace=prod", []byte(stream)...)
			checkObjects(t, out)
			// The part before the document comes out as it went in.
			before, _, _ := strings.Cut(stream, "kind: SealedSecret")
			if before = before[:strings.LastIndex(before, "---")]; !strings.HasPrefix(out, before) {
				t.Errorf("something else was changed:\n%s", out)
			}
			s.Write(t, "stream", stream)
			s.Fails(t, "./signet/post-render.sh --only-namespace=dev < stream", "prod")
			s.Fails(t, "HOME=/nonexistent XDG_CONFIG_HOME=/nonexistent ./signet/post-render.sh < stream", "no key")
		})
	}
	t.Run("Helm 4 itself", func(t *testing.T) {
		checkObjects(t, s.Must(t, readme.Block(t, "With Helm of any version")))
		const template = `export XDG_DATA_HOME="$HOME/.local/share"
helm template shop chart --namespace prod --post-renderer signet --post-renderer-args=--only-namespace=`
		s.Must(t, `XDG_DATA_HOME="$HOME/.local/share" helm plugin install ./signet`)
		checkObjects(t, s.Must(t, template+"prod"))
		s.Fails(t, template+"dev", "post-renderer")
	})
	t.Run("a SOPS-encrypted Secret and Helm 4", func(t *testing.T) {
		s.Must(t, "echo -n x | signet seal --as sops --name api -n prod --from-file=token=- -o api.yaml")
		s.Must(t, "./signet/post-render.sh < api.yaml")
		s.Write(t, "annotated.yaml", annotate(s.Read(t, "api.yaml"), "shop/templates/api.yaml"))
		s.Fails(t, "./signet/post-render.sh < annotated.yaml", "mac")
	})
}

// helm3 is what Helm 3 gives a post-renderer: the templates, rendered, each
// below its path.
func helm3(t *testing.T, s *readme.Scratch) string {
	t.Helper()
	return "---\n# Source: shop/templates/deployment.yaml\n" + rendered(t, s) + "\n---\n# Source: shop/templates/db.yaml\n" + s.Read(t, "chart/templates/db.yaml") + "\n"
}

// helm4 is what Helm 4 gives one: the objects, written anew, each with the path
// of its template in an annotation.
func helm4(t *testing.T, s *readme.Scratch) string {
	t.Helper()
	return "---\n" + annotate(rendered(t, s), "shop/templates/deployment.yaml") + "---\n" + annotate(s.Read(t, "chart/templates/db.yaml"), "shop/templates/db.yaml")
}

func annotate(object, path string) string {
	return strings.Replace(object, "metadata:\n", "metadata:\n  annotations:\n    postrenderer.helm.sh/postrender-filename: '"+path+"'\n", 1)
}

// rendered is the Deployment of the chart. There is one expression in it.
func rendered(t *testing.T, s *readme.Scratch) string {
	t.Helper()
	text := strings.Replace(s.Read(t, "chart/templates/deployment.yaml"), "{{ .Release.Namespace }}", "prod", 1)
	if strings.Contains(text, "{{") || strings.Contains(s.Read(t, "chart/templates/db.yaml"), "{{") {
		t.Fatal("another expression, which this test does not know")
	}
	return text
}

func checkObjects(t *testing.T, stream string) {
	t.Helper()
	var kinds []string
	d := yaml.NewDecoder(strings.NewReader(stream))
	for {
		var o struct {
			Kind       string
			Metadata   struct{ Name, Namespace string }
			StringData map[string]string `yaml:"stringData"`
		}
		if d.Decode(&o) != nil {
			break
		}
		kinds = append(kinds, o.Kind+" "+o.Metadata.Namespace+"/"+o.Metadata.Name)
		if o.Kind == "Secret" && o.StringData["password"] != value {
			t.Errorf("values %q", o.StringData)
		}
	}
	slices.Sort(kinds) // Helm 4 has an order of its own
	if diff := cmp.Diff([]string{"Deployment prod/shop", "Secret prod/db"}, kinds); diff != "" {
		t.Error(diff)
	}
}

// The plugin names the program that Helm 3 runs, and it can be run.
func TestPlugin(t *testing.T) {
	text, err := os.ReadFile("signet/plugin.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var plugin struct {
		APIVersion          string `yaml:"apiVersion"`
		Type, Name, Runtime string
		RuntimeConfig       struct {
			PlatformCommand []struct{ Command string } `yaml:"platformCommand"`
		} `yaml:"runtimeConfig"`
	}
	d := yaml.NewDecoder(strings.NewReader(string(text)))
	if err := d.Decode(&plugin); err != nil {
		t.Fatal(err)
	}
	if plugin.APIVersion != "v1" || plugin.Type != "postrenderer/v1" || plugin.Name != "signet" || plugin.Runtime != "subprocess" ||
		len(plugin.RuntimeConfig.PlatformCommand) != 1 || plugin.RuntimeConfig.PlatformCommand[0].Command != "${HELM_PLUGIN_DIR}/post-render.sh" {
		t.Errorf("%+v", plugin)
	}
	info, err := os.Stat("signet/post-render.sh")
	if err != nil || info.Mode().Perm()&0o111 == 0 {
		t.Errorf("post-render.sh: %v, mode %v", err, info.Mode())
	}
}
