// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/krm"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// functionSpec names the program that opens a SealedSecret in a build. It has no
// args and no envs: kustomize before 5.7 refuses a document that has them.
const functionSpec = "exec:\n  path: signet-kustomize\n"

// errKustomizeSOPS says that only a SealedSecret can be a generator by itself.
var errKustomizeSOPS = errors.New("--kustomize has no meaning with --as sops: kustomize takes a Secret for a resource, not for a generator")

// asGenerator gives a SealedSecret the annotations that kustomize needs: with
// --kustomize that of a function, without it what the previous document of the
// same place had, also if it could not be opened. It changes a copy.
func (s *sealing) asGenerator(f found, n *yaml.Node) (result *yaml.Node, changed bool) {
	want := s.previous.generator(f, s.namespace)
	if s.kustomize {
		want[krm.FunctionAnnotation] = functionSpec
	}
	for _, key := range []string{krm.FunctionAnnotation, krm.HashAnnotation, krm.BehaviorAnnotation} {
		now := manifest.GetString(manifest.Root(n), "metadata", "annotations", key)
		forced := s.kustomize && key == krm.FunctionAnnotation
		if want[key] == now || now != "" && !forced || want[key] == "" {
			continue
		}
		if !changed {
			n, changed = manifest.Clone(n), true
		}
		manifest.SetAnnotation(manifest.Root(n), key, want[key])
	}
	return n, changed
}

// generator returns the annotations for kustomize of the previous SealedSecret
// of the same namespace and name.
func (p *previous) generator(f found, namespace string) map[string]string {
	kept := map[string]string{}
	old, ok := p.find(f, namespace)
	if !ok || manifest.GetString(old.Node, "metadata", "annotations", krm.FunctionAnnotation) == "" {
		return kept
	}
	for _, key := range []string{krm.FunctionAnnotation, krm.HashAnnotation, krm.BehaviorAnnotation} {
		if v := manifest.GetString(old.Node, "metadata", "annotations", key); v != "" {
			kept[key] = v
		}
	}
	return kept
}

// find returns the previous SealedSecret of the same namespace and name.
func (p *previous) find(f found, namespace string) (found, bool) {
	if ns := f.Namespace(); ns != "" {
		namespace = ns
	}
	i := slices.IndexFunc(p.objects, func(old found) bool {
		return old.Group() == sopsdoc.Group && old.Name() == f.Name() && old.Namespace() == namespace
	})
	if i < 0 {
		return found{}, false
	}
	return p.objects[i], true
}
