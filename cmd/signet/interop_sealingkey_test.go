// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Stock sops opens what was sealed for a SealingKey when it asks signet for
// the identity: one KMS call, and only for the SealingKey that is meant.
func TestInteropSealingKey(t *testing.T) {
	program := buildSignet(t)
	srv, arn := newInterop(t)
	t.Setenv("SOPS_AGE_KEY_CMD", program+" key export")
	secret := interopSecret()
	plain := writeSecret(t, secret, false)
	classic := newSealingKey(t, "classic", arn, "--classic")
	hybrid := newSealingKey(t, "hybrid", arn)
	for _, row := range []struct{ name, recipient string }{{"classic", classic}, {"hybrid", hybrid}} {
		t.Run(row.name, func(t *testing.T) {
			asSOPS := mustRun(t, plain, "seal", "-", "-a", row.recipient, "--as", "sops")
			envelope := envelopeOf(t, mustRun(t, plain, "seal", "-", "-a", row.recipient))
			srv.ResetCounts()
			o := sopsDecrypt(t, asSOPS)
			if o.code != 0 {
				t.Fatalf("sops decrypt: exit %d\n%s", o.code, o.stderr)
			}
			sameSecret(t, o.stdout, secret)
			if o = sopsDecrypt(t, envelope); o.code != 0 {
				t.Fatalf("sops decrypt: exit %d\n%s", o.code, o.stderr)
			}
			sameEnvelope(t, o.stdout, secret)
			for _, c := range srv.Calls() {
				if c.Context["signet-sealing-key"] != row.name {
					t.Errorf("call %+v", c)
				}
			}
			calls(t, srv, map[string]int{"Decrypt": 2}) // one for each run of sops
		})
	}
	t.Run("sops encrypts for it", func(t *testing.T) {
		sealed := sopsEncrypt(t, plain, "--age", hybrid)
		for _, command := range []string{"", program + " key export"} { // which then is signet's own, too
			t.Setenv("SOPS_AGE_KEY_CMD", command)
			srv.ResetCounts()
			sameSecret(t, mustRun(t, sealed, "unseal", "-"), secret)
			calls(t, srv, map[string]int{"Decrypt": 1})
		}
	})
	t.Run("file is gone", func(t *testing.T) {
		asSOPS := mustRun(t, plain, "seal", "-", "-a", hybrid, "--as", "sops")
		if err := os.Remove(filepath.Join(".signet", "keys", "hybrid.yaml")); err != nil {
			t.Fatal(err)
		}
		srv.ResetCounts()
		o := sopsDecrypt(t, asSOPS) // which does not show what the command says
		if o.code == 0 || o.stdout != "" || !strings.Contains(o.stderr, "signet key export") {
			t.Errorf("exit %d, stdout %q, stderr\n%s", o.code, o.stdout, o.stderr)
		}
		calls(t, srv, map[string]int{})
	})
}
