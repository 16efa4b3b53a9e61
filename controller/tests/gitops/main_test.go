// SPDX-License-Identifier: Apache-2.0

// Package gitops tests the controller under the writes of Argo CD and Flux to
// SealedSecrets, made with kubectl on a real API server: apply on the client's
// and on the server's side and from one to the other, replace, replace by force,
// and the marks that these tools leave. Neither of the two takes part.
package gitops

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/testtool"
)

// lab is shared by the tests, with its controller: each has a namespace of its own.
var lab *controllertest.Shared

func TestMain(m *testing.M) {
	os.Exit(controllertest.MainShared(m, 4, func(s *controllertest.Shared) { lab = s }))
}

// start begins a test: beside others, with a namespace and the controller.
func start(t *testing.T) (namespace string) {
	t.Helper()
	t.Parallel()
	return lab.Start(t)
}

// kubectl runs kubectl as an administrator, with an object on stdin, and returns
// what it prints.
func kubectl(t *testing.T, o *unstructured.Unstructured, args ...string) []byte {
	t.Helper()
	config := filepath.Join(t.TempDir(), "kubeconfig")
	if err := lab.Cluster.WriteKubeconfig(config, lab.Cluster.Admin()); err != nil {
		t.Fatal(err)
	}
	manifest, err := json.Marshal(o.Object)
	if err != nil {
		t.Fatal(err)
	}
	r := testtool.Run(t, testtool.Cmd{
		Path: testtool.Path(t, "kubectl"), Args: append(args, "-f", "-"), Stdin: manifest, Timeout: controllertest.Patience,
		Env: []string{"KUBECONFIG=" + config, "HOME=" + t.TempDir()},
	})
	if r.ExitCode != 0 {
		t.Fatalf("kubectl %q: %s", args, r.Stderr)
	}
	return r.Stdout
}

// values are what is sealed first, and then.
func values() (first, then map[string]string) {
	return map[string]string{"username": "app", "password": "correct horse battery staple"},
		map[string]string{"password": "another horse battery staple", "host": "db.example.com"}
}

// document is a SealedSecret called db that is not in the cluster yet.
func document(t *testing.T, namespace string, data map[string]string, spec map[string]any) *unstructured.Unstructured {
	t.Helper()
	return lab.MustSeal(t, controllertest.Secret{Namespace: namespace, Name: "db", Data: data, Labels: map[string]string{"app": "db"}, Spec: spec})
}

// unsealed waits until the Secret called db is as sealed, and belongs to the
// SealedSecret as it is now.
func unsealed(t *testing.T, namespace string, data map[string]string) *corev1.Secret {
	t.Helper()
	lab.WaitReady(t, namespace, "db")
	s := lab.WaitData(t, namespace, "db", data)
	if len(s.OwnerReferences) > 1 {
		t.Errorf("owner references %+v", s.OwnerReferences)
	}
	return s
}
