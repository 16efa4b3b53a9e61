// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/signet-secrets/signet/seal/keys"
)

// The places of a Secret that a document writes to.
func dataPath() []string        { return []string{dataField} }
func labelsPath() []string      { return []string{"metadata", "labels"} }
func annotationsPath() []string { return []string{"metadata", "annotations"} }

// The fields of a Secret with its values. The API server takes stringData for data
// before it keeps track of fields, except when it is applied: then the keys are
// recorded as they were written, while the values become data. That doesn't take
// them from whoever had them, and leaves no other trace.
const (
	dataField       = "data"
	stringDataField = "stringData"
)

// digestFields is the SHA-256, in hex, of what the managed fields of a Secret
// say about a manager: which fields it has, since when, and how it got them.
// Nobody else can change a field of a manager without changing this: a changed
// value changes hands. For the same manager its time changes, which is in whole
// seconds: a write in our name in the same second as ours shows in the
// resourceVersion only. It is "" for a manager that has nothing.
func digestFields(secret *metav1.PartialObjectMetadata, manager string) string {
	h, found := sha256.New(), false
	for _, f := range secret.ManagedFields {
		if f.Manager != manager || f.Subresource != "" {
			continue
		}
		entry, err := json.Marshal(f) // of strings, a time and valid JSON: it can't fail
		if err != nil {
			return ""
		}
		fmt.Fprintf(h, "%d:", len(entry))
		h.Write(entry)
		found = true
	}
	if !found {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

// holders returns who has which keys of the map at path, such as data: key ->
// managers, in the order of the managed fields. Keys of stringData are keys of the
// data.
func holders(secret *metav1.PartialObjectMetadata, path []string) (map[string][]string, error) {
	if slices.Equal(path, dataPath()) {
		return holdersAt(secret, path, []string{stringDataField})
	}
	return holdersAt(secret, path)
}

// appliers returns who has applied which keys of the data as stringData: key ->
// managers. What they have applied lies over what others have.
func appliers(secret *metav1.PartialObjectMetadata) (map[string][]string, error) {
	return holdersAt(secret, []string{stringDataField})
}

// holdersAt is holders for the maps at some paths together.
func holdersAt(secret *metav1.PartialObjectMetadata, paths ...[]string) (map[string][]string, error) {
	found := map[string][]string{}
	for _, f := range secret.ManagedFields {
		keys, err := fieldKeys(f, paths)
		if err != nil {
			return nil, err
		}
		for key := range keys {
			found[key] = append(found[key], f.Manager)
		}
	}
	return found, nil
}

// heldBy returns the keys of the map at path that a manager has, sorted.
func heldBy(secret *metav1.PartialObjectMetadata, manager string, path []string) ([]string, error) {
	all, err := holders(secret, path)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(all, func(_ string, managers []string) bool { return !slices.Contains(managers, manager) })
	return slices.Sorted(maps.Keys(all)), nil
}

// appliedOver returns the keys of the data that a manager has and that somebody
// else has applied over as stringData, sorted.
func appliedOver(secret *metav1.PartialObjectMetadata, manager string) ([]string, error) {
	held, err := heldBy(secret, manager, dataPath())
	if err != nil {
		return nil, err
	}
	over, err := appliers(secret)
	if err != nil {
		return nil, err
	}
	other := func(m string) bool { return m != manager }
	return slices.DeleteFunc(held, func(key string) bool { return !slices.ContainsFunc(over[key], other) }), nil
}

// othersHold returns the keys of the map at path that managers other than the
// given one have, sorted.
func othersHold(secret *metav1.PartialObjectMetadata, manager string, path []string) ([]string, error) {
	all, err := holders(secret, path)
	if err != nil {
		return nil, err
	}
	other := func(m string) bool { return m != manager }
	maps.DeleteFunc(all, func(_ string, managers []string) bool { return !slices.ContainsFunc(managers, other) })
	return slices.Sorted(maps.Keys(all)), nil
}

// fieldKeys returns the keys of the maps at some paths that an entry covers.
func fieldKeys(f metav1.ManagedFieldsEntry, paths [][]string) (map[string]bool, error) {
	if f.FieldsV1 == nil || f.Subresource != "" {
		return nil, nil
	}
	set, err := fieldSet(f)
	if err != nil {
		return nil, err
	}
	keys := map[string]bool{}
	for _, path := range paths {
		maps.Copy(keys, keysAt(set, path))
	}
	return keys, nil
}

// keysAt returns the keys of the map at path that a set of fields covers.
func keysAt(set *fieldpath.Set, path []string) map[string]bool {
	for _, name := range path {
		next, found := set.Children.Get(fieldpath.PathElement{FieldName: &name})
		if !found {
			return nil // or the map alone, as "data: {}" does, and none of its keys
		}
		set = next
	}
	keys := map[string]bool{}
	add := func(e fieldpath.PathElement) {
		if e.FieldName != nil {
			keys[*e.FieldName] = true
		}
	}
	set.Members.Iterate(add)
	set.Children.Iterate(func(e fieldpath.PathElement) { add(e) })
	return keys
}

// fieldSet returns the fields of an entry that has some.
func fieldSet(f metav1.ManagedFieldsEntry) (*fieldpath.Set, error) {
	set := &fieldpath.Set{}
	if err := set.FromJSON(f.FieldsV1.GetRawReader()); err != nil {
		return nil, fmt.Errorf("read managed fields of %q: %s", f.Manager, keys.ForeignText(err.Error()))
	}
	return set, nil
}

// withFields returns an entry with the given fields.
func withFields(f metav1.ManagedFieldsEntry, set *fieldpath.Set) (metav1.ManagedFieldsEntry, error) {
	text, err := set.ToJSON()
	if err != nil {
		return f, fmt.Errorf("change managed fields of %q: %s", f.Manager, keys.ForeignText(err.Error()))
	}
	f.FieldsV1 = metav1.NewFieldsV1(string(text))
	return f, nil
}
