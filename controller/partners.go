// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// partners returns the field managers of the SealedSecrets that may add to a
// Secret, by the annotations that it has or is to get.
func partners(annotations map[string]string) []string {
	var found []string
	for name := range strings.SplitSeq(annotations[MergeAnnotation], ",") {
		if name = strings.TrimSpace(name); name != "" {
			found = append(found, fieldManager(name))
		}
	}
	return found
}

// keysOfOthers returns the keys of the data of a Secret that managers other than
// the given one have, sorted: those that partners have added, and the rest.
func keysOfOthers(secret *metav1.PartialObjectMetadata, manager string, partners []string) (added, strange []string, err error) {
	all, err := holders(secret, dataPath())
	if err != nil {
		return nil, nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		isPartner := func(m string) bool { return m != manager && slices.Contains(partners, m) }
		isOther := func(m string) bool { return m != manager }
		switch {
		case slices.ContainsFunc(all[key], isPartner):
			added = append(added, key)
		case slices.ContainsFunc(all[key], isOther):
			strange = append(strange, key)
		}
	}
	return added, strange, nil
}

// asUpdated returns the managed fields of a Secret with what a manager has
// applied as something that it has updated, and nil if there is no such thing.
// The entry would stay for ever otherwise, or take away what it holds when it is
// given up.
func asUpdated(was []metav1.ManagedFieldsEntry, manager string) ([]metav1.ManagedFieldsEntry, error) {
	ours := func(operation metav1.ManagedFieldsOperationType) func(metav1.ManagedFieldsEntry) bool {
		return func(f metav1.ManagedFieldsEntry) bool {
			return f.Manager == manager && f.Operation == operation && f.Subresource == "" && f.FieldsV1 != nil
		}
	}
	applied := slices.IndexFunc(was, ours(metav1.ManagedFieldsOperationApply))
	if applied < 0 {
		return nil, nil
	}
	entry := *was[applied].DeepCopy()
	entry.Operation = metav1.ManagedFieldsOperationUpdate
	if i := slices.IndexFunc(was, ours(metav1.ManagedFieldsOperationUpdate)); i >= 0 {
		var err error
		if entry, err = union(entry, was[i]); err != nil {
			return nil, err
		}
	}
	others := func(f metav1.ManagedFieldsEntry) bool { return f.Manager == manager && f.Subresource == "" }
	return append(slices.DeleteFunc(slices.Clone(was), others), entry), nil
}

// withoutData returns managed fields in which no manager has keys of the data, but
// for those that are excepted.
func withoutData(fields []metav1.ManagedFieldsEntry, except []string) ([]metav1.ManagedFieldsEntry, error) {
	data := fieldpath.NewSet(fieldpath.MakePathOrDie("data"))
	kept := make([]metav1.ManagedFieldsEntry, 0, len(fields))
	for _, f := range fields {
		if f.FieldsV1 == nil || f.Subresource != "" || slices.Contains(except, f.Manager) {
			kept = append(kept, f)
			continue
		}
		set, err := fieldSet(f)
		if err != nil {
			return nil, err
		}
		if set = set.RecursiveDifference(data); set.Empty() {
			continue
		}
		if f, err = withFields(f, set); err != nil {
			return nil, err
		}
		kept = append(kept, f)
	}
	return kept, nil
}

// union returns entry a with the fields of b too.
func union(a, b metav1.ManagedFieldsEntry) (metav1.ManagedFieldsEntry, error) {
	ours, err := fieldSet(a)
	if err != nil {
		return a, err
	}
	more, err := fieldSet(b)
	if err != nil {
		return a, err
	}
	return withFields(a, ours.Union(more))
}
