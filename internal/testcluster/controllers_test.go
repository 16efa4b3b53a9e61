// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// widgets is a custom kind in the group that the audit policy knows.
const widgets = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.signet.dev
spec:
  group: signet.dev
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            x-kubernetes-preserve-unknown-fields: true
`

func widgetResource() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "signet.dev", Version: "v1", Resource: "widgets"}
}

func testGarbageCollection(t *testing.T, c *Cluster) {
	client := clientFor(t, c.Admin())
	maps, secrets := client.CoreV1().ConfigMaps("default"), client.CoreV1().Secrets("default")
	owner, err := maps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "owner"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	createSecret(t, client, "default", "dependent", metav1.OwnerReference{
		APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID,
	})
	createSecret(t, client, "default", "independent")
	if err := maps.Delete(t.Context(), owner.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the dependent is gone", func(ctx context.Context) error {
		_, err := secrets.Get(ctx, "dependent", metav1.GetOptions{})
		return gone(err)
	})
	if _, err := secrets.Get(t.Context(), "independent", metav1.GetOptions{}); err != nil {
		t.Errorf("Secret without an owner: %v", err)
	}
}

func testGarbageCollectionOfCustomKind(t *testing.T, c *Cluster) {
	client := clientFor(t, c.Admin())
	all, err := dynamic.NewForConfig(c.Admin())
	if err != nil {
		t.Fatal(err)
	}
	owner := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "signet.dev/v1", "kind": "Widget", "metadata": map[string]any{"name": "owner"},
	}}
	owners := all.Resource(widgetResource()).Namespace("default")
	if owner, err = owners.Create(t.Context(), owner, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	createSecret(t, client, "default", "widget-dependent", metav1.OwnerReference{
		APIVersion: "signet.dev/v1", Kind: "Widget", Name: owner.GetName(), UID: owner.GetUID(),
	})
	began := time.Now()
	if err := owners.Delete(t.Context(), owner.GetName(), metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the dependent is gone", func(ctx context.Context) error {
		_, err := client.CoreV1().Secrets("default").Get(ctx, "widget-dependent", metav1.GetOptions{})
		return gone(err)
	})
	t.Logf("collected after %v", time.Since(began))
}

func testNamespaceDeletion(t *testing.T, c *Cluster) {
	client := clientFor(t, c.Admin())
	if _, err := c.ServiceAccount(t.Context(), "doomed", "anyone"); err != nil {
		t.Fatal(err)
	}
	createSecret(t, client, "doomed", "content")
	eventually(t, "the namespace has its default account", func(ctx context.Context) error {
		_, err := client.CoreV1().ServiceAccounts("doomed").Get(ctx, "default", metav1.GetOptions{})
		return err
	})
	began := time.Now()
	if err := client.CoreV1().Namespaces().Delete(t.Context(), "doomed", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the namespace is gone", func(ctx context.Context) error {
		_, err := client.CoreV1().Namespaces().Get(ctx, "doomed", metav1.GetOptions{})
		return gone(err)
	})
	t.Logf("gone after %v", time.Since(began))
	if _, err := client.CoreV1().Secrets("doomed").Get(t.Context(), "content", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("Secret of the deleted namespace: %v, want not found", err)
	}
}
