// SPDX-License-Identifier: Apache-2.0

// Package behaviour tests what the controller does with SealedSecrets and
// Secrets, case by case, on a real API server. One controller serves all tests;
// those that stop it or need another one are in package restart.
package behaviour

import (
	"context"
	"flag"
	"os"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/seal/keys"
)

// lab is shared by the tests: each has a namespace of its own.
var lab *controllertest.Lab

// running starts the controller of the package. It remembers no data keys, so
// that a document that is opened is a call to its key, and a machine that is
// busy with other tests doesn't cost it its Lease.
var running = sync.OnceValues(func() (*controllertest.Controller, error) {
	ctx, cancel := context.WithTimeout(context.Background(), controllertest.Patience)
	defer cancel()
	c, err := lab.Run(ctx, "--min-backoff", "100ms", "--max-backoff", "2s", "--data-key-cache-ttl", "0s",
		"--leader-elect-lease-duration", "5m", "--leader-elect-renew-deadline", "4m")
	if err != nil {
		return nil, err
	}
	return c, c.WaitServing(ctx)
})

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // they mostly wait
		panic(err)
	}
	os.Exit(controllertest.Main(m, controllertest.Options{}, func(l *controllertest.Lab) error { lab = l; return nil }))
}

// start begins a test: beside others, with a namespace and the controller.
func start(t *testing.T) (namespace string) {
	t.Helper()
	t.Parallel()
	return alone(t)
}

// alone is start for a test that runs before those that run beside each other: a
// change of a SealingKey has all objects that are Stalled tried again.
func alone(t *testing.T) (namespace string) {
	t.Helper()
	c, err := running()
	if err != nil {
		t.Fatal(err)
	}
	namespace = lab.Namespace(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what the controller says of %s:\n%s", namespace, c.LogAbout(namespace))
		}
	})
	return namespace
}

// values are what is sealed where it doesn't matter what.
func values() map[string]string {
	return map[string]string{"username": "app", "password": "correct horse battery staple"}
}

// document is a SealedSecret called db, for a key in the KMS if one is given.
func document(t *testing.T, namespace string, data map[string]string, key ...keys.Entry) *unstructured.Unstructured {
	t.Helper()
	return lab.MustSeal(t, controllertest.Secret{Namespace: namespace, Name: "db", Data: data, For: key})
}

func one(key keys.Entry) []keys.Entry { return []keys.Entry{key} }

// unsealed makes a document called db and waits until its Secret is there.
func unsealed(t *testing.T, namespace string, key ...keys.Entry) *corev1.Secret {
	t.Helper()
	lab.Create(t, document(t, namespace, values(), key...))
	lab.WaitReady(t, namespace, "db")
	return lab.WaitData(t, namespace, "db", values())
}

// poke has the controller look at the document called db.
func poke(t *testing.T, namespace string) {
	t.Helper()
	lab.Update(t, namespace, "db", func(o *unstructured.Unstructured) {
		o.SetAnnotations(map[string]string{"example.com/poked": o.GetResourceVersion()})
	})
}

// decrypts fails the test unless a key was used exactly n times.
func decrypts(t *testing.T, key keys.KMSEntry, n int) {
	t.Helper()
	if have := lab.Decrypts(key); have != n {
		t.Errorf("%d key calls, want %d", have, n)
	}
}
