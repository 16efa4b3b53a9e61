// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// A document that is copied to another place is refused, in each way in which
// somebody who may use the same KMS key could copy it, and before KMS is asked
// wherever a scope tells.
func TestCopiedDocument(t *testing.T) {
	srv, arn := newKMS(t)
	recipient := newSealingKey(t, "prod", arn)
	const envelope = "spec/sealed"
	lifted := func(root *yaml.Node) { // a SOPS file, which has no scope
		e := step(root, envelope)
		*root = *manifest.Mapping(manifest.String("apiVersion"), manifest.String("v1"), manifest.String("kind"), manifest.String("Secret"),
			manifest.String("metadata"), manifest.Mapping(manifest.String("name"), manifest.String("loot"), manifest.String("namespace"), manifest.String("test")))
		for i := 0; i < len(e.Content); i += 2 {
			manifest.Set(root, e.Content[i].Value, e.Content[i+1])
		}
	}
	for _, key := range []struct{ name, flag, value string }{{"KMS", "--kms", arn}, {"SealingKey", "-a", recipient}} {
		document := manifest.Root(parseDocument(t, mustRun(t, victimSecret, "seal", "-", key.flag, key.value)))
		for _, row := range []struct {
			name string
			edit change
			args []string
			want string
		}{
			{"into another namespace", putText("metadata/namespace", "test"), nil, "sealed for prod/db, not for test/db"},
			{"without a namespace, which a flag gives", remove("metadata/namespace"), []string{"-n", "test"}, "sealed for prod/db, not for test/db"},
			{"with a flag that contradicts it", func(*yaml.Node) {}, []string{"-n", "test"}, `metadata.namespace is "prod", but "test" was asked for`},
			{"under another name", putText("spec/secretName", "cache"), nil, "sealed for prod/db, not for prod/cache"},
			{"as another object", all(putText("metadata/name", "loot"), remove("spec/secretName")), nil, "sealed for prod/db, not for prod/loot"},
			{"with another scope", all(putText("metadata/namespace", "test"), putText(envelope+"/scope", "*/*")), nil, ""},
			{"as a SOPS file", lifted, nil, `the root key "signet" is reserved for SealedSecrets`},
			{"as a SOPS file, in pieces", all(lifted, rename("signet", "signet:stringData")), nil, `is reserved for SealedSecrets`},
		} {
			t.Run(key.name+" "+row.name, func(t *testing.T) {
				root := cloneNode(document)
				row.edit(root)
				srv.ResetCounts()
				o := runSignet(t, encodeLoose(t, root), append([]string{"unseal", "-"}, row.args...)...)
				failsClosed(t, o, row.want)
				want := map[string]int{}
				switch {
				case row.want == "" && key.flag == "-a": // this SealingKey may open every namespace; mac and binding refuse
					want["Decrypt"] = 1
				case strings.HasPrefix(row.name, "as a SOPS file"): // has no scope; its values are looked at with the data key
					want["Decrypt"] = 1
				}
				calls(t, srv, want)
			})
		}
	}
}
