// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/report"
	kustomizeplugin "github.com/signet-secrets/signet/kustomize-plugin"
)

// refuses checks that a configuration is an error that says want, and that it
// gives nothing else.
func refuses(t *testing.T, f *kustomizeplugin.Function, config, want string) {
	t.Helper()
	var out bytes.Buffer
	err := f.Run(context.Background(), strings.NewReader(resourceList(config)), &out)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
	if out.Len() > 0 {
		t.Errorf("%d bytes came out", out.Len())
	}
	if err != nil {
		hides(t, err.Error())
	}
}

const ksopsConfig = "apiVersion: viaduct.ai/v1\nkind: ksops\nmetadata: {name: k}\n"

func TestMalformedConfigs(t *testing.T) {
	f := &newLab(t).function().Function
	tests := []struct{ name, config, want string }{
		{"files is text", ksopsConfig + "files: a\n", "configuration ksops, k: read: files: must be a list"},
		{"files holds a number", ksopsConfig + "files: [1]\n", "files: must be a list of strings"},
		{"files holds nothing", ksopsConfig + "files: ['']\n", "files: must be a list of strings"},
		{"files is null", ksopsConfig + "files:\n", "neither files nor secretFrom"},
		{"secretFrom is a mapping", ksopsConfig + "secretFrom: {files: [a]}\n", "secretFrom: must be a list"},
		{"secretFrom holds text", ksopsConfig + "secretFrom: [a]\n", "secretFrom: must be a list of mappings"},
		{"type is a number", ksopsConfig + "secretFrom: [{type: 1}]\n", "secretFrom.type: is not a string"},
		{"envs is text", ksopsConfig + "secretFrom: [{envs: a}]\n", "secretFrom.envs: must be a list"},
		{"metadata is text", ksopsConfig + "secretFrom: [{metadata: a}]\n", "secretFrom.metadata: must be a mapping"},
		{"metadata has more", ksopsConfig + "secretFrom: [{metadata: {uid: a}}]\n", "unknown field secretFrom.metadata.uid; there are name, namespace, labels, annotations"},
		{"label is a number", ksopsConfig + "secretFrom: [{metadata: {name: a, labels: {b: 1}}}]\n", "secretFrom.metadata.labels.b: is not a string"},
		{"no name", ksopsConfig + "secretFrom: [{metadata: {}}]\n", "secretFrom.metadata.name: is missing"},
		{"group without version", "apiVersion: signet.dev\nkind: Unseal\n", "unknown configuration signet.dev Unseal"},
		{"SealingKey", "apiVersion: signet.dev/v1alpha1\nkind: SealingKey\n", "unknown configuration signet.dev/v1alpha1 SealingKey"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { refuses(t, f, test.config, test.want) })
	}
}

// TestOpenedButUseless opens files that hold something else than is asked for.
// The messages name the place and never what stands there.
func TestOpenedButUseless(t *testing.T) {
	l := newLab(t)
	const secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\n"
	for name, content := range map[string]string{
		"number.yaml": secret + "stringData:\n  password: " + canary + "\n  port: 5432\n",
		"list.yaml":   secret + "stringData:\n- " + canary + "\n",
		"data.yaml":   secret + "stringData:\n  password: " + canary + "\ndata:\n- a\n",
		"values.yaml": "password: " + canary + "\n",
		"text.txt":    canary + "\n: [\n",
		"bad.env":     "A=b\nB=\"" + canary + "\n",
	} {
		l.write(t, name, string(l.sops(t, name, []byte(content))))
	}
	from := func(list, file string) string {
		return ksopsConfig + "secretFrom:\n- metadata: {name: a}\n  " + list + ": [" + file + "]\n"
	}
	tests := []struct{ name, config, want string }{
		{"number", unsealing("number.yaml"), "number.yaml, document 1, db: open: stringData.port: is not a string, put it in quotes"},
		{"list", unsealing("list.yaml"), "list.yaml, document 1, db: open: stringData: must be a mapping"},
		{"data is a list", unsealing("data.yaml"), "data.yaml, document 1, db: open: data: must be a mapping"},
		{"no manifest", unsealing("values.yaml"), "values.yaml, document 1: read: is no Kubernetes object"},
		{"no manifest for ksops", ksopsConfig + "files: [values.yaml]\n", "values.yaml: read what was opened: is no Kubernetes object"},
		{"no YAML for ksops", ksopsConfig + "files: [text.txt]\n", "text.txt: read what was opened: "},
		{"no dotenv for ksops", from("envs", "bad.env"), "bad.env: read what was opened: dotenv: a quote is not closed"},
		{"key without path", from("binaryFiles", "a="), "read: is a directory"},
		{"path without key", from("binaryFiles", "=bad.env"), "bad.env: read: =bad.env is neither a path nor key=path"},
		{"outside for ksops", ksopsConfig + "files: [../a.yaml]\n", "../a.yaml: read: leads out of the directory that is read"},
		{"pattern for ksops", ksopsConfig + "files: ['*.yaml']\n", "*.yaml: read: no such file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { refuses(t, &l.function().Function, test.config, test.want) })
	}
	t.Run("no keys", func(t *testing.T) {
		refuses(t, &kustomizeplugin.Function{Root: l.dir}, unsealing("number.yaml"), "find keys: the program offers none")
	})
}

// TestClearForKSOPS lists files that nobody has encrypted: restoring them from
// Git would help nobody. One that is damaged is another matter.
func TestClearForKSOPS(t *testing.T) {
	l := newLab(t)
	const restore = "restore it from Git"
	encrypted := string(l.sops(t, "a.env", []byte("A="+canary+"\n")))
	damaged := strings.Replace(encrypted, "sops_mac=", "sops_mac=x", 1)
	if damaged == encrypted {
		t.Fatal("the edit changes nothing")
	}
	tests := []struct{ name, content, want string }{
		{"clear.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {a: " + canary + "}\n", "encrypt it: sops encrypt -i clear.yaml, or, if it is a Secret, signet seal --as sops -i clear.yaml"},
		{"clear.json", `{"a": "` + canary + `"}`, "encrypt it: sops encrypt -i clear.json"},
		{"clear.env", "A=" + canary + "\n", "encrypt it: sops encrypt -i clear.env"},
		{"clear.ini", "[a]\nb = " + canary + "\n", "encrypt it: sops encrypt -i clear.ini"},
		{"clear text.key", canary + "\n", "encrypt it: sops encrypt -i 'clear text.key'"},
		{"damaged.env", damaged, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l.write(t, test.name, test.content)
			config := ksopsConfig + "secretFrom:\n- metadata: {name: a}\n  files: ['" + test.name + "']\n"
			err := l.function().Run(context.Background(), strings.NewReader(resourceList(config)), &bytes.Buffer{})
			if err == nil {
				t.Fatal("no error")
			}
			got := kustomizeplugin.Hint(report.Split(err)[0])
			if !strings.HasPrefix(got, test.want) || test.want == "" && got != "" || strings.Contains(got, restore) {
				t.Errorf("hint %q of %v, want %q", got, err, test.want)
			}
			hides(t, err.Error()+got)
		})
	}
}

// broken fails every write.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// TestNotesOfSuccess has a remark about a result, which is untrue if there is
// none.
func TestNotesOfSuccess(t *testing.T) {
	l := newLab(t)
	document := strings.Replace(l.sealed(t, "prod", "db"), "  namespace: prod\n", "  namespace: prod\n  annotations: {kustomize.config.k8s.io/needs-hash: \"true\"}\n", 1)
	in := resourceList(unsealing(), document)
	c := l.function()
	c.mustRun(t, in)
	if !strings.Contains(c.notes.String(), "needs-hash works only for generators") {
		t.Fatalf("notes %q", c.notes.String())
	}
	c = l.function()
	if err := c.Run(context.Background(), strings.NewReader(in), broken{}); err == nil || c.notes.Len() > 0 {
		t.Errorf("error %v, notes %q", err, c.notes.String())
	}
}
