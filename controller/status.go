// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/signet-secrets/signet/controller/v1alpha1"
)

// maxMessageBytes is how long the message of a condition may get. The API
// server takes 32 KiB; people don't.
const maxMessageBytes = 2048

// setConditions puts the outcome for an object of the given generation into
// conditions: Ready, and Stalled or not.
func setConditions(conditions *[]metav1.Condition, generation int64, ready metav1.ConditionStatus, reason Reason, message string) {
	message = cut(message, maxMessageBytes)
	meta.SetStatusCondition(conditions, metav1.Condition{
		Type: Ready, Status: ready, Reason: string(reason), Message: message, ObservedGeneration: generation,
	})
	if ready == metav1.ConditionFalse && reason.stalled() {
		meta.SetStatusCondition(conditions, metav1.Condition{
			Type: Stalled, Status: metav1.ConditionTrue, Reason: string(reason), Message: message, ObservedGeneration: generation,
		})
		return
	}
	meta.RemoveStatusCondition(conditions, Stalled)
}

// cut shortens text to n bytes, between characters.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	n -= len("...")
	for !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "..."
}

// statusOf makes the status of a Secret that was written.
func statusOf(secret *metav1.PartialObjectMetadata, manager string) *v1alpha1.SecretStatus {
	return &v1alpha1.SecretStatus{
		Name: secret.Name, UID: secret.UID, ResourceVersion: secret.ResourceVersion,
		Fields: digestFields(secret, manager),
	}
}

// apiClient reads objects of Signet's API, and writes their status.
type apiClient struct {
	rest rest.Interface
	gate *gate
}

func newAPIClient(cfg *rest.Config, g *gate) (*apiClient, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		return nil, err
	}
	cfg = rest.CopyConfig(cfg)
	cfg.APIPath = "/apis"
	cfg.GroupVersion = &v1alpha1.GroupVersion
	cfg.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	cfg.ContentType = runtime.ContentTypeJSON
	client, err := rest.RESTClientFor(cfg)
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

// fullStatus is a status with a null where a merge patch has to remove a field.
type fullStatus struct {
	ObservedGeneration int64                  `json:"observedGeneration"`
	Conditions         []metav1.Condition     `json:"conditions"`
	Secret             *v1alpha1.SecretStatus `json:"secret"`
	Key                *string                `json:"key"`
	PolicyDigest       *string                `json:"policyDigest"`
}

func full(s *v1alpha1.SealedSecretStatus) fullStatus {
	f := fullStatus{ObservedGeneration: s.ObservedGeneration, Conditions: s.Conditions, Secret: s.Secret}
	if s.Key != "" {
		f.Key = &s.Key
	}
	if s.PolicyDigest != "" {
		f.PolicyDigest = &s.PolicyDigest
	}
	return f
}

func sameStatus(a, b *v1alpha1.SealedSecretStatus) bool { return equality.Semantic.DeepEqual(a, b) }
