// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/internal/controllertest"
)

// TestAPIServerRestarted stops and kills the API server while documents come
// and change, and wants every Secret right at the end, by the same process.
func TestAPIServerRestarted(t *testing.T) {
	const documents = 120
	ns := lab.Namespace(t)
	c := lab.RunController(t, alone([]string{"--min-backoff", "200ms", "--max-backoff", "2s"}, ns)...)
	var first, second []*unstructured.Unstructured
	for i := range documents {
		secret := func(value string) controllertest.Secret {
			return controllertest.Secret{Namespace: ns, Name: fmt.Sprintf("doc-%d", i), Data: map[string]string{"value": value}}
		}
		first = append(first, lab.MustSeal(t, secret(fmt.Sprint("before ", i))))
		second = append(second, lab.MustSeal(t, secret(fmt.Sprint("after ", i))))
	}
	for _, end := range []struct {
		name      string
		documents []*unstructured.Unstructured
		end       func() error
	}{
		{"stopped", first, lab.Cluster.StopAPIServer},
		{"killed", second, lab.Cluster.KillAPIServer},
	} {
		writes := make(chan error, 1)
		go func() { writes <- each(documents, func(i int) error { return persist(t.Context(), end.documents[i]) }) }()
		controllertest.Until(t, "there is work", func(ctx context.Context) error { return hasSome(ctx, ns, documents/4, end.documents) })
		if err := end.end(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*controllertest.Patience)
		defer cancel()
		if err := lab.Cluster.StartAPIServer(ctx); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := <-writes; err != nil {
			t.Fatal(err)
		}
		waitAll(t, lab, 2*controllertest.Patience, ns, "")
		t.Logf("%s: all are ready %.1f s after the API server", end.name, time.Since(began).Seconds())
	}
	for i := range documents {
		lab.WaitData(t, ns, fmt.Sprintf("doc-%d", i), map[string]string{"value": fmt.Sprint("after ", i)})
	}
	if n := len(versions(t, lab, ns)); n != documents {
		t.Errorf("there are %d Secrets for %d documents", n, documents)
	}
	select {
	case <-c.Done():
		t.Error("the controller has ended")
	default:
	}
}

// hasSome returns nil when so many of the documents are in the cluster.
func hasSome(ctx context.Context, namespace string, want int, documents []*unstructured.Unstructured) error {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(documents[0].GroupVersionKind())
	if err := lab.Admin.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return err
	}
	current := map[string]any{}
	for _, o := range list.Items {
		current[o.GetName()] = macOf(o.Object)
	}
	n := 0
	for _, o := range documents {
		if current[o.GetName()] == macOf(o.Object) {
			n++
		}
	}
	if n < want {
		return fmt.Errorf("%d of %d", n, want)
	}
	return nil
}

// macOf tells one version of a document from another.
func macOf(o map[string]any) any {
	mac, _, _ := unstructured.NestedString(o, "spec", "sealed", "sops", "mac")
	return mac
}

// persist makes or updates an object, whatever happens to the API server.
func persist(ctx context.Context, o *unstructured.Unstructured) error {
	deadline := time.Now().Add(2 * controllertest.Patience)
	for {
		err := put(ctx, o)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func put(ctx context.Context, o *unstructured.Unstructured) error {
	return putIn(ctx, lab, o)
}

func putIn(ctx context.Context, l *controllertest.Lab, o *unstructured.Unstructured) error {
	now := controllertest.NewSealedSecret(o.GetNamespace(), o.GetName())
	err := l.Admin.Get(ctx, client.ObjectKeyFromObject(o), now)
	if apierrors.IsNotFound(err) {
		return l.Admin.Create(ctx, o.DeepCopy())
	}
	if err != nil {
		return err
	}
	now.Object["spec"] = o.Object["spec"]
	return l.Admin.Update(ctx, now)
}
