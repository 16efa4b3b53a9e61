// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"context"
	"testing"

	"cloud.google.com/go/auth"

	"github.com/signet-secrets/signet/seal/keys"
)

// The search for credentials, which has a goroutine of its own, does not end the
// program, and what a panic says is not shown.
func TestPanic(t *testing.T) {
	s := newService(t, newServer(t), Options{Credentials: auth.NewCredentials(&auth.CredentialsOptions{
		TokenProvider: tokenFunc(func(context.Context) (*auth.Token, error) { panic("canary") }),
	})})
	_, err := s.Wrap(t.Context(), keys.GCPKMSEntry{ResourceID: testKey}, patterned(32))
	call := callError(t, err)
	if got, want := call.Error(), "wrap for gcp_kms "+testKey+": panic of type string"; got != want || call.Permanent {
		t.Errorf("got %q, permanent %v, want %q", got, call.Permanent, want)
	}
}
