// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// SetAnnotation sets an annotation of the object n, a mapping: in its place
// where the others are sorted, else at the end. What is no mapping where
// metadata or its annotations should be is replaced.
func SetAnnotation(n *yaml.Node, key, value string) {
	annotations := mappingIn(mappingIn(n, "metadata"), "annotations")
	annotations.Style &^= yaml.FlowStyle
	keys := Keys(annotations)
	if at, found := slices.BinarySearch(keys, key); !found && slices.IsSorted(keys) {
		annotations.Content = slices.Insert(annotations.Content, 2*at, String(key), String(value))
		return
	}
	Set(annotations, key, String(value))
}

// mappingIn returns the mapping under key, a new one if there is none.
func mappingIn(n *yaml.Node, key string) *yaml.Node {
	m := Get(n, key)
	if m == nil || m.Kind != yaml.MappingNode {
		m = Mapping()
		Set(n, key, m)
	}
	return m
}
