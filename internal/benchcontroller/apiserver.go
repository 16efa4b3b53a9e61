// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/internal/controllertest"
)

// apiServer is the time that the API server takes for what signet-controller
// can't do without: one POST of a Secret and one patch of a status per object,
// with the account, the encodings and the content that the controller uses, and
// with everything installed that makes these requests what they cost.
func (b *bench) apiServer(ctx context.Context) (took time.Duration, err error) {
	s, err := open(ctx, b.signet)
	if err != nil {
		return 0, err
	}
	defer s.closing(&err)
	documents, _ := b.signet.documents(b.objects)
	if err := s.create(ctx, b.signet, documents...); err != nil {
		return 0, err
	}
	var objects []object
	if err := s.list(ctx, b.signet.collection(), func(o object) { objects = append(objects, o) }); err != nil {
		return 0, err
	}
	cfg, err := s.ServiceAccount(ctx, controllertest.AccountNamespace, controllertest.AccountName)
	if err != nil {
		return 0, err
	}
	w := &writer{values: map[string]map[string]string{}}
	if w.client, err = restClient(cfg); err != nil {
		return 0, err
	}
	for _, d := range documents {
		w.values[d.name] = d.values
	}
	before, begin := cpuTimes(s.PIDs()), time.Now()
	err = parallel(ctx, workers, len(objects), func(ctx context.Context, i int) error { return w.write(ctx, objects[i]) })
	took = time.Since(begin)
	sayCPU(fmt.Sprintf("API server alone, %d objects", len(objects)), took, before, cpuTimes(s.PIDs()))
	if err == nil {
		err = s.verify(ctx, b.signet, documents)
	}
	return took, err
}

// writer writes what signet-controller writes for an object.
type writer struct {
	client *rest.RESTClient
	values map[string]map[string]string
}

func (w *writer) write(ctx context.Context, o object) error {
	name := o.Metadata.Name
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: namespace,
			Labels:      map[string]string{"signet.dev/managed": "true"},
			Annotations: map[string]string{"signet.dev/sealed-secret": name},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: v1alpha1.GroupVersion.String(), Kind: "SealedSecret", Name: name, UID: types.UID(o.Metadata.UID),
			}},
		},
		Type: corev1.SecretTypeOpaque, Data: map[string][]byte{},
	}
	for key, value := range w.values[name] {
		secret.Data[key] = []byte(value)
	}
	body, err := encodeSecret(secret)
	if err != nil {
		return err
	}
	made, err := post(ctx, w.client, "/api/v1/namespaces/"+namespace+"/secrets", runtime.ContentTypeProtobuf, body, "signet:"+name)
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": o.Metadata.UID, "resourceVersion": o.Metadata.ResourceVersion},
		"status":   statusLike(made),
	})
	if err != nil {
		return err
	}
	return w.client.Patch(types.MergePatchType).AbsPath("/apis/signet.dev/v1alpha1/namespaces/"+namespace+"/sealedsecrets", name, "status").
		SetHeader("Accept", asMetadata).Body(patch).Do(ctx).Into(&metav1.PartialObjectMetadata{})
}

// statusLike is a status of the size of a real one.
func statusLike(secret *metav1.PartialObjectMetadata) v1alpha1.SealedSecretStatus {
	digest := strings.Repeat("0123456789abcdef", 4)
	return v1alpha1.SealedSecretStatus{
		ObservedGeneration: 1,
		Conditions: []metav1.Condition{{
			Type: "Ready", Status: metav1.ConditionTrue, Reason: "Unsealed", Message: "the Secret is as sealed",
			ObservedGeneration: 1, LastTransitionTime: metav1.Now(),
		}},
		Secret:       &v1alpha1.SecretStatus{Name: secret.Name, UID: secret.UID, ResourceVersion: secret.ResourceVersion, Fields: digest},
		Key:          "SealingKey/" + keyName,
		PolicyDigest: digest,
	}
}
