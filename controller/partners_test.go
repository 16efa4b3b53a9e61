// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

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
		fieldsOf("signet:app", byUpdate, "ours", "both"),
		fieldsOf("signet:extra", byApply, "added", "both", "shared"),
		fieldsOf("kubectl", byUpdate, "foreign", "shared"),
		fieldsOf("signet:uninvited", byApply, "pushed"),
		fieldsOf("signet:extra", byUpdate, "covered"),
		fields("flux", byApply, 1, `{"f:stringData":{"f:covered":{},"f:ours":{},"f:more":{}}}`),
	}
	added, strange, err := keysOfOthers(secret, "signet:app", []string{"signet:extra", "signet:app"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"added", "both", "shared"}, added); diff != "" {
		t.Error("added:", diff)
	}
	if diff := cmp.Diff([]string{"covered", "foreign", "more", "ours", "pushed"}, strange); diff != "" {
		t.Error("strange:", diff)
	}
}

func TestAsUpdatedJoinsTheEntries(t *testing.T) {
	other := fieldsOf("kubectl", byUpdate, "x")
	if got, err := asUpdated([]metav1.ManagedFieldsEntry{other, fieldsOf("signet:app", byUpdate, "a")}, "signet:app"); got != nil || err != nil {
		t.Errorf("nothing applied: %v, %v, want nil", got, err)
	}
	got, err := asUpdated([]metav1.ManagedFieldsEntry{
		fieldsOf("signet:app", byApply, "a"), other, fieldsOf("signet:app", byUpdate, "b"),
	}, "signet:app")
	if err != nil {
		t.Fatal(err)
	}
	want := []metav1.ManagedFieldsEntry{other, fieldsOf("signet:app", byUpdate, "a", "b")}
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

func TestWithoutData(t *testing.T) {
	was := []metav1.ManagedFieldsEntry{
		fields("kubectl", byUpdate, 1, `{"f:data":{".":{},"f:a":{}},"f:type":{}}`),
		fields("other", byUpdate, 1, `{"f:data":{"f:b":{}}}`),
		fields("signet:partner", byUpdate, 1, `{"f:data":{"f:c":{}}}`),
	}
	got, err := withoutData(was, []string{"signet:partner"})
	if err != nil {
		t.Fatal(err)
	}
	want := []metav1.ManagedFieldsEntry{fields("kubectl", byUpdate, 1, `{"f:type":{}}`), was[2]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
