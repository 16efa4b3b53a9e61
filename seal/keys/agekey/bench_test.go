// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"context"
	"testing"

	"filippo.io/age"

	"github.com/signet-secrets/signet/seal/keys"
)

// BenchmarkUnwrapHybrid opens an entry for a hybrid key pair whose identity is
// at hand, as with a SealingKey.
func BenchmarkUnwrapHybrid(b *testing.B) {
	made, err := age.GenerateHybridIdentity()
	if err != nil {
		b.Fatal(err)
	}
	e, err := NewWrapper(nil).Wrap(context.Background(), keys.AgeEntry{Recipient: made.Recipient().String()}, make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	id, err := ParseIdentity(made.String())
	if err != nil {
		b.Fatal(err)
	}
	u := NewUnwrapper(Sources{Identities: []Identity{id}})
	for b.Loop() {
		if _, err := u.Unwrap(context.Background(), e); err != nil {
			b.Fatal(err)
		}
	}
}
