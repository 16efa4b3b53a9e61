// SPDX-License-Identifier: Apache-2.0

//go:build linux

package argocd_test

import (
	"strings"
	"testing"
)

// Edits of a SOPS-encrypted Secret of namespace prod that its mac does not
// notice.
const (
	sopsPlace   = "name: db\n  namespace: prod\n"
	sopsRenamed = "name: db\n  generateName: prod\n"
	sopsCut     = "name: dbpr\n  namespace: od\n"
)

// sops seals a Secret prod/db as SOPS does, and puts another place into it.
func (p *plugin) sops(t *testing.T, place string) string {
	t.Helper()
	text := p.seal(t, "prod", "db", "--as", "sops")
	if !strings.Contains(text, sopsPlace) {
		t.Fatalf("the metadata is written otherwise:\n%s", text)
	}
	return strings.Replace(text, sopsPlace, place, 1)
}

// A SOPS document has no scope. No edit of one opens in the namespace of
// another Application, and neither it nor a parameter permits any.
func TestUnscoped(t *testing.T) {
	p := start(t, setup{env: []string{"SIGNET_PARAMETER_NAMESPACES=*"}})
	const all = `[{"name": "allow-unscoped", "string": "true"}, {"name": "SIGNET_ALLOW_UNSCOPED", "string": "true"}, {"name": "namespaces", "array": ["stage"]}]`
	tests := []struct {
		name, place, namespace, parameters string
	}{
		{name: "as it is", place: sopsPlace},
		{name: "namespace under another key", place: sopsRenamed, namespace: "team-b"},
		{name: "values cut elsewhere", place: sopsCut, namespace: "od"},
		{name: "by a parameter", place: sopsPlace, parameters: all},
	}
	for _, tt := range tests {
		files := map[string]map[string]string{"files": {"db.yaml": p.sops(t, tt.place)}}
		files["built"] = map[string]string{"db.yaml": files["files"]["db.yaml"], "kustomization.yaml": "resources: [db.yaml]\n"}
		for how, files := range files {
			if how == "built" && tt.place == sopsRenamed {
				continue // kustomize has no use for generateName
			}
			t.Run(tt.name+", "+how, func(t *testing.T) {
				p.ResetCounts()
				p.fails(t, app{files: files, namespace: tt.namespace, parameters: tt.parameters},
					"signet: error: ", "open: a SOPS document has no scope: ", "\nsignet: hint: no key was used; seal it as a SealedSecret", "SIGNET_ALLOW_UNSCOPED=true")
				if calls := p.Calls(); len(calls) > 0 {
					t.Errorf("KMS was called: %v", calls)
				}
			})
		}
	}
}

// Where the administrator permits them they open in the namespace that they
// name, and get none that they don't.
func TestUnscopedPermitted(t *testing.T) {
	p := start(t, setup{env: []string{"SIGNET_ALLOW_UNSCOPED=true"}})
	opened := strings.Replace(secretJSON("prod", "db"), `"type":"Opaque",`, "", 1) // which nothing adds here
	p.generates(t, app{files: map[string]string{"db.yaml": p.sops(t, sopsPlace)}}, opened)
	p.ResetCounts()
	p.fails(t, app{files: map[string]string{"db.yaml": p.sops(t, sopsRenamed)}, namespace: "team-b"},
		"signet: error: ./db.yaml, document 1, db: open: metadata.namespace is missing, and a SOPS document has no scope")
	p.fails(t, app{files: map[string]string{"db.yaml": p.sops(t, sopsPlace)}, namespace: "team-b"},
		`signet: error: ./db.yaml, document 1, prod/db: open: the result would be in namespace "prod"; documents are opened for namespace team-b only`)
	if n := p.Count("Decrypt"); n > 0 {
		t.Errorf("KMS was asked %d times", n)
	}
}
