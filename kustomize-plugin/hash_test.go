// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// suffix computes the hash that kustomize appends to the name of a Secret
// (kustomize api: hasher/hasher.go). The name plays no part: it is looked for
// in the wrong place there.
func suffix(t *testing.T, secretType string, data, stringData map[string]string) string {
	t.Helper()
	m := map[string]any{"kind": "Secret", "name": "", "type": secretType, "data": ""}
	if data != nil {
		m["data"] = data
	}
	if stringData != nil {
		m["stringData"] = stringData
	}
	text, err := json.Marshal(m)
	mustDo(t, err)
	sum := sha256.Sum256(text)
	return strings.NewReplacer("0", "g", "1", "h", "3", "k", "a", "m", "e", "t").Replace(hex.EncodeToString(sum[:])[:10])
}

// TestHashSuffix computes suffixes without kustomize.
func TestHashSuffix(t *testing.T) {
	l := newLab(t)
	const annotated = "\n  annotations:\n    kustomize.config.k8s.io/needs-hash: 'true'\n"
	const clear = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: prod" + annotated + "type: Opaque\nstringData:\n  password: " + canary + "\n"
	l.write(t, "db.yaml", string(l.sealFile(t, "db.yaml", []byte("# signet strict\n"+clear))))
	l.write(t, "db.enc.yaml", string(l.sops(t, "db.enc.yaml", []byte(clear))))
	ksops := "apiVersion: viaduct.ai/v1\nkind: ksops\nmetadata:\n  name: k" + function + "files: [db.enc.yaml]\n"
	tests := []struct{ name, config, want string }{
		{"SealedSecret", unsealing("db.yaml"), suffix(t, "Opaque", map[string]string{"password": inClear()}, nil)},
		{"SOPS", unsealing("db.enc.yaml"), suffix(t, "Opaque", map[string]string{"password": inClear()}, nil)},
		{"ksops", ksops, suffix(t, "Opaque", nil, map[string]string{"password": canary})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l.write(t, "kustomization.yaml", "generators: [config.yaml]\n")
			l.write(t, "config.yaml", test.config)
			if out := l.mustBuild(t, "."); !strings.Contains(out, "name: db-"+test.want+"\n") {
				t.Errorf("want the suffix %s in\n%s", test.want, out)
			}
		})
	}
}

// TestAsSecretGenerator compares what is made of a SealedSecret with what the
// generator of kustomize makes of the same values.
func TestAsSecretGenerator(t *testing.T) {
	l := newLab(t)
	const rest = "resources: [app.yaml]\nnamespace: prod\nnamePrefix: eu-\n"
	app := "apiVersion: v1\nkind: Pod\nmetadata:\n  name: app\n  namespace: prod\nspec:\n  containers:\n  - name: app\n    envFrom:\n    - secretRef: {name: db}\n"
	for _, dir := range []string{"clear", "sealed"} {
		l.write(t, dir+"/app.yaml", app)
	}
	l.write(t, "clear/kustomization.yaml", rest+"secretGenerator:\n- name: db\n  namespace: prod\n  literals: [password="+canary+"]\n")
	l.write(t, "sealed/kustomization.yaml", rest+"generators: [db.yaml]\n")
	l.write(t, "sealed/db.yaml", string(l.sealFile(t, "db.yaml", []byte("# signet strict\napiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: prod"+
		strings.TrimSuffix(function, "\n")+"\n    kustomize.config.k8s.io/needs-hash: 'true'\ntype: Opaque\nstringData:\n  password: "+canary+"\n"))))
	if diff := cmp.Diff(l.mustBuild(t, "clear"), l.mustBuild(t, "sealed")); diff != "" {
		t.Errorf("-clear +sealed\n%s", diff)
	}
}

// TestListInFile opens the items of a List.
func TestListInFile(t *testing.T) {
	l := newLab(t)
	item := "- " + strings.ReplaceAll(strings.TrimSpace(l.sealed(t, "prod", "db")), "\n", "\n  ")
	l.write(t, "list.yaml", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n"+item+"\n")
	l.write(t, "unseal.yaml", unsealing("list.yaml"))
	l.write(t, "kustomization.yaml", "generators: [unseal.yaml]\n")
	if out := l.mustBuild(t, "."); !strings.Contains(out, inClear()) || !strings.Contains(out, "kind: ConfigMap") || strings.Contains(out, "List") {
		t.Errorf("got\n%s", out)
	}
}
