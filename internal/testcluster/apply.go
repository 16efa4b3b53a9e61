// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"cmp"
	"context"
	"fmt"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

const fieldManager = "testcluster"

// Apply applies manifests, a YAML or JSON stream, on the server's side as the
// administrator, and takes over fields that others manage. Namespaces and
// CustomResourceDefinitions come first; definitions are waited for until the
// server serves their kinds. Then the rest follows in the order given. An object
// without a namespace that needs one goes to default.
//
// Admission policies and role bindings take effect a moment after they are
// applied; a test that depends on one has to wait for its effect.
func (c *Cluster) Apply(ctx context.Context, manifests []byte) error {
	objects, err := parseManifests(manifests)
	if err != nil || len(objects) == 0 {
		return err
	}
	kube, err := newApplier(c.Admin())
	if err != nil {
		return fmt.Errorf("apply manifests: %w", err)
	}
	first, rest := splitManifests(objects)
	for _, o := range first {
		if err := kube.apply(ctx, o); err != nil {
			return err
		}
	}
	for _, o := range first {
		if err := kube.awaitServed(ctx, o); err != nil {
			return fmt.Errorf("wait for %s: %w", describe(o), err)
		}
	}
	for _, o := range rest {
		if err := kube.apply(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// splitManifests separates what other objects need from the others.
func splitManifests(objects []*unstructured.Unstructured) (first, rest []*unstructured.Unstructured) {
	for _, o := range objects {
		if isDefinition(o) || isNamespace(o) {
			first = append(first, o)
		} else {
			rest = append(rest, o)
		}
	}
	return first, rest
}

func isDefinition(o *unstructured.Unstructured) bool {
	return o.GetAPIVersion() == "apiextensions.k8s.io/v1" && o.GetKind() == "CustomResourceDefinition"
}

func isNamespace(o *unstructured.Unstructured) bool {
	return o.GetAPIVersion() == "v1" && o.GetKind() == "Namespace"
}

// applier finds the REST path of an object by discovery.
type applier struct {
	dynamic.Interface
	mapper *restmapper.DeferredDiscoveryRESTMapper
}

func newApplier(cfg *rest.Config) (*applier, error) {
	discovered, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	cached := memory.NewMemCacheClientWithContext(discovered)
	return &applier{client, restmapper.NewDeferredDiscoveryRESTMapperWithContext(cached)}, nil
}

func (a *applier) apply(ctx context.Context, o *unstructured.Unstructured) error {
	gvk := o.GroupVersionKind()
	mapping, err := a.mapper.RESTMappingWithContext(ctx, gvk.GroupKind(), gvk.Version)
	if err != nil {
		return fmt.Errorf("apply %s: %w", describe(o), err)
	}
	var resource dynamic.ResourceInterface = a.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		resource = a.Resource(mapping.Resource).Namespace(cmp.Or(o.GetNamespace(), metav1.NamespaceDefault))
	}
	_, err = resource.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	if err != nil {
		return fmt.Errorf("apply %s: %w", describe(o), err)
	}
	return nil
}

// awaitServed waits until the kinds of a CustomResourceDefinition can be used:
// until it is Established, and a moment longer, as discovery and the handler
// learn of it separately.
func (a *applier) awaitServed(ctx context.Context, o *unstructured.Unstructured) error {
	if !isDefinition(o) {
		return nil
	}
	return poll(ctx, func(ctx context.Context) error {
		crd, err := a.established(ctx, o.GetName())
		if err != nil {
			return err
		}
		a.mapper.ResetWithContext(ctx)
		for _, v := range crd.Spec.Versions {
			if !v.Served {
				continue
			}
			kind := schema.GroupKind{Group: crd.Spec.Group, Kind: crd.Spec.Names.Kind}
			mapping, err := a.mapper.RESTMappingWithContext(ctx, kind, v.Name)
			if err != nil {
				return err
			}
			if _, err := a.Resource(mapping.Resource).List(ctx, metav1.ListOptions{Limit: 1}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *applier) established(ctx context.Context, name string) (*apiextensionsv1.CustomResourceDefinition, error) {
	definitions := apiextensionsv1.SchemeGroupVersion.WithResource("customresourcedefinitions")
	u, err := a.Resource(definitions).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	crd := new(apiextensionsv1.CustomResourceDefinition)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, crd); err != nil {
		return nil, err
	}
	for _, condition := range crd.Status.Conditions {
		if condition.Type == apiextensionsv1.Established && condition.Status == apiextensionsv1.ConditionTrue {
			return crd, nil
		}
	}
	return nil, fmt.Errorf("not established, conditions %+v", crd.Status.Conditions)
}
