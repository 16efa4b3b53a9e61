// SPDX-License-Identifier: Apache-2.0

package unseal_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/unseal"
)

// Which key opened a document is told, and whether a SealingKey had it.
func TestUsedKeys(t *testing.T) {
	atHand, r := newIdentity(t), newRig(t, "*")
	recipient := r.pair.Recipient()
	tests := []struct {
		name       string
		recipients []string
		want       []string // recipient, SealingKey
	}{
		{"identity at hand", []string{recipient, atHand.Recipient()}, []string{atHand.Recipient(), ""}},
		{"SealingKey", []string{recipient}, []string{recipient, "prod"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := r.options()
			o.Unwrapper = unwrapperOf(atHand)
			opened, err := unseal.Open(t.Context(), sealed(t, seal.Cluster, tt.recipients...), o)
			if err != nil {
				t.Fatal(err)
			}
			file, err := unseal.OpenFile(t.Context(), sealedFile(t, tt.recipients...), o)
			if err != nil {
				t.Fatal(err)
			}
			for what, used := range map[string][]unseal.UsedKey{"SealedSecret": opened.Keys, "SOPS file": file.Keys} {
				var got []string
				for _, k := range used {
					got = append(got, k.Entry.ID(), k.SealingKey)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s: %s", what, diff)
				}
			}
		})
	}
}
