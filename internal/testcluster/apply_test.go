// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
)

func testApply(t *testing.T, c *Cluster) {
	// Objects before what they need, in a List and between empty documents.
	manifests := `# nothing but a comment
---
apiVersion: v1
kind: List
items:
- apiVersion: signet.dev/v1
  kind: Gadget
  metadata: {name: first, namespace: late}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: homeless}
  data: {key: value}
---
---
apiVersion: v1
kind: Namespace
metadata: {name: late}
---
` + strings.NewReplacer("widget", "gadget", "Widget", "Gadget").Replace(widgets)
	for _, run := range []string{"first", "second"} {
		if err := c.Apply(t.Context(), []byte(manifests)); err != nil {
			t.Fatalf("%s time: %v", run, err)
		}
	}
	got, err := clientFor(t, c.Admin()).CoreV1().ConfigMaps("default").Get(t.Context(), "homeless", metav1.GetOptions{})
	if err != nil || got.Data["key"] != "value" {
		t.Errorf("ConfigMap without a namespace: %v, %v, want it in default", got, err)
	}
	err = c.Apply(t.Context(), []byte("apiVersion: signet.dev/v1\nkind: Unheard\nmetadata: {name: x}\n"))
	if err == nil || !strings.Contains(err.Error(), "apply Unheard x: ") {
		t.Errorf("unknown kind: %v, want an error that names the object", err)
	}
}

func TestParseManifests(t *testing.T) {
	tests := []struct {
		name, stream string
		want         []string
		wantErr      string
	}{
		{name: "nothing"},
		{name: "comments and empty documents", stream: "# one\n---\n---\n# two\n"},
		{
			name:   "two documents",
			stream: "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: c}\n",
			want:   []string{"Secret b/a", "Namespace c"},
		},
		{
			name:   "list",
			stream: "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: a}}\n- {apiVersion: v1, kind: Secret, metadata: {name: b}}\n",
			want:   []string{"Secret a", "Secret b"},
		},
		{name: "JSON", stream: `{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}`, want: []string{"Secret a"}},
		{name: "no kind", stream: "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n---\nmetadata: {name: a}\n", wantErr: "read manifests: document 2: no apiVersion or kind"},
		{name: "duplicate key", stream: "apiVersion: v1\nkind: Secret\nkind: Secret\n", wantErr: "read manifests: document 1: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			objects, err := parseManifests([]byte(test.stream))
			if test.wantErr == "" && err != nil || test.wantErr != "" && (err == nil || !strings.Contains(err.Error(), test.wantErr)) {
				t.Fatalf("error %v, want %q", err, test.wantErr)
			}
			var got []string
			for _, o := range objects {
				got = append(got, describe(o))
			}
			if diff := cmp.Diff(test.want, got); diff != "" && err == nil {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
		})
	}
}

func testKubeconfig(t *testing.T, c *Cluster) {
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteKubeconfig(path, c.As("jane", "system:masters")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Impersonate.UserName != "jane" {
		t.Errorf("user %q, want jane", cfg.Impersonate.UserName)
	}
	if _, err := clientFor(t, cfg).CoreV1().Secrets("default").List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("list Secrets with the kubeconfig: %v", err)
	}
}
