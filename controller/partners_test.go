// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	applied = metav1.ManagedFieldsOperationApply
	updated = metav1.ManagedFieldsOperationUpdate
)

// fieldsOf returns an entry of managed fields with keys of data.
func fieldsOf(manager string, operation metav1.ManagedFieldsOperationType, keys ...string) metav1.ManagedFieldsEntry {
	set := map[string]any{}
	for _, key := range keys {
		set["f:"+key] = map[string]any{}
	}
	raw, err := json.Marshal(map[string]any{"f:data": set})
	if err != nil {
		panic(err)
	}
	return metav1.ManagedFieldsEntry{
		Manager: manager, Operation: operation, APIVersion: "v1", FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(string(raw)),
	}
}

func TestPartnersAreThoseWithConsent(t *testing.T) {
	long := strings.Repeat("long-", 30) + "name"
	got := partners(map[string]string{MergeAnnotation: "a, b ,," + long})
	if diff := cmp.Diff([]string{"signet:a", "signet:b", fieldManager(long)}, got); diff != "" {
		t.Error(diff)
	}
	if got := partners(nil); len(got) != 0 {
		t.Errorf("%q without an annotation", got)
	}
}

func TestKeysOfOthers(t *testing.T) {
	secret := &metav1.PartialObjectMetadata{}
	secret.ManagedFields = []metav1.ManagedFieldsEntry{
		fieldsOf("signet:app", updated, "ours", "both"),
		fieldsOf("signet:extra", applied, "added", "both", "shared"),
		fieldsOf("kubectl", updated, "foreign", "shared"),
		fieldsOf("signet:uninvited", applied, "pushed"),
	}
	added, strange, err := keysOfOthers(secret, "signet:app", []string{"signet:extra", "signet:app"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"added", "both", "shared"}, added); diff != "" {
		t.Error("added:", diff)
	}
	if diff := cmp.Diff([]string{"foreign", "pushed"}, strange); diff != "" {
		t.Error("strange:", diff)
	}
}

func TestAsUpdatedJoinsTheEntries(t *testing.T) {
	other := fieldsOf("kubectl", updated, "x")
	if got, err := asUpdated([]metav1.ManagedFieldsEntry{other, fieldsOf("signet:app", updated, "a")}, "signet:app"); got != nil || err != nil {
		t.Errorf("nothing applied: %v, %v, want nil", got, err)
	}
	got, err := asUpdated([]metav1.ManagedFieldsEntry{
		fieldsOf("signet:app", applied, "a"), other, fieldsOf("signet:app", updated, "b"),
	}, "signet:app")
	if err != nil {
		t.Fatal(err)
	}
	want := []metav1.ManagedFieldsEntry{other, fieldsOf("signet:app", updated, "a", "b")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMergePatchRemovesOnlyWhatIsListed(t *testing.T) {
	s := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{UID: "u", ResourceVersion: "7", Labels: map[string]string{"kept": "1"}},
		Type:       "Opaque", Data: map[string][]byte{"a": []byte("x"), "empty": nil},
	}
	text, err := mergePatch(s, map[string][]string{"data": {"a", "gone"}, "labels": {"kept", "old"}})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"data":{"a":"eA==","empty":"","gone":null},"immutable":null,"metadata":{"annotations":{},` +
		`"labels":{"kept":"1","old":null},"ownerReferences":null,"resourceVersion":"7","uid":"u"},"type":"Opaque"}`
	if string(text) != want {
		t.Errorf("patch %s\nwant  %s", text, want)
	}
}

// What a policy says is told if nothing of the values is in it, and if there are
// no values that are not known.
func TestVerdictsAreToldWithoutValues(t *testing.T) {
	denied := func(text string) error {
		return apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "db", errors.New("ValidatingAdmissionPolicy 'p' with binding 'b' denied request: "+text))
	}
	values := [][]byte{[]byte("plum velvet\torchid"), []byte("k")}
	for _, test := range []struct {
		name, text string
		values     [][]byte
		told       bool
	}{
		{"nothing of them", "a label is missing", values, true},
		{"a value", "plum velvet\torchid", values, false},
		{"a word of one", "it begins with PLUM", values, false},
		{"in base64", "cGx1bSB2ZWx2ZXQJb3JjaGlk", values, false},
		{"values are not known", "a label is missing", nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := apiText(denied(test.text), test.values)
			if !strings.Contains(text, "ValidatingAdmissionPolicy 'p'") || strings.Contains(text, test.text) != test.told {
				t.Errorf("text %q, want the verdict told: %v", text, test.told)
			}
		})
	}
}

func TestWithoutData(t *testing.T) {
	entry := func(manager, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, FieldsV1: metav1.NewFieldsV1(fields)}
	}
	was := []metav1.ManagedFieldsEntry{
		entry("kubectl", `{"f:data":{".":{},"f:a":{}},"f:type":{}}`),
		entry("other", `{"f:data":{"f:b":{}}}`),
		entry("signet:partner", `{"f:data":{"f:c":{}}}`),
	}
	got, err := withoutData(was, []string{"signet:partner"})
	if err != nil {
		t.Fatal(err)
	}
	want := []metav1.ManagedFieldsEntry{entry("kubectl", `{"f:type":{}}`), was[2]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
