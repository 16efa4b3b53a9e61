// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/kmstest"
)

// TestPreviousThatMayOpenLater tells whoever can open a document why a diff is
// larger than the change, and does not bother those who never can.
func TestPreviousThatMayOpenLater(t *testing.T) {
	srv, arn := newKMS(t)
	recipient := newSealingKey(t, "prod", arn)
	secret := secretStream(t, manySecrets(1))
	reseal := func() outcome { return runSignet(t, secret, "seal", "--age", recipient, "-o", "sealed.yaml", "-") }
	if first := reseal(); first.code != 0 || first.stderr != "" {
		t.Fatalf("exit %d\n%s", first.code, first.stderr)
	}
	srv.Deny(kmstest.Denial{Operation: "Decrypt"})
	if denied := reseal(); denied.code != 0 || denied.stderr != "" {
		t.Errorf("without the right to decrypt: exit %d\n%s", denied.code, denied.stderr)
	}
	srv.AllowAll()
	srv.Close()
	const says = "could not be opened just now"
	if gone := reseal(); gone.code != 0 || !strings.Contains(gone.stderr, says) {
		t.Errorf("with KMS out of reach: exit %d, does not say %q\n%s", gone.code, says, gone.stderr)
	}
}
