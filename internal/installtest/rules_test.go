// SPDX-License-Identifier: Apache-2.0

package installtest

import (
	"fmt"
	"testing"
)

// testRules checks the rules of the definitions. The API server asks them before
// it asks the policy, so the messages tell the two apart.
func (l *lab) testRules(t *testing.T) {
	t.Run("SealedSecret", l.testSealedSecretRules)
	t.Run("SealingKey", l.testSealingKeyRules)
}

func (l *lab) testSealedSecretRules(t *testing.T) {
	const another = "the document was sealed for a Secret of another name"
	for _, test := range []struct {
		name, spec string
		want       string
	}{
		{"least", "spec: {sealed: {scope: prod/db}}", ""},
		{"everything", "spec: {secretName: db, creationPolicy: Owner, deletionPolicy: Retain, suspend: true, " +
			"sealed: {scope: prod/db, type: Opaque, immutable: true, labels: {a: b}, annotations: {a: b}, signet: {binding: x}, sops: {mac: x}}}", ""},
		{"any Secret", "spec: {sealed: {scope: prod/*}}", ""},
		{"another Secret", "spec: {sealed: {scope: prod/cache}}", another},
		{"a name that ends alike", "spec: {sealed: {scope: prod/mydb}}", another},
		{"secretName counts", "spec: {secretName: cache, sealed: {scope: prod/cache}}", ""},
		{"secretName counts alone", "spec: {secretName: cache, sealed: {scope: prod/db}}", another},
		{"empty secretName doesn't", "spec: {secretName: '', sealed: {scope: prod/db}}", ""},
		{"another namespace is for the policy", "spec: {sealed: {scope: other/db}}", "ValidatingAdmissionPolicy 'signet-sealedsecrets'"},
		{"no scope", "spec: {sealed: {}}", "spec.sealed.scope: Required"},
		{"no document", "spec: {}", "spec.sealed: Required"},
		{"no spec", "", "spec: Required"},
		{"three parts", "spec: {sealed: {scope: a/prod/db}}", "spec.sealed.scope: Invalid"},
		{"no slash", "spec: {sealed: {scope: db}}", "spec.sealed.scope: Invalid"},
		{"token", "spec: {sealed: {scope: prod/db, type: kubernetes.io/service-account-token}}", "a Secret of this type can't come out"},
		{"bootstrap token", "spec: {sealed: {scope: prod/db, type: bootstrap.kubernetes.io/token}}", "a Secret of this type can't come out"},
		{"Helm release", "spec: {sealed: {scope: prod/db, type: helm.sh/release.v1}}", "a Secret of this type can't come out"},
		{"Merge", "spec: {creationPolicy: Merge, sealed: {scope: prod/db, merge: true}}", ""},
		{"Merge and Delete", "spec: {creationPolicy: Merge, deletionPolicy: Delete, sealed: {scope: prod/db, merge: true}}", ""},
		{"Merge and Retain", "spec: {creationPolicy: Merge, deletionPolicy: Retain, sealed: {scope: prod/db, merge: true}}", "Retain can't be combined with"},
		{"Merge of what isn't sealed for it", "spec: {creationPolicy: Merge, sealed: {scope: prod/db}}", "seal it with --merge"},
		{"Merge and mark false", "spec: {creationPolicy: Merge, sealed: {scope: prod/db, merge: false}}", "seal it with --merge"},
		{"mark with Owner", "spec: {creationPolicy: Owner, sealed: {scope: prod/db, merge: true}}", "seal it without --merge"},
		{"mark without a policy", "spec: {sealed: {scope: prod/db, merge: true}}", "seal it without --merge"},
		{"mark that is text", "spec: {creationPolicy: Merge, sealed: {scope: prod/db, merge: 'true'}}", "spec.sealed.merge: Invalid"},
		{"mark and immutable", "spec: {creationPolicy: Merge, sealed: {scope: prod/db, merge: true, immutable: true}}", "must be false where merge is true"},
		{"no such policy", "spec: {creationPolicy: Orphan, sealed: {scope: prod/db}}", "spec.creationPolicy: Unsupported value"},
		{"service account", "spec: {serviceAccountName: db, sealed: {scope: prod/db}}", "is reserved and must not be set"},
		{"empty service account", "spec: {serviceAccountName: '', sealed: {scope: prod/db}}", "is reserved and must not be set"},
		{"unknown field beside the document", "spec: {template: {}, sealed: {scope: prod/db}}", "unknown field"},
		{"label that is no text", "spec: {sealed: {scope: prod/db, labels: {a: true}}}", "spec.sealed.labels.a: Invalid"},
	} {
		t.Run(test.name, func(t *testing.T) {
			expect(t, l.try(t.Context(), document(t, "db", test.spec)), test.want)
		})
	}
}

func (l *lab) testSealingKeyRules(t *testing.T) {
	for _, test := range []struct {
		name, namespaces string
		want             string
	}{
		{"one", "[prod]", ""},
		{"two", "[prod, other]", ""},
		{"all", "['*']", ""},
		{"all and one", "['*', prod]", "stands alone"},
		{"none", "[]", "spec.namespaces: Invalid"},
		{"twice", "[prod, prod]", "Duplicate"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := fmt.Sprintf("{apiVersion: signet.dev/v1alpha1, kind: SealingKey, metadata: {name: key}, "+
				"spec: {namespaces: %s, sealed: {recipient: age1example}}}", test.namespaces)
			expect(t, l.try(t.Context(), object(t, text)), test.want)
		})
	}
}
