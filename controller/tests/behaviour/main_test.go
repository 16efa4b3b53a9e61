// SPDX-License-Identifier: Apache-2.0

// Package behaviour tests what the controller does with SealedSecrets and
// Secrets, case by case, on a real API server. One controller serves all tests;
// those that stop it or need another one are in package restart.
package behaviour

import (
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/seal/keys"
)

// lab is shared by the tests, with its controller: each has a namespace of its own.
// The controller remembers no data keys, so that a document that is opened is a call
// to its key.
var lab *controllertest.Shared

func TestMain(m *testing.M) {
	os.Exit(controllertest.MainShared(m, 8, func(s *controllertest.Shared) { lab = s }, "--data-key-cache-ttl", "0s"))
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
	return lab.Start(t)
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
