// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func manyItems() string {
	var b strings.Builder
	for i := range maxItems + 1 {
		fmt.Fprintf(&b, "k%d: x, ", i)
	}
	return b.String()
}

// What is not carried is said, and nothing else.
func TestNotes(t *testing.T) {
	const dropped = "annotation sealedsecrets.bitnami.com/"
	for _, row := range []struct {
		name string
		want []string
	}{
		{"v2-strict", nil},
		{"v2-cluster", nil},
		{"v1-namespace", nil},
		{"both-annotations", nil},
		{"annotation-not-true", []string{
			`annotation sealedsecrets.bitnami.com/cluster-wide has no effect: only "true" counts`,
			`annotation sealedsecrets.bitnami.com/namespace-wide has no effect: only "true" counts`,
		}},
		{"metadata", []string{
			dropped + "managed of the Secret is dropped: the Secret may exist before; let it consent by the annotation signet.dev/adopt",
			dropped + "patch of the Secret is dropped: the keys are added to a Secret of somebody else; seal with --merge, and let that Secret consent by the annotation signet.dev/merge",
			dropped + "skip-set-owner-references of the Secret is dropped: the Secret outlives its SealedSecret; set deletionPolicy: Retain for that",
		}},
		{"own-metadata", []string{
			`annotation "argocd.argoproj.io/sync-wave" of the SealedSecret itself is not carried: Sealed Secrets does not put it on the Secret`,
			`label "app" of the SealedSecret itself is not carried: Sealed Secrets does not put it on the Secret`,
		}},
		{"template", []string{
			`key "absent" was a template and is rendered now: it will not follow changes of the other keys`,
			`key "config.json" was a template and is rendered now: it will not follow changes of the other keys`,
			`key "list" was a template and is rendered now: it will not follow changes of the other keys`,
			`key "url" was a template and is rendered now: it will not follow changes of the other keys`,
			`the template of key "user" has no effect: the sealed value goes first`,
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			n := parseTest(t, readTestFile(t, golden, "rsa2048-"+row.name+".yaml"))
			r, err := Unseal(n, Options{Keys: testKeys(t, "rsa2048-pkcs1.pem")})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, r.Notes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Fields that Sealed Secrets ignores, and metadata of the template that a
// sealed Secret can't have.
func TestNotesOfFields(t *testing.T) {
	const text = `
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: db, namespace: prod}
spec:
  encryptedData: {}
  more: x
  template:
    stringData: {a: b}
    metadata: {name: other, creationTimestamp: null, finalizers: [x], ownerReferences: null, annotations: {sealedsecrets.bitnami.com/new: "1"}}
`
	r, err := Unseal(parseTest(t, []byte(text)), Options{Keys: testKeys(t, "rsa2048-pkcs1.pem")})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"spec.more is not carried: Sealed Secrets ignores it",
		"spec.template.stringData is not carried: Sealed Secrets ignores it",
		"spec.template.metadata.finalizers is not carried",
		`annotation "sealedsecrets.bitnami.com/new" of the Secret is dropped`,
	}
	if diff := cmp.Diff(want, r.Notes); diff != "" {
		t.Error(diff)
	}
	if r.Secret.Name != "db" || len(r.Secret.Annotations) != 0 {
		t.Errorf("the Secret is %+v", r.Secret)
	}
}
