// SPDX-License-Identifier: Apache-2.0

package controllertest

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/rand"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Foreign makes a Secret as somebody who knows nothing of Signet, under a field
// manager and with a label of their own, and returns it as it is stored.
func (l *Lab) Foreign(tb testing.TB, namespace, name string, data, annotations map[string]string) *corev1.Secret {
	tb.Helper()
	s := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name, Annotations: annotations, Labels: map[string]string{"team": "payments"},
		},
		StringData: data,
	}
	if err := l.Admin.Create(tb.Context(), s, client.FieldOwner("payments-app")); err != nil {
		tb.Fatal(err)
	}
	return l.MustSecret(tb, namespace, name)
}

// Unchanged fails the test unless a Secret is byte for byte what it was.
func (l *Lab) Unchanged(tb testing.TB, was *corev1.Secret) {
	tb.Helper()
	if diff := cmp.Diff(was, l.MustSecret(tb, was.Namespace, was.Name)); diff != "" {
		tb.Errorf("Secret %s was touched (-before +after):\n%s", was.Name, diff)
	}
}

// Set sets a field of an object.
func Set(tb testing.TB, o *unstructured.Unstructured, value any, path ...string) {
	tb.Helper()
	if err := unstructured.SetNestedField(o.Object, value, path...); err != nil {
		tb.Fatal(err)
	}
}

// Named gives a SealedSecret another name, and leaves that of its Secret.
func Named(o *unstructured.Unstructured, name string) *unstructured.Unstructured {
	secret := o.GetName()
	o.SetName(name)
	if err := unstructured.SetNestedField(o.Object, secret, "spec", "secretName"); err != nil {
		panic(err) // the spec is a map
	}
	return o
}

// MustSealAddition seals a document, in a SealedSecret of the given name, that
// adds to the Secret that s names.
func (l *Lab) MustSealAddition(tb testing.TB, s Secret, name string) *unstructured.Unstructured {
	tb.Helper()
	spec := map[string]any{"creationPolicy": "Merge"}
	maps.Copy(spec, s.Spec)
	s.Spec = spec
	return Named(l.MustSeal(tb, s), name)
}

// Pass waits until a controller has made two Secrets, one after the other, from
// documents that are newer than all else in the namespace. What has not happened
// then does not. It is quicker than Settle, and doesn't wait for Secrets that
// are yet to be seen by a controller.
func (l *Lab) Pass(tb testing.TB, namespace string) {
	tb.Helper()
	for range 2 {
		name := "marker-" + rand.String(6)
		l.Create(tb, l.MustSeal(tb, Secret{Namespace: namespace, Name: name, Data: map[string]string{"marker": "here"}}))
		l.WaitReady(tb, namespace, name)
	}
}
