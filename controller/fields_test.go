// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// fields is an entry of managed fields: who has what since when.
func fields(manager string, operation metav1.ManagedFieldsOperationType, second int64, json string) metav1.ManagedFieldsEntry {
	at := metav1.Unix(second, 0)
	return metav1.ManagedFieldsEntry{Manager: manager, Operation: operation, Time: &at, APIVersion: "v1", FieldsType: "FieldsV1",
		FieldsV1: metav1.NewFieldsV1(json)}
}

const (
	byUpdate = metav1.ManagedFieldsOperationUpdate
	byApply  = metav1.ManagedFieldsOperationApply
)

// fieldsOf is one with keys of the data.
func fieldsOf(manager string, operation metav1.ManagedFieldsOperationType, keys ...string) metav1.ManagedFieldsEntry {
	set := map[string]any{}
	for _, key := range keys {
		set["f:"+key] = map[string]any{}
	}
	text, err := json.Marshal(map[string]any{"f:data": set})
	if err != nil {
		panic(err)
	}
	return fields(manager, operation, 1, string(text))
}

const oursJSON = `{"f:data":{".":{},"f:password":{},"f:a.b-c":{}},"f:metadata":{"f:labels":{"f:app":{}},"f:annotations":{".":{}}},"f:type":{}}`

func managed(entries ...metav1.ManagedFieldsEntry) *metav1.PartialObjectMetadata {
	s := secretMetadata()
	s.ManagedFields = entries
	return s
}

func TestDigestFields(t *testing.T) {
	ours := fields("signet:db", byUpdate, 1, oursJSON)
	changed := func(change func(*metav1.ManagedFieldsEntry)) *metav1.PartialObjectMetadata {
		f := *ours.DeepCopy()
		change(&f)
		return managed(f)
	}
	was := digestFields(managed(ours), "signet:db")
	for _, c := range []struct {
		name   string
		secret *metav1.PartialObjectMetadata
		same   bool
	}{
		{"the same", managed(ours), true},
		{"others beside", managed(fields("x", byUpdate, 9, `{}`), ours, fields("y", byApply, 9, `{}`)), true},
		{"our status", managed(ours, metav1.ManagedFieldsEntry{Manager: "signet:db", Subresource: "status"}), true},
		{"none", managed(), false},
		{"another manager", managed(fields("signet:db2", byUpdate, 1, oursJSON)), false},
		{"another time", changed(func(f *metav1.ManagedFieldsEntry) { f.Time = &metav1.Time{Time: f.Time.Add(1e9)} }), false},
		{"another operation", changed(func(f *metav1.ManagedFieldsEntry) { f.Operation = byApply }), false},
		{"other fields", changed(func(f *metav1.ManagedFieldsEntry) { f.FieldsV1 = metav1.NewFieldsV1(`{"f:data":{}}`) }), false},
		{"one entry more", managed(ours, fields("signet:db", byApply, 1, `{}`)), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := digestFields(c.secret, "signet:db"); (got == was) != c.same {
				t.Errorf("digest %q, before %q", got, was)
			}
		})
	}
	if got := digestFields(managed(), "signet:db"); got != "" {
		t.Errorf("digest %q of nothing", got)
	}
}

func TestHolders(t *testing.T) {
	s := managed(
		fields("signet:db", byUpdate, 1, oursJSON),
		fields("kubectl", byApply, 2, `{"f:data":{"f:password":{},"f:extra":{}},"f:metadata":{"f:labels":{"f:app":{},"f:x":{}}}}`),
		fields("empty", byUpdate, 3, `{"f:data":{}}`),
		fields("flux", byApply, 4, `{"f:stringData":{"f:password":{},"f:more":{}}}`),
		metav1.ManagedFieldsEntry{Manager: "none"},
		metav1.ManagedFieldsEntry{Manager: "sub", Subresource: "status", FieldsV1: metav1.NewFieldsV1(`{"f:data":{"f:password":{}}}`)},
	)
	all, err := holders(s, dataPath())
	want := map[string][]string{"password": {"signet:db", "kubectl", "flux"}, "a.b-c": {"signet:db"}, "extra": {"kubectl"}, "more": {"flux"}}
	if diff := cmp.Diff(want, all); diff != "" || err != nil {
		t.Errorf("holders: %v (-want +got):\n%s", err, diff)
	}
	for _, c := range []struct {
		name string
		path []string
		held func(*metav1.PartialObjectMetadata, string, []string) ([]string, error)
		want []string
	}{
		{"data of ours", dataPath(), heldBy, []string{"a.b-c", "password"}},
		{"labels of ours", labelsPath(), heldBy, []string{"app"}},
		{"annotations of ours", annotationsPath(), heldBy, nil},
		{"data of others", dataPath(), othersHold, []string{"extra", "more", "password"}},
		{"labels of others", labelsPath(), othersHold, []string{"app", "x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.held(s, "signet:db", c.path)
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// What can't be read may hold anything.
func TestHoldersOfFieldsThatCannotBeRead(t *testing.T) {
	s := managed(fields("x", byUpdate, 1, `{"f:data":`))
	if got, err := othersHold(s, "signet:db", dataPath()); err == nil {
		t.Errorf("no error, keys %v", got)
	}
}
