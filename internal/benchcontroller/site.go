// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/rest"

	"github.com/signet-secrets/signet/internal/testcluster"
)

// workers is how many clients make objects at the same time, and how many
// objects signet-controller works on.
const workers = 16

// asMetadata asks for an object without its content.
const asMetadata = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1," +
	"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

// site is a fresh cluster with what one contender needs.
type site struct {
	*testcluster.Cluster
	config *rest.Config
	admin  *rest.RESTClient
}

// open starts a cluster for a contender. The caller closes it.
func open(ctx context.Context, c contender) (*site, error) {
	manifests, err := c.manifests()
	if err != nil {
		return nil, err
	}
	cluster, err := testcluster.New(ctx, testcluster.Options{Manifests: manifests, Throughput: true})
	if err != nil {
		return nil, err
	}
	s := &site{Cluster: cluster, config: cluster.Admin()}
	if s.admin, err = restClient(s.config); err == nil {
		err = s.namespace(ctx, namespace)
	}
	if err == nil {
		err = c.prepare(ctx, s)
	}
	if err != nil {
		return nil, errors.Join(err, cluster.Close())
	}
	return s, nil
}

func (s *site) namespace(ctx context.Context, name string) error {
	return s.Apply(ctx, []byte(`{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "`+name+`"}}`))
}

// restClient returns a client for absolute paths.
func restClient(cfg *rest.Config) (*rest.RESTClient, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), metav1.AddMetaToScheme(scheme)); err != nil {
		return nil, err
	}
	cfg = rest.CopyConfig(cfg)
	cfg.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	return rest.UnversionedRESTClientFor(cfg)
}

// post makes an object and returns its metadata.
func post(ctx context.Context, client *rest.RESTClient, path, contentType string, body []byte, manager string) (*metav1.PartialObjectMetadata, error) {
	m := &metav1.PartialObjectMetadata{}
	err := client.Post().AbsPath(path).Param("fieldManager", manager).SetHeader("Content-Type", contentType).SetHeader("Accept", asMetadata).
		Body(body).Do(ctx).Into(m)
	return m, err
}

// create makes documents as an administrator.
func (s *site) create(ctx context.Context, c contender, documents ...document) error {
	return parallel(ctx, workers, len(documents), func(ctx context.Context, i int) error {
		_, err := post(ctx, s.admin, c.collection(), runtime.ContentTypeJSON, documents[i].body, "bench")
		return err
	})
}

// foreignBytes is the size of a Secret that is not ours.
const foreignBytes = 10 << 10

// createForeign makes Secrets that are no contender's.
func (s *site) createForeign(ctx context.Context, n int) error {
	const foreign = "foreign"
	if err := s.namespace(ctx, foreign); err != nil {
		return err
	}
	return parallel(ctx, workers, n, func(ctx context.Context, i int) error {
		body, err := encodeSecret(&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("foreign-%05d", i), Namespace: foreign},
			Data:       map[string][]byte{"file": []byte(strings.Repeat("x", foreignBytes))},
		})
		if err != nil {
			return err
		}
		_, err = post(ctx, s.admin, "/api/v1/namespaces/"+foreign+"/secrets", runtime.ContentTypeProtobuf, body, "bench")
		return err
	})
}

// encodeSecret writes a Secret as protobuf.
func encodeSecret(secret *corev1.Secret) ([]byte, error) {
	secret.APIVersion, secret.Kind = "v1", "Secret"
	scheme := runtime.NewScheme()
	return runtime.Encode(protobuf.NewSerializer(scheme, scheme), secret)
}

// writes returns how often the API server was asked so far to write a Secret, a
// document, a key or an event, or the status of one. Leases are not counted:
// who may work is not what is measured.
func (s *site) writes(ctx context.Context) (int, error) {
	text, err := s.admin.Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return 0, err
	}
	total := 0.0
	for _, resource := range []string{"secrets", "sealedsecrets", "sealingkeys", "events"} {
		for _, verb := range []string{"POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"} {
			total += sumSeries(string(text), "apiserver_request_total", `resource="`+resource+`"`, `verb="`+verb+`"`)
		}
	}
	return int(total), nil
}

// closing closes the cluster and adds its error to err.
func (s *site) closing(err *error) {
	if closeErr := s.Close(); *err == nil {
		*err = closeErr
	} else if closeErr != nil {
		fmt.Fprintln(os.Stderr, "bench:", closeErr)
	}
}
