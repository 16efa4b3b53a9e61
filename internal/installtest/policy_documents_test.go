// SPDX-License-Identifier: Apache-2.0

package installtest

import (
	"context"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// withoutSchema returns the definition of SealedSecrets without its schema, with
// which the policy has to hold alone.
func withoutSchema(tb testing.TB) []byte {
	tb.Helper()
	crd := only(tb, objects(tb, buildConfig(tb, "crd")), "CustomResourceDefinition", "sealedsecrets.signet.dev")
	versions, _, err := unstructured.NestedSlice(crd.Object, "spec", "versions")
	if err != nil {
		tb.Fatal(err)
	}
	versions[0].(map[string]any)["schema"] = map[string]any{
		"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true},
	}
	if err := unstructured.SetNestedSlice(crd.Object, versions, "spec", "versions"); err != nil {
		tb.Fatal(err)
	}
	text, err := yaml.Marshal(crd.Object)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// document returns a SealedSecret in namespace prod with a spec in YAML.
func document(tb testing.TB, name, spec string) *unstructured.Unstructured {
	tb.Helper()
	return object(tb, fmt.Sprintf(
		"apiVersion: signet.dev/v1alpha1\nkind: SealedSecret\nmetadata: {name: %s, namespace: prod}\n%s\n", name, spec))
}

// oldObjects break the rules, and were there before these.
var oldObjects = map[string]string{
	"old-other-place": "spec: {sealed: {scope: other/old-other-place}}",
	"old-other-name":  "spec: {sealed: {scope: prod/another}}",
	"old-no-scope":    "spec: {sealed: {}}",
	"old-no-spec":     "",
	"old-token":       "spec: {sealed: {scope: prod/old-token, type: kubernetes.io/service-account-token}}",
}

func (l *lab) makeOldObjects(tb testing.TB) {
	tb.Helper()
	for name, spec := range oldObjects {
		o := document(tb, name, spec)
		o.SetFinalizers([]string{"example.com/wait"})
		if err := l.admin.Create(tb.Context(), o); err != nil {
			tb.Fatal(err)
		}
	}
}

// awaitPolicy waits until the policy on documents is in effect.
func (l *lab) awaitPolicy(tb testing.TB) {
	bad := document(tb, "probe", "spec: {sealed: {scope: other/probe}}")
	await(tb, "the policy on documents", func(ctx context.Context) bool { return l.try(ctx, bad) != "" })
}

func (l *lab) testScopes(t *testing.T) {
	const refused = "spec.sealed.scope: the document was not sealed for prod/"
	for _, test := range []struct {
		name, spec string
		want       string
	}{
		{"own place", "spec: {sealed: {scope: prod/db}}", ""},
		{"any Secret of the namespace", "spec: {sealed: {scope: prod/*}}", ""},
		{"any namespace", "spec: {sealed: {scope: '*/db'}}", ""},
		{"anywhere", "spec: {sealed: {scope: '*/*'}}", ""},
		{"another namespace", "spec: {sealed: {scope: other/db}}", refused + "db"},
		{"any Secret of another namespace", "spec: {sealed: {scope: other/*}}", refused + "db"},
		{"another Secret", "spec: {sealed: {scope: prod/cache}}", refused + "db"},
		{"another Secret in any namespace", "spec: {sealed: {scope: '*/cache'}}", refused + "db"},
		{"name of the Secret is given", "spec: {secretName: cache, sealed: {scope: prod/cache}}", ""},
		{"name of the Secret is another", "spec: {secretName: cache, sealed: {scope: prod/db}}", refused + "cache"},
		{"name of the Secret is empty", "spec: {secretName: '', sealed: {scope: prod/db}}", ""},
		{"pattern inside a name", "spec: {sealed: {scope: prod/d*}}", refused},
		{"no slash", "spec: {sealed: {scope: prod}}", refused},
		{"three parts", "spec: {sealed: {scope: prod/db/db}}", refused},
		{"empty", "spec: {sealed: {scope: ''}}", refused},
		{"empty parts", "spec: {sealed: {scope: /}}", refused},
		{"no scope", "spec: {sealed: {}}", refused},
		{"no document", "spec: {}", refused},
		{"no spec", "", refused},
		{"scope is no text", "spec: {sealed: {scope: 5}}", "signet-sealedsecrets"},
		{"document is no map", "spec: {sealed: text}", "signet-sealedsecrets"},
	} {
		t.Run(test.name, func(t *testing.T) {
			expect(t, l.try(t.Context(), document(t, "db", test.spec)), test.want)
		})
	}
}

// testDenied compares the policy with the program: both must give the same
// verdict about every Secret.
func (l *lab) testDenied(t *testing.T) {
	types := append([]string{"Opaque", "kubernetes.io/tls", "kubernetes.io/service-account-token2"}, sopsdoc.Denied().Types...)
	for _, secretType := range types {
		t.Run("type "+secretType, func(t *testing.T) { l.compare(t, secretType, "labels", "app", "db") })
	}
	for _, mark := range [][2]string{
		{"app", "db"},
		{"signet", "x"},
		{"signet.dev", "x"},
		{"signet.dev/managed", "true"},
		{"signet.dev/adopt", "x"},
		{"signet.dev/merge", "x"},
		{"signet.dev/mergers", "x"},
		{"argocd.argoproj.io/tracking-id", "x"},
		{"argocd.argoproj.io/tracking-id2", "x"},
		{"argocd.argoproj.io/instance", "x"},
		{"argocd.argoproj.io/secret-type", "cluster"},
		{"kustomize.toolkit.fluxcd.io/name", "x"},
		{"kustomize.toolkit.fluxcd.io", "x"},
		{"meta.helm.sh/release-name", "x"},
		{"app.kubernetes.io/managed-by", "Helm"},
		{"app.kubernetes.io/managed-by", "helm"},
		{"app.kubernetes.io/managed-by", "signet"},
		{"app.kubernetes.io/instance", "Helm"},
	} {
		for _, field := range []string{"labels", "annotations"} {
			t.Run(field+" "+mark[0]+"="+mark[1], func(t *testing.T) { l.compare(t, "Opaque", field, mark[0], mark[1]) })
		}
	}
}

func (l *lab) compare(t *testing.T, secretType, field, key, value string) {
	t.Helper()
	metadata := map[string]map[string]string{field: {key: value}}
	o := document(t, "db", "spec: {sealed: {scope: prod/db}}")
	if err := unstructured.SetNestedField(o.Object, secretType, "spec", "sealed", "type"); err != nil {
		t.Fatal(err)
	}
	if err := unstructured.SetNestedStringMap(o.Object, metadata[field], "spec", "sealed", field); err != nil {
		t.Fatal(err)
	}
	program := sopsdoc.Denied().Check(secretType, metadata["labels"], metadata["annotations"])
	want := ""
	if program != nil {
		want = "spec.sealed." // what is wrong with which part
	}
	expect(t, l.try(t.Context(), o), want)
}

func (l *lab) testChanges(t *testing.T) {
	good := document(t, "good", "spec: {sealed: {scope: prod/good}}")
	if err := l.admin.Create(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, object, patch string
		want                string
	}{
		{"good stays good", "good", `{"spec":{"suspend":true}}`, ""},
		{"good becomes bad", "good", `{"spec":{"sealed":{"scope":"other/good"}}}`, "was not sealed for prod/good"},
		{"good becomes bad by the name", "good", `{"spec":{"secretName":"cache"}}`, "was not sealed for prod/cache"},
		{"old one gets a label", "old-other-place", `{"metadata":{"labels":{"a":"b"}}}`, ""},
		{"old one gets another spec", "old-other-place", `{"spec":{"suspend":true}}`, "was not sealed for prod/old-other-place"},
		{"old one is mended", "old-other-place", `{"spec":{"sealed":{"scope":"prod/old-other-place"}}}`, ""},
		{"old one loses its finalizer", "old-other-place", `{"metadata":{"finalizers":null}}`, ""},
		{"old one without a spec loses its finalizer", "old-no-spec", `{"metadata":{"finalizers":null}}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			expect(t, l.patch(t, test.object, test.patch, client.DryRunAll), test.want)
		})
	}
}

// patch changes a SealedSecret in namespace prod, and returns what the API
// server says against it.
func (l *lab) patch(tb testing.TB, name, patch string, options ...client.PatchOption) string {
	tb.Helper()
	o := document(tb, name, "")
	return complaint(l.admin.Patch(tb.Context(), o, client.RawPatch("application/merge-patch+json", []byte(patch)), options...))
}
