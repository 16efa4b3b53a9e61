// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/signet-secrets/signet/controller/v1alpha1"
)

// apiClient reads objects of Signet's API, and writes their status.
type apiClient struct {
	rest rest.Interface
	gate *gate
}

func newAPIClient(cfg *rest.Config, g *gate) (*apiClient, error) {
	cfg = rest.CopyConfig(cfg)
	cfg.APIPath = "/apis"
	cfg.GroupVersion = &v1alpha1.GroupVersion
	cfg.ContentType = runtime.ContentTypeJSON
	client, _, err := restClient(cfg, v1alpha1.AddToScheme)
	if err != nil {
		return nil, fmt.Errorf("set up the client for SealedSecrets: %w", err)
	}
	return &apiClient{rest: client, gate: g}, nil
}

// get reads a SealedSecret from the API server.
func (c *apiClient) get(ctx context.Context, key types.NamespacedName) (*v1alpha1.SealedSecret, error) {
	s := &v1alpha1.SealedSecret{}
	err := c.rest.Get().Namespace(key.Namespace).Resource("sealedsecrets").Name(key.Name).Do(ctx).Into(s)
	return s, err
}

// metadata reads the metadata of a SealedSecret from the API server.
func (c *apiClient) metadata(ctx context.Context, key types.NamespacedName) (*metav1.PartialObjectMetadata, error) {
	return metadataOf(ctx, c.rest.Get().Namespace(key.Namespace).Resource("sealedsecrets").Name(key.Name))
}

// names reads the names of all SealedSecrets of a namespace from the API server.
func (c *apiClient) names(ctx context.Context, namespace string) ([]string, error) {
	list := &metav1.PartialObjectMetadataList{}
	err := c.rest.Get().Namespace(namespace).Resource("sealedsecrets").SetHeader("Accept", asMetadataList).Do(ctx).Into(list)
	if err != nil {
		return nil, err
	}
	found := make([]string, len(list.Items))
	for i := range list.Items {
		found[i] = list.Items[i].Name
	}
	return found, nil
}

// asMetadataList asks for a list of objects without their content.
const asMetadataList = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

// putStatus replaces the status of the object that was read, and fails with a
// conflict if there is a newer one. It returns the resourceVersion that the
// object has then.
func (c *apiClient) putStatus(ctx context.Context, resource string, o metav1.Object, status any) (string, error) {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": o.GetUID(), "resourceVersion": o.GetResourceVersion()},
		"status":   status,
	})
	if err != nil {
		return "", err
	}
	ctx, cancel, err := c.gate.open(ctx)
	if err != nil {
		return "", err
	}
	defer cancel()
	req := c.rest.Patch(types.MergePatchType).Resource(resource).Name(o.GetName()).SubResource("status").Body(patch)
	if o.GetNamespace() != "" {
		req = req.Namespace(o.GetNamespace())
	}
	now, err := metadataOf(ctx, req)
	if err != nil {
		return "", err
	}
	return now.ResourceVersion, nil
}

// restClient returns a client for the objects that add puts into a scheme, and
// for their metadata, with that scheme. It changes cfg.
func restClient(cfg *rest.Config, add func(*runtime.Scheme) error) (rest.Interface, *runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	if err := add(scheme); err != nil {
		return nil, nil, err
	}
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		return nil, nil, err
	}
	cfg.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	client, err := rest.RESTClientFor(cfg)
	return client, scheme, err
}
