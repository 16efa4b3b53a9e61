// SPDX-License-Identifier: Apache-2.0

package keys_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/getsops/sops/v3/shamir"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
)

// TestGroupsWithAge divides a data key among three groups of real age keys and
// opens it with every choice of identities.
func TestGroupsWithAge(t *testing.T) {
	ids := make([]agekey.Identity, 4)
	for i := range ids {
		id, err := agekey.GenerateClassicIdentity()
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = id
	}
	to := func(i int) keys.Entry { return keys.AgeEntry{Recipient: ids[i].Recipient()} }
	r := keys.Recipients{Threshold: 2, Groups: []keys.Group{{to(0), to(3)}, {to(1)}, {to(2)}}}
	k := keys.GenerateDataKey()
	sealed, err := keys.WrapAll(t.Context(), agekey.NewWrapper(nil), r, k)
	if err != nil {
		t.Fatal(err)
	}
	for bits := range 1 << len(ids) {
		t.Run(fmt.Sprintf("identities %04b", bits), func(t *testing.T) {
			var held agekey.Sources
			groups := map[int]bool{}
			for i, id := range ids {
				if bits>>i&1 == 1 {
					held.Identities = append(held.Identities, id)
					groups[i%3] = true // 0 and 3 are of one group
				}
			}
			got, err := keys.UnwrapAny(t.Context(), agekey.NewUnwrapper(held), sealed)
			if len(groups) >= 2 {
				if err != nil || !got.Equal(k) {
					t.Errorf("got %v", err)
				}
				return
			}
			none := new(keys.NoKeyError)
			if !errors.As(err, &none) || none.Needed != 2 || none.Opened > len(groups) || !errors.Is(err, keys.ErrNoIdentity) {
				t.Errorf("got %v", err)
			}
		})
	}
	u := agekey.NewUnwrapper(agekey.Sources{Identities: ids})
	var shares [][]byte
	for _, g := range sealed.Groups[1:] {
		share, err := u.Unwrap(t.Context(), g[0])
		if err != nil {
			t.Fatal(err)
		}
		shares = append(shares, share)
	}
	if got, err := shamir.Combine(shares); err != nil || !bytes.Equal(got, k.Bytes()) {
		t.Errorf("SOPS joins something else: %v", err)
	}
}
