// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/krm"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

const (
	localConfig    = "config.kubernetes.io/local-config"
	trackingPrefix = "internal.config.kubernetes.io/"
	originalNames  = trackingPrefix + "previousNames"
	originalSpaces = trackingPrefix + "previousNamespaces"
	originalKinds  = trackingPrefix + "previousKinds"
)

// notForClusters are annotations that mean something to tools on the way, and
// do harm in what comes out: a copy of a function would be run, local-config is
// dropped, last-applied-configuration holds values in clear.
func notForClusters() []string {
	return []string{
		krm.FunctionAnnotation, "config.k8s.io/function", "config.kubernetes.io/container", "config.k8s.io/container",
		localConfig, "config.k8s.io/local-config", "kubectl.kubernetes.io/last-applied-configuration",
	}
}

// isTracking reports whether an annotation is one by which kustomize finds the
// result of a transformer in what it sent (kyaml: kio/kioutil/kioutil.go,
// kustomize api: internal/utils/annotations.go and plugins/utils/utils.go).
func isTracking(key string) bool {
	return strings.HasPrefix(key, trackingPrefix) ||
		slices.Contains([]string{"config.kubernetes.io/index", "config.kubernetes.io/path", "config.k8s.io/id", "kustomize.config.k8s.io/id"}, key)
}

// isLocal reports whether kustomize will drop an object from its output. The
// Secret in its place would not be dropped (kustomize api: resource/factory.go,
// DropLocalNodes).
func isLocal(t *target) bool {
	v := manifest.Get(t.Node, "metadata", "annotations", localConfig)
	return v != nil && v.Value != "false"
}

// finish gives an opened object the annotations that kustomize needs, and takes
// those away that must not come out.
func (r *run) finish(t *target, n *yaml.Node) error {
	for _, key := range notForClusters() {
		deleteAnnotation(n, key)
	}
	if metadata := manifest.Get(n, "metadata"); metadata != nil {
		manifest.Delete(metadata, "configFn")
	}
	outer := manifest.Get(t.Node, "metadata", "annotations")
	if t.Group() == sopsdoc.Group {
		for _, key := range []string{krm.HashAnnotation, krm.BehaviorAnnotation} {
			if v := manifest.GetString(outer, key); v != "" {
				manifest.SetAnnotation(n, key, v)
			}
		}
	}
	if r.generating {
		return checkOptions(n)
	}
	r.withoutOptions(t.file, n)
	if t.file == "-" {
		keepTracking(t.Object, n)
	}
	return nil
}

// keepTracking gives what takes the place of o the annotations by which
// kustomize tracked o. A Secret that has the name of its SealedSecret takes over
// the names that this had before, and references to one of them then follow.
func keepTracking(o *manifest.Object, n *yaml.Node) {
	outer := manifest.Get(o.Node, "metadata", "annotations")
	sameName := manifest.GetString(n, "metadata", "name") == o.Name()
	for i := 0; i+1 < mappingLen(outer); i += 2 {
		key, value := outer.Content[i].Value, outer.Content[i+1].Value
		if key == originalKinds && sameName {
			value = strings.ReplaceAll(value, sopsdoc.Kind, "Secret")
		}
		if isTracking(key) {
			manifest.SetAnnotation(n, key, value)
		}
	}
}

// checkOptions refuses a behavior that kustomize would take for none.
func checkOptions(n *yaml.Node) error {
	v := manifest.GetString(n, "metadata", "annotations", krm.BehaviorAnnotation)
	if v == "" || slices.Contains([]string{"create", "merge", "replace"}, v) {
		return nil
	}
	return fmt.Errorf("annotation %s: must be create, merge or replace", krm.BehaviorAnnotation)
}

// withoutOptions takes out what means something to kustomize in the result of a
// generator only, and would reach the cluster from a transformer.
func (r *run) withoutOptions(place string, n *yaml.Node) {
	if r.generating {
		return
	}
	if place == "-" {
		place = "resources"
	}
	for _, key := range []string{krm.HashAnnotation, krm.BehaviorAnnotation} {
		if deleteAnnotation(n, key) {
			r.notes.Note(place+", "+manifest.GetString(n, "metadata", "name"),
				key+" works only for generators and is left out: list it under generators:")
		}
	}
}

func mappingLen(n *yaml.Node) int {
	if n == nil || n.Kind != yaml.MappingNode {
		return 0
	}
	return len(n.Content)
}

// takeTracking takes the annotations of kustomize out of an object.
func takeTracking(n *yaml.Node) {
	for _, key := range manifest.Keys(manifest.Get(n, "metadata", "annotations")) {
		if isTracking(key) {
			deleteAnnotation(n, key)
		}
	}
}

// deleteAnnotation reports whether the annotation was there. Annotations that
// are empty then go as a whole.
func deleteAnnotation(n *yaml.Node, key string) bool {
	metadata := manifest.Get(n, "metadata")
	annotations := manifest.Get(metadata, "annotations")
	if !manifest.Delete(annotations, key) {
		return false
	}
	if len(annotations.Content) == 0 {
		manifest.Delete(metadata, "annotations")
	}
	return true
}

// firstNames returns namespace/name that an object had before any transformer,
// "" if kustomize has noted none down.
func firstNames(o *manifest.Object) string {
	annotation := func(key string) string {
		first, _, _ := strings.Cut(manifest.GetString(o.Node, "metadata", "annotations", key), ",")
		return first
	}
	name, namespace := annotation(originalNames), annotation(originalSpaces)
	if name == "" || namespace == "" {
		return ""
	}
	return namespace + "/" + name
}
