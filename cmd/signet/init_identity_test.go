// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/keys/agekey"
)

// Public keys are those of the private ones, whatever comments say.
func TestInitIdentities(t *testing.T) {
	pq, err := agekey.GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	classic, other := newKeyFile(t).identity, newKeyFile(t).identity
	for _, tt := range []struct {
		name, text string
		want       []string
		err        string
	}{
		{"one", string(classic.File(time.Unix(0, 0))), []string{classic.Recipient()}, ""},
		{"another in the comment", "# public key: " + other.Recipient() + "\n" + classic.Reveal() + "\n", []string{classic.Recipient()}, ""},
		{"several", "AGE-PLUGIN-X-1QQ\n\n" + classic.Reveal() + "\r\n" + other.Reveal() + "\n" + pq.Reveal(), []string{pq.Recipient(), classic.Recipient(), other.Recipient()}, ""},
		{"none", "# nothing\n", nil, errNoNativeIdentity.Error()},
		{"broken", "\n" + classic.Reveal()[:30] + "\n", nil, "age identity: line 2: it is malformed"},
		{"a public key", classic.Recipient(), nil, "age identity: line 1: it is a recipient"},
		{"encrypted", "age-encryption.org/v1\n-> scrypt x\n", nil, errIdentityEncrypted.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var ids initIdentities
			ids.read([]byte(tt.text))
			if tt.err != "" {
				if ids.err == nil || !strings.HasPrefix(ids.err.Error(), tt.err) || strings.Contains(ids.err.Error(), classic.Reveal()[:30]) {
					t.Errorf("error %v, want %q", ids.err, tt.err)
				}
				return
			}
			if diff := cmp.Diff(tt.want, ids.recipients); diff != "" || ids.err != nil {
				t.Errorf("%v (-want +got):\n%s", ids.err, diff)
			}
		})
	}
}
