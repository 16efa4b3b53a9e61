// SPDX-License-Identifier: Apache-2.0

package installtest

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// serverSide applies an object under a field manager.
func (l *lab) serverSide(ctx context.Context, o *unstructured.Unstructured, manager string, options ...client.PatchOption) error {
	body, err := json.Marshal(o.Object)
	if err != nil {
		return err
	}
	options = append(options, client.FieldOwner(manager), client.FieldValidation("Strict"))
	return l.admin.Patch(ctx, o.DeepCopy(), client.RawPatch(types.ApplyPatchType, body), options...)
}

// testDryRun applies every object of the ways to install as kubectl does, with
// strict checking of fields.
func (l *lab) testDryRun(t *testing.T) {
	l.apply(t, namespaces("elsewhere"))
	moved := install(t, []string{"default"}, nil)
	appendTo(t, filepath.Join(moved, "kustomization.yaml"), "namespace: elsewhere\n")
	for name, manifests := range map[string][]byte{
		"default":              buildConfig(t, "default"),
		"namespaced":           buildConfig(t, "namespaced"),
		"in another namespace": build(t, moved),
	} {
		l.warnings.take()
		for _, o := range objects(t, manifests) {
			if err := l.serverSide(t.Context(), o, "dry-run", client.DryRunAll, client.ForceOwnership); err != nil {
				t.Errorf("%s: %s %s: %v", name, o.GetKind(), o.GetName(), err)
			}
			if text := l.warnings.take(); len(text) > 0 {
				t.Errorf("%s: %s %s: warnings %q", name, o.GetKind(), o.GetName(), text)
			}
		}
	}
}

func appendTo(tb testing.TB, file, text string) {
	tb.Helper()
	was, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(file, append(was, text...), 0o600); err != nil {
		tb.Fatal(err)
	}
}

func (l *lab) testDefinitions(t *testing.T) {
	for _, name := range []string{"sealedsecrets.signet.dev", "sealingkeys.signet.dev"} {
		var u unstructured.Unstructured
		u.SetGroupVersionKind(apiextensionsv1.SchemeGroupVersion.WithKind("CustomResourceDefinition"))
		if err := l.admin.Get(t.Context(), client.ObjectKey{Name: name}, &u); err != nil {
			t.Fatal(err)
		}
		got := map[apiextensionsv1.CustomResourceDefinitionConditionType]apiextensionsv1.ConditionStatus{}
		for _, c := range as[apiextensionsv1.CustomResourceDefinition](t, &u).Status.Conditions {
			got[c.Type] = c.Status
		}
		if got[apiextensionsv1.Established] != apiextensionsv1.ConditionTrue || got[apiextensionsv1.NamesAccepted] != apiextensionsv1.ConditionTrue {
			t.Errorf("%s: conditions %v", name, got)
		}
		if status := got[apiextensionsv1.NonStructuralSchema]; status == apiextensionsv1.ConditionTrue {
			t.Errorf("%s: the schema is not structural", name)
		}
	}
}

// podOf returns a Pod as the Deployment in a folder makes them.
func podOf(tb testing.TB, folder string) *corev1.Pod {
	tb.Helper()
	return podFrom(tb, buildConfig(tb, folder))
}

func podFrom(tb testing.TB, manifests []byte) *corev1.Pod {
	tb.Helper()
	d := as[appsv1.Deployment](tb, only(tb, objects(tb, manifests), "Deployment", "signet-controller"))
	template := d.Spec.Template
	template.GenerateName, template.Namespace = d.Name+"-", d.Namespace
	return &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
}

// testPod makes the Pod where only restricted ones may be, which the last case
// proves to be enforced.
func (l *lab) testPod(t *testing.T) {
	privileged := podOf(t, "default")
	privileged.Spec.Containers[0].SecurityContext.AllowPrivilegeEscalation = new(true)
	for _, test := range []struct {
		name string
		pod  *corev1.Pod
		want string
	}{
		{"as it is", podOf(t, "default"), ""},
		{"for some namespaces", podOf(t, "namespaced"), ""},
		{"with an age identity", withAge(t), ""},
		{"with privileges", privileged, "violates PodSecurity"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l.warnings.take()
			expect(t, complaint(l.admin.Create(t.Context(), test.pod, client.DryRunAll, client.FieldValidation("Strict"))), test.want)
			if text := l.warnings.take(); len(text) > 0 && test.want == "" {
				t.Errorf("warnings %q", text)
			}
		})
	}
}

// testNewObjects: a new object has a status from the start that says that nobody
// has seen it, and a status that somebody empties says it again.
func (l *lab) testNewObjects(t *testing.T) {
	for _, o := range []*unstructured.Unstructured{
		document(t, "fresh", "spec: {sealed: {scope: prod/fresh}}"),
		object(t, "{apiVersion: signet.dev/v1alpha1, kind: SealingKey, metadata: {name: fresh}, spec: {namespaces: [prod], sealed: {recipient: age1example}}}"),
	} {
		t.Run(o.GetKind(), func(t *testing.T) {
			if err := l.admin.Create(t.Context(), o.DeepCopy()); err != nil {
				t.Fatal(err)
			}
			l.wantNotObserved(t, o)
			clear := client.RawPatch(types.MergePatchType, []byte(`{"status":{"observedGeneration":null}}`))
			if err := l.admin.Status().Patch(t.Context(), o.DeepCopy(), clear); err != nil {
				t.Fatal(err)
			}
			l.wantNotObserved(t, o)
		})
	}
}

func (l *lab) wantNotObserved(t *testing.T, o *unstructured.Unstructured) {
	t.Helper()
	now := o.DeepCopy()
	if err := l.admin.Get(t.Context(), client.ObjectKeyFromObject(o), now); err != nil {
		t.Fatal(err)
	}
	if got, found, err := unstructured.NestedInt64(now.Object, "status", "observedGeneration"); err != nil || !found || got != -1 {
		t.Errorf("observedGeneration is %d, %v, %v, want -1", got, found, err)
	}
}

// testKept: what is in an envelope is neither dropped nor mixed with another.
func (l *lab) testKept(t *testing.T) {
	const spec = `spec:
  sealed:
    scope: prod/kept
    somethingNew: {a: [1, two]}
    signet: {binding: first, later: {b: c}}
    sops: {mac: first, kms: [{arn: "arn:aws:kms:eu-west-1:111122223333:key/a", context: {a: b}}], shamir_threshold: 2}
`
	first := document(t, "kept", spec)
	if err := l.serverSide(t.Context(), first, "first"); err != nil {
		t.Fatal(err)
	}
	l.wantSealed(t, first)

	second := document(t, "kept", "spec: {sealed: {scope: prod/*, sops: {mac: second}}}")
	if err := l.serverSide(t.Context(), second, "second", client.ForceOwnership); err != nil {
		t.Fatal(err)
	}
	l.wantSealed(t, second)
}

func (l *lab) wantSealed(t *testing.T, o *unstructured.Unstructured) {
	t.Helper()
	now := o.DeepCopy()
	if err := l.admin.Get(t.Context(), client.ObjectKeyFromObject(o), now); err != nil {
		t.Fatal(err)
	}
	sealed := func(u *unstructured.Unstructured) string {
		v, _, err := unstructured.NestedFieldNoCopy(u.Object, "spec", "sealed")
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if got, want := sealed(now), sealed(o); got != want {
		t.Errorf("spec.sealed is\n%s, was applied as\n%s", got, want)
	}
}

// testOldObjectsGo: what was there before the rules can lose its finalizer, and
// be deleted.
func (l *lab) testOldObjectsGo(t *testing.T) {
	for name, spec := range oldObjects {
		if spec == "" {
			continue // no definition has ever allowed it
		}
		t.Run(name, func(t *testing.T) {
			o := document(t, name, "")
			if err := l.admin.Delete(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			expect(t, l.patch(t, name, `{"metadata":{"finalizers":null}}`), "")
			o = document(t, name, "")
			if err := l.admin.Get(t.Context(), client.ObjectKeyFromObject(o), o); client.IgnoreNotFound(err) != nil || err == nil {
				t.Errorf("it is still there: %v", err)
			}
		})
	}
}
