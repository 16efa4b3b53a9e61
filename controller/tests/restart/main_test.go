// SPDX-License-Identifier: Apache-2.0

// Package restart tests what a controller does that is stopped, started anew or
// set up in another way, and with objects that are stored although they break
// the schema. The tests run one after the other, each with its own controllers.
package restart

import (
	"os"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/seal/keys"
)

// lab is shared by the tests: each has a namespace of its own.
var lab *controllertest.Lab

func TestMain(m *testing.M) {
	os.Exit(controllertest.Main(m, controllertest.Options{}, func(l *controllertest.Lab) error { lab = l; return nil }))
}

// run starts a controller that keeps its Lease however busy the machine is.
func run(t *testing.T, args ...string) *controllertest.Controller {
	t.Helper()
	return lab.RunController(t, append([]string{"--leader-elect-lease-duration", "5m", "--leader-elect-renew-deadline", "4m"}, args...)...)
}

// stop ends a controller as Kubernetes does.
func stop(t *testing.T, c *controllertest.Controller) {
	t.Helper()
	if err := c.Stop(); err != nil {
		t.Fatalf("the controller ended with %v\n%s", err, c.Log())
	}
}

// values are what is sealed where it doesn't matter what.
func values() map[string]string {
	return map[string]string{"username": "app", "password": "correct horse battery staple"}
}

// document is a SealedSecret, for a key if one is given.
func document(t *testing.T, namespace, name string, data map[string]string, key ...keys.Entry) *unstructured.Unstructured {
	t.Helper()
	return lab.MustSeal(t, controllertest.Secret{Namespace: namespace, Name: name, Data: data, For: key})
}

// versions are the resourceVersions of all SealedSecrets and Secrets of a
// namespace, by name.
func versions(t *testing.T, namespace string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, kind := range []string{"SealedSecret", "Secret"} {
		list := &unstructured.UnstructuredList{}
		list.SetKind(kind + "List")
		list.SetAPIVersion("v1")
		if kind == "SealedSecret" {
			list.SetAPIVersion("signet.dev/v1alpha1")
		}
		if err := lab.Admin.List(t.Context(), list, client.InNamespace(namespace)); err != nil {
			t.Fatal(err)
		}
		for _, o := range list.Items {
			found[kind+" "+o.GetName()] = o.GetResourceVersion()
		}
	}
	return found
}
