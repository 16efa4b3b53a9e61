// SPDX-License-Identifier: Apache-2.0

// Package noadmission tests what the controller refuses by itself: the cluster
// has neither the admission policies nor the rules in the definition of
// SealedSecrets. Each test has a controller of its own, for one namespace, which
// it can stop and start with other flags.
package noadmission

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/testcluster"
)

// lab is shared by the tests: each has a namespace and a controller of its own.
var lab *controllertest.Lab

func TestMain(m *testing.M) {
	definitions, err := withoutRules(filepath.Join("..", "..", "config", "crd"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(controllertest.Main(m, controllertest.Options{
		Without: []string{"admission", "crd"}, Cluster: testcluster.Options{Manifests: definitions},
	}, func(l *controllertest.Lab) error { lab = l; return nil }))
}

// withoutRules returns the definitions, and that of SealedSecrets without what
// it asks of the spec.
func withoutRules(dir string) ([]byte, error) {
	keys, err := os.ReadFile(filepath.Join(dir, "signet.dev_sealingkeys.yaml"))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "signet.dev_sealedsecrets.yaml"))
	if err != nil {
		return nil, err
	}
	var crd map[string]any
	if err := yaml.Unmarshal(text, &crd); err != nil {
		return nil, err
	}
	version := crd["spec"].(map[string]any)["versions"].([]any)[0].(map[string]any)
	schema := version["schema"].(map[string]any)["openAPIV3Schema"].(map[string]any)
	delete(schema, "x-kubernetes-validations")
	schema["properties"].(map[string]any)["spec"] = map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}
	loose, err := yaml.Marshal(crd)
	return append(append(keys, "\n---\n"...), loose...), err
}

// start runs a controller for one namespace.
func start(t *testing.T, ns string, args ...string) *controllertest.Controller {
	t.Helper()
	return lab.RunController(t, append([]string{
		"--watch-namespaces", ns, "--leader-elect=false", "--min-backoff", "100ms", "--max-backoff", "2s",
	}, args...)...)
}

// stop ends a controller.
func stop(t *testing.T, c *controllertest.Controller) {
	t.Helper()
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
}
