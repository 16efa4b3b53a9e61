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
// the given one have, sorted: those that partners have added, and the rest, with
// those that somebody else has applied over.
func keysOfOthers(secret *metav1.PartialObjectMetadata, manager string, partners []string) (added, strange []string, err error) {
	all, err := holders(secret, dataPath())
	if err != nil {
		return nil, nil, err
	}
	over, err := appliers(secret)
	if err != nil {
		return nil, nil, err
	}
	isPartner := func(m string) bool { return m != manager && slices.Contains(partners, m) }
	isOther := func(m string) bool { return m != manager }
	for _, key := range slices.Sorted(maps.Keys(all)) {
		isStranger := func(m string) bool { return isOther(m) && !isPartner(m) }
		switch {
		case slices.ContainsFunc(over[key], isStranger):
			strange = append(strange, key)
		case slices.ContainsFunc(all[key], isPartner):
			added = append(added, key)
		case slices.ContainsFunc(all[key], isOther):
			strange = append(strange, key)
		}
	}
	return added, strange, nil
}

// checkPartners refuses keys of the data that a document claims in the Secret with
// the given metadata and that a partner has added there, whatever their values: to
// share equal ones would tell what they are. What is not claimed may stay.
func checkPartners(secret *metav1.PartialObjectMetadata, manager string, partners, claimed []string) error {
	all, err := holders(secret, dataPath())
	if err != nil {
		return unclear(secret, err)
	}
	isPartner := func(m string) bool { return m != manager && slices.Contains(partners, m) }
	for _, key := range slices.Sorted(slices.Values(claimed)) {
		if i := slices.IndexFunc(all[key], isPartner); i >= 0 {
			return failf(KeyConflict, "Secret %s: %s of %s was added by %q; take it out of this document, or out of that one first",
				secret.Name, key, dataField, all[key][i])
		}
	}
	return nil
}

// checkOwner is checkPartners for an object that owns the Secret with the given
// metadata, before its document is opened. Partners that the document is yet to
// name have nothing there. The error is a *failure.
func checkOwner(d *document, secret *metav1.PartialObjectMetadata) error {
	manager, beside := fieldManager(d.object.Name), partners(secret.Annotations)
	added, _, err := keysOfOthers(secret, manager, beside)
	if err != nil {
		return unclear(secret, err)
	}
	if len(added) == 0 {
		return nil
	}
	c, err := claimsOf(d)
	if err != nil {
		return err
	}
	return checkPartners(secret, manager, beside, c.data)
}

// yielded returns the managed fields of a Secret without the keys of the data that
// a manager has and somebody else has applied over as stringData, and nil if there
// are none. The API server would take them out together with what the manager gives
// up.
func yielded(secret *metav1.PartialObjectMetadata, manager string) ([]metav1.ManagedFieldsEntry, error) {
	lost, err := appliedOver(secret, manager)
	if err != nil || len(lost) == 0 {
		return nil, err
	}
	gone := fieldpath.NewSet()
	for _, key := range lost {
		gone.Insert(fieldpath.MakePathOrDie(dataField, key))
	}
	var others []string
	for _, f := range secret.ManagedFields {
		if f.Manager != manager {
			others = append(others, f.Manager)
		}
	}
	return withoutFields(secret.ManagedFields, others, gone)
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
	return withoutFields(fields, except, fieldpath.NewSet(fieldpath.MakePathOrDie(dataField), fieldpath.MakePathOrDie(stringDataField)))
}

// withData returns managed fields in which a manager has updated keys of the data,
// with what it has besides.
func withData(fields []metav1.ManagedFieldsEntry, manager string, keys []string) ([]metav1.ManagedFieldsEntry, error) {
	if len(keys) == 0 {
		return fields, nil
	}
	set := fieldpath.NewSet()
	for _, key := range keys {
		set.Insert(fieldpath.MakePathOrDie(dataField, key))
	}
	entry, err := withFields(metav1.ManagedFieldsEntry{
		Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: "v1", FieldsType: "FieldsV1",
	}, set)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(fields, func(f metav1.ManagedFieldsEntry) bool {
		return f.Manager == manager && f.Operation == metav1.ManagedFieldsOperationUpdate && f.Subresource == ""
	})
	if i < 0 {
		return append(fields, entry), nil
	}
	fields[i], err = union(fields[i], entry)
	return fields, err
}

// withoutStringData returns managed fields in which no manager has keys of the
// data as stringData, but for those that are excepted: they would stay for ever,
// for the API server knows of no such field when something else is written. It is
// nil if there is no such thing.
func withoutStringData(fields []metav1.ManagedFieldsEntry, except []string) ([]metav1.ManagedFieldsEntry, error) {
	secret := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{ManagedFields: fields}}
	applied, err := appliers(secret)
	if err != nil {
		return nil, err
	}
	for _, managers := range applied {
		if slices.ContainsFunc(managers, func(m string) bool { return !slices.Contains(except, m) }) {
			return withoutFields(fields, except, fieldpath.NewSet(fieldpath.MakePathOrDie(stringDataField)))
		}
	}
	return nil, nil
}

// withoutFields returns managed fields in which no manager has what is in gone, but for
// those that are excepted.
func withoutFields(fields []metav1.ManagedFieldsEntry, except []string, gone *fieldpath.Set) ([]metav1.ManagedFieldsEntry, error) {
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
		if set = set.RecursiveDifference(gone); set.Empty() {
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
