// SPDX-License-Identifier: Apache-2.0

package fluxtest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"sigs.k8s.io/yaml"
)

// The manifests are what Flux's types know, field by field, and wait for
// SealedSecrets without expressions of their own.
func TestManifests(t *testing.T) {
	files, err := filepath.Glob("../flux/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, doc := range bytes.Split(text, []byte("\n---\n")) {
				var k kustomizev1.Kustomization
				if bytes.Contains(doc, []byte("kind: GitRepository\nmetadata")) {
					var g sourcev1.GitRepository
					if err := yaml.UnmarshalStrict(doc, &g); err != nil {
						t.Error(err)
					}
					continue
				}
				if err := yaml.UnmarshalStrict(doc, &k); err != nil {
					t.Fatal(err)
				}
				if len(k.Spec.HealthCheckExprs) > 0 || !k.Spec.Wait && len(k.Spec.HealthChecks) == 0 {
					t.Error("it does not wait, or needs expressions for it")
				}
				base := ".."
				if k.Name == "signet" {
					base = root
				}
				for _, directory := range append(k.Spec.Components, ".") {
					if _, err := os.Stat(filepath.Join(base, k.Spec.Path, directory, "kustomization.yaml")); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}
