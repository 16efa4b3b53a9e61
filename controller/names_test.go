// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestConsents(t *testing.T) {
	for _, test := range []struct {
		name, annotation string
		want             bool
	}{
		{"to it", "db", true},
		{"to several", "other,db", true},
		{"with spaces", " other , db ", true},
		{"to another", "other", false},
		{"to one that begins like it", "dbx", false},
		{"to one that ends like it", "xdb", false},
		{"to all", "*", false},
		{"in other letters", "DB", false},
		{"to nobody", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := secretMetadata()
			s.Annotations = map[string]string{AdoptAnnotation: test.annotation}
			if got := consents(s, AdoptAnnotation, "db"); got != test.want {
				t.Errorf("consents: %v, want %v", got, test.want)
			}
			if consents(s, MergeAnnotation, "db") {
				t.Error("the consent is to something else")
			}
		})
	}
	if consents(secretMetadata(), AdoptAnnotation, "db") {
		t.Error("a Secret without annotations consents")
	}
}

// No name is recorded as the hash that stands for another one.
func TestFieldManagerOfOneNameOnly(t *testing.T) {
	long := strings.Repeat("long-", 40)
	hash := strings.TrimPrefix(fieldManager(long), managerPrefix)
	for _, test := range []struct {
		name   string
		hashed bool
	}{
		{"db", false},
		{strings.Repeat("g", maxManagerNameBytes), false},
		{strings.Repeat("g", maxManagerNameBytes+1), true},
		{hash, true},
		{strings.TrimPrefix(fieldManager(hash), managerPrefix), true},
		{hash[1:], false},
		{"g" + hash[1:], false},
		{hash[:31] + "-", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := fieldManager(test.name)
			if hashed := got != managerPrefix+test.name; hashed != test.hashed {
				t.Errorf("field manager %s", got)
			}
			if got == managerPrefix+hash || len(got) > 128 {
				t.Errorf("field manager %s is that of another name, or too long", got)
			}
		})
	}
}

func TestMergers(t *testing.T) {
	for _, test := range []struct {
		name    string
		entries []metav1.ManagedFieldsEntry
		want    []string
	}{
		{"none", nil, nil},
		{"of others", []metav1.ManagedFieldsEntry{fieldsOf("kubectl", byApply, "a"), fieldsOf("xsignet:db", byApply, "a")}, nil},
		{"the owner", []metav1.ManagedFieldsEntry{fieldsOf("signet:db", byUpdate, "a")}, nil},
		{"two", []metav1.ManagedFieldsEntry{
			fieldsOf("signet:b", byApply, "a"), fieldsOf("signet:db", byUpdate, "a"), fieldsOf("signet:a", byApply, "b"),
		}, []string{"signet:b", "signet:a"}},
		{"one twice", []metav1.ManagedFieldsEntry{fieldsOf("signet:a", byApply, "a"), fieldsOf("signet:a", byApply, "b")}, []string{"signet:a"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, mergers(managed(test.entries...))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
