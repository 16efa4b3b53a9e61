// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"testing"

	"github.com/google/go-cmp/cmp"

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
		{"changed", []unseal.Key{a, b}, []unseal.Key{a, key("b")}, []string{"b", "b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, changedKeys(test.before, test.now)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
