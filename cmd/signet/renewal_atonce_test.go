// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/kmstest"
)

// One run over many SOPS files with KMS makes as many calls as there are data keys
// and new recipients, and does not wait for one after the other.
func TestRenewalAtOnce(t *testing.T) {
	srv, arn := newKMS(t)
	second := srv.CreateKey(kmstest.Key{})
	const n = 40
	writeDocuments(t, "plain", secretStream(t, manySecrets(n)))
	mustRun(t, "", "seal", "-i", "--as", "sops", "--kms", arn, "plain")
	writeTestFile(t, ".sops.yaml", fmt.Sprintf("creation_rules:\n  - kms: %s,%s\n", arn, second))
	srv.SetFaults(kmstest.Faults{Latency: 100 * time.Millisecond})
	for command, encrypt := range map[string]int{"rewrap": n, "rotate": 2 * n} {
		t.Run(command, func(t *testing.T) {
			refresh(t, "files")
			srv.ResetCounts()
			mustRun(t, "", command, "files")
			at := srv.MaxInFlight()
			calls(t, srv, map[string]int{"Decrypt": n, "Encrypt": encrypt})
			if at < 2 || at > renewalsAtOnce {
				t.Errorf("%d calls at once, want 2 to %d", at, renewalsAtOnce)
			}
		})
	}
}

// refresh makes a directory a copy of the sealed files.
func refresh(t *testing.T, dir string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS("plain")); err != nil {
		t.Fatal(err)
	}
}
