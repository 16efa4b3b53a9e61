// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

// asMetadata asks for an object without its content.
const asMetadata = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1," +
	"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

// secretClient writes Secrets and reads their metadata. The values of a Secret
// never come back: every answer is metadata.
type secretClient struct {
	rest    rest.Interface
	encoder runtime.Encoder
	gate    *gate
}

// newSecretClient returns a client that writes while the gate is open.
func newSecretClient(cfg *rest.Config, g *gate) (*secretClient, error) {
	cfg = rest.CopyConfig(cfg)
	cfg.APIPath = "/api"
	cfg.GroupVersion = &corev1.SchemeGroupVersion
	cfg.ContentType = runtime.ContentTypeProtobuf
	client, scheme, err := restClient(cfg, corev1.AddToScheme)
	if err != nil {
		return nil, fmt.Errorf("set up the client for Secrets: %w", err)
	}
	return &secretClient{rest: client, encoder: protobuf.NewSerializer(scheme, scheme), gate: g}, nil
}

var errNoPrecondition = errors.New("write without uid and resourceVersion")

// precondition checks that a write of o fails if o is not as it was read any
// more.
func precondition(o metav1.Object) error {
	if o.GetUID() == "" || o.GetResourceVersion() == "" {
		return errNoPrecondition
	}
	return nil
}

// get reads the metadata of a Secret from the API server.
func (c *secretClient) get(ctx context.Context, key types.NamespacedName) (*metav1.PartialObjectMetadata, error) {
	return metadataOf(ctx, c.rest.Get().Namespace(key.Namespace).Resource("secrets").Name(key.Name))
}

// create makes a Secret, or finds out whether it could.
func (c *secretClient) create(ctx context.Context, s *corev1.Secret, manager string, dryRun bool) (*metav1.PartialObjectMetadata, error) {
	body, err := c.encode(s)
	if err != nil {
		return nil, err
	}
	req := protobufBody(c.rest.Post().Namespace(s.Namespace).Resource("secrets").Param("fieldManager", manager), body)
	if dryRun {
		req = req.Param("dryRun", metav1.DryRunAll)
	}
	return c.write(ctx, req)
}

// update replaces a Secret. Its metadata must have uid and resourceVersion.
func (c *secretClient) update(ctx context.Context, s *corev1.Secret, manager string) (*metav1.PartialObjectMetadata, error) {
	if err := precondition(s); err != nil {
		return nil, err
	}
	body, err := c.encode(s)
	if err != nil {
		return nil, err
	}
	req := c.rest.Put().Namespace(s.Namespace).Resource("secrets").Name(s.Name).Param("fieldManager", manager)
	return c.write(ctx, protobufBody(req, body))
}

// apply gives a manager the fields in s, and takes those from it that are not.
// The metadata of s must have uid and resourceVersion.
func (c *secretClient) apply(ctx context.Context, s *corev1.Secret, manager string) (*metav1.PartialObjectMetadata, error) {
	if err := precondition(s); err != nil {
		return nil, err
	}
	s.APIVersion, s.Kind = "v1", "Secret"
	body, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return c.write(ctx, c.rest.Patch(types.ApplyYAMLPatchType).Namespace(s.Namespace).Resource("secrets").Name(s.Name).
		Param("fieldManager", manager).Param("force", "true").Body(body))
}

// patchMetadata applies a JSON patch to the metadata that was read.
func (c *secretClient) patchMetadata(ctx context.Context, was *metav1.PartialObjectMetadata, patch []byte, manager string) (*metav1.PartialObjectMetadata, error) {
	if err := precondition(was); err != nil {
		return nil, err
	}
	var operations []any
	if err := json.Unmarshal(patch, &operations); err != nil {
		return nil, err
	}
	// With "replace" instead of "test" another version is a conflict.
	operations = append(operations,
		map[string]any{"op": "replace", "path": "/metadata/uid", "value": was.UID},
		map[string]any{"op": "replace", "path": "/metadata/resourceVersion", "value": was.ResourceVersion})
	body, err := json.Marshal(operations)
	if err != nil {
		return nil, err
	}
	return c.write(ctx, c.rest.Patch(types.JSONPatchType).Namespace(was.Namespace).Resource("secrets").Name(was.Name).
		Param("fieldManager", manager).Body(body))
}

// updateBeside is update for a Secret in which keys of others stay: what is not
// in s stays but for the keys that remove lists. The API server merges it
// (RFC 7386), because values that are there are not known here.
func (c *secretClient) updateBeside(ctx context.Context, s *corev1.Secret, remove map[string][]string, manager string) (*metav1.PartialObjectMetadata, error) {
	if err := precondition(s); err != nil {
		return nil, err
	}
	body, err := mergePatch(s, remove)
	if err != nil {
		return nil, err
	}
	return c.write(ctx, c.rest.Patch(types.MergePatchType).Namespace(s.Namespace).Resource("secrets").Name(s.Name).
		Param("fieldManager", manager).Body(body))
}

// mergePatch returns the merge patch that makes a Secret s, apart from entries of
// its maps that are not in s. Of those it removes what remove lists, by the name
// of the map: data, labels, annotations.
func mergePatch(s *corev1.Secret, remove map[string][]string) ([]byte, error) {
	metadata := map[string]any{
		"uid": s.UID, "resourceVersion": s.ResourceVersion, "ownerReferences": s.OwnerReferences,
		"labels": withNulls(s.Labels, remove["labels"]), "annotations": withNulls(s.Annotations, remove["annotations"]),
	}
	data := withNulls(s.Data, remove["data"])
	for key, value := range s.Data {
		data[key] = append([]byte{}, value...) // null would remove it
	}
	if s.ManagedFields != nil {
		metadata["managedFields"] = s.ManagedFields
	}
	return json.Marshal(map[string]any{
		"metadata": metadata, "data": data, "type": s.Type, "immutable": s.Immutable,
	})
}

// withNulls returns m with a null for each of the keys that it does not have.
func withNulls[V any](m map[string]V, keys []string) map[string]any {
	all := map[string]any{}
	for _, key := range keys {
		all[key] = nil
	}
	for key, value := range m {
		all[key] = value
	}
	return all
}

// delete removes exactly the Secret that was read.
func (c *secretClient) delete(ctx context.Context, s *metav1.PartialObjectMetadata) error {
	if err := precondition(s); err != nil {
		return err
	}
	ctx, cancel, err := c.gate.open(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	body, err := runtime.Encode(c.encoder, &metav1.DeleteOptions{
		TypeMeta:          metav1.TypeMeta{APIVersion: "v1", Kind: "DeleteOptions"},
		Preconditions:     &metav1.Preconditions{UID: &s.UID, ResourceVersion: &s.ResourceVersion},
		PropagationPolicy: new(metav1.DeletePropagationBackground),
	})
	if err != nil {
		return err
	}
	return protobufBody(c.rest.Delete().Namespace(s.Namespace).Resource("secrets").Name(s.Name), body).Do(ctx).Error()
}

// encode writes a Secret as protobuf, which costs the API server a fraction of
// what JSON does.
func (c *secretClient) encode(s *corev1.Secret) ([]byte, error) {
	s.APIVersion, s.Kind = "v1", "Secret"
	return runtime.Encode(c.encoder, s)
}

func protobufBody(req *rest.Request, body []byte) *rest.Request {
	return req.SetHeader("Content-Type", runtime.ContentTypeProtobuf).Body(body)
}

func (c *secretClient) write(ctx context.Context, req *rest.Request) (*metav1.PartialObjectMetadata, error) {
	ctx, cancel, err := c.gate.open(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	return metadataOf(ctx, req)
}

func metadataOf(ctx context.Context, req *rest.Request) (*metav1.PartialObjectMetadata, error) {
	m := &metav1.PartialObjectMetadata{}
	if err := req.SetHeader("Accept", asMetadata).Do(ctx).Into(m); err != nil {
		return nil, err
	}
	return m, nil
}
