// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Whoever may add to a Secret must not find out what is in it: a claim to what
// others have is refused by its name, before there is a value to compare.
func TestClaimsToWhatOthersHaveAreRefused(t *testing.T) {
	secret := managed(
		fieldsOf("kubectl", byUpdate, "theirs", "shared"),
		fieldsOf("signet:extra", byApply, "ours", "shared"),
		fieldsOf("signet:other", byApply, "added"),
		fieldsOf("signet:extra", byUpdate, "covered"),
		fields("flux", byApply, 1, `{"f:stringData":{"f:covered":{},"f:applied":{}}}`),
		fields("helm", byUpdate, 1, `{"f:metadata":{"f:labels":{"f:team":{}},"f:annotations":{"f:note":{}}}}`),
	)
	secret.Name = "app"
	for _, test := range []struct {
		name   string
		claims claims
		want   Reason // "" for no failure
		says   string
	}{
		{"nothing", claims{}, "", ""},
		{"what nobody has", claims{data: []string{"new"}, labels: []string{"tier"}, annotations: []string{"by"}}, "", ""},
		{"what it has", claims{data: []string{"ours"}}, "", ""},
		{"what it has with others", claims{data: []string{"shared"}}, "", ""},
		{"a key", claims{data: []string{"theirs"}}, KeyConflict, `theirs of data belongs to "kubectl"`},
		{"a key that was applied", claims{data: []string{"applied"}}, KeyConflict, `applied of data belongs to "flux"`},
		{"what it has, applied over", claims{data: []string{"covered"}}, KeyConflict, `covered of data belongs to "flux"`},
		{"a key, of another SealedSecret", claims{data: []string{"added"}}, KeyConflict, `added of data belongs to "signet:other"`},
		{"a key among others", claims{data: []string{"new", "theirs", "added"}}, KeyConflict, "added of data"},
		{"a label", claims{labels: []string{"team"}}, KeyConflict, `team of metadata.labels belongs to "helm"`},
		{"an annotation", claims{annotations: []string{"note"}}, KeyConflict, `note of metadata.annotations belongs to "helm"`},
		{"a label with the name of a key", claims{labels: []string{"theirs"}}, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			checkRefused(t, test.claims.check(secret, "signet:extra"), test.want, test.says)
		})
	}
}

func checkRefused(t *testing.T, err error, want Reason, says string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("refused: %v", err)
	case want != "" && err == nil:
		t.Errorf("not refused, want %s", want)
	case want != "" && (reasonOf(err) != want || !strings.Contains(err.Error(), says)):
		t.Errorf("refused with %s: %v, want %s that says %s", reasonOf(err), err, want, says)
	}
}

// Where it is not known whose the keys are, they may be anybody's.
func TestClaimsWithoutManagedFieldsAreRefused(t *testing.T) {
	for _, test := range []struct {
		name    string
		entries []metav1.ManagedFieldsEntry
		want    Reason
	}{
		{"none", nil, KeyConflict},
		{"that can't be read", []metav1.ManagedFieldsEntry{fields("kubectl", byUpdate, 1, `{"f:data":`)}, APIError},
	} {
		t.Run(test.name, func(t *testing.T) {
			checkRefused(t, claims{data: []string{"new"}}.check(managed(test.entries...), "signet:extra"), test.want, "")
		})
	}
}
