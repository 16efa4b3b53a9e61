// SPDX-License-Identifier: Apache-2.0

package merge3

import "slices"

// mergeOrder returns all keys of ours and theirs. They stand in the order of
// ours, or of theirs if only they changed it; those that only the other side
// has follow what they follow there.
func mergeOrder(base, ours, theirs []string) []string {
	first, second := ours, theirs
	if slices.Equal(base, ours) {
		first, second = theirs, ours
	}
	inFirst := setOf(first)
	after := map[string][]string{} // keys of second alone, by the common key before them
	anchor, common := "", map[string]struct{}{}
	var leading []string
	for _, key := range second {
		if _, ok := inFirst[key]; ok {
			anchor, common[key] = key, struct{}{}
			continue
		}
		if len(common) == 0 {
			leading = append(leading, key)
		} else {
			after[anchor] = append(after[anchor], key)
		}
	}
	merged, pending := make([]string, 0, len(first)+len(second)-len(common)), leading
	for _, key := range first {
		if _, ok := common[key]; ok {
			merged = append(merged, pending...)
			pending = after[key]
		}
		merged = append(merged, key)
	}
	return append(merged, pending...)
}

func setOf(keys []string) map[string]struct{} {
	set := make(map[string]struct{}, len(keys))
	for _, key := range keys {
		set[key] = struct{}{}
	}
	return set
}
