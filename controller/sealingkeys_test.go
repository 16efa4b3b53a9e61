// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// One look at the cache may find more changed than the SealingKey that it is
// about.
func TestChangedKeys(t *testing.T) {
	key := func(name string) unseal.Key {
		return unseal.Key{SealingKey: &sopsdoc.SealingKey{KeyClear: sopsdoc.KeyClear{Name: name}}}
	}
	a, b, c := key("a"), key("b"), key("c")
	for _, test := range []struct {
		name        string
		before, now []unseal.Key
		want        []string
	}{
		{"none", []unseal.Key{a, b}, []unseal.Key{a, b}, nil},
		{"other order", []unseal.Key{a, b}, []unseal.Key{b, a}, nil},
		{"come", nil, []unseal.Key{a, b}, []string{"a", "b"}},
		{"gone", []unseal.Key{a, b, c}, []unseal.Key{b}, []string{"a", "c"}},
		{"changed", []unseal.Key{a, b}, []unseal.Key{a, key("b")}, []string{"b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, changedKeys(test.before, test.now)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What fails for another reason than its key is not tried again for a new one.
func TestWantsKey(t *testing.T) {
	want := map[Reason]bool{
		Unsealed: false, Suspended: false,
		TamperedDocument: true, InvalidDocument: true, KeyNotAllowed: true, KeyUnavailable: true, KeyAccessDenied: true,
		SecretNotOwned: false, QuotaExceeded: false, APIError: false,
	}
	for reason, want := range want {
		t.Run(string(reason), func(t *testing.T) {
			ready := metav1.ConditionFalse
			if reason == Unsealed {
				ready = metav1.ConditionTrue
			}
			var conditions []metav1.Condition
			setConditions(&conditions, 1, ready, reason, "")
			if got := wantsKey(conditions); got != want {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
	if wantsKey(nil) {
		t.Error("true for one that was never looked at")
	}
}
