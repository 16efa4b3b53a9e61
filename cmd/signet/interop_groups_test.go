// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys/agekey"
)

// groups are three key groups of which any two open, and the keys of the test
// for them.
type groups struct {
	srv               *kmstest.Server
	identity, keyRing string
	noKeyRing         string
}

// only leaves the test the keys of some groups.
func (g groups) only(t *testing.T, names []string) {
	t.Setenv("SOPS_AGE_KEY", g.identity)
	if !slices.Contains(names, "age") {
		unsetenv(t, "SOPS_AGE_KEY")
	}
	g.srv.AllowAll()
	if !slices.Contains(names, "kms") {
		g.srv.Deny(kmstest.Denial{Operation: "Decrypt"})
	}
	t.Setenv("GNUPGHOME", g.keyRing)
	if !slices.Contains(names, "pgp") {
		t.Setenv("GNUPGHOME", g.noKeyRing)
	}
}

// Of three key groups with different key services any two open a document,
// whoever made it and whoever opens it, and no single one does.
func TestInteropGroups(t *testing.T) {
	srv, arn := newInterop(t)
	recipient, fingerprint := ageKey(t, agekey.GenerateClassicIdentity), pgpKey(t)
	g := groups{srv, os.Getenv("SOPS_AGE_KEY"), os.Getenv("GNUPGHOME"), keyRing(t)}
	writeTestFile(t, ".sops.yaml", fmt.Sprintf(`creation_rules:
  - encrypted_regex: ^(data|stringData)$
    shamir_threshold: 2
    key_groups:
      - age: [%s]
      - kms: [{arn: %s}]
      - pgp: [%s]
`, recipient, arn, fingerprint))
	secret := interopSecret()
	plain := writeSecret(t, secret, false)
	writeTestFile(t, "plain.yaml", plain)
	made := runSops(t, "encrypt", "plain.yaml")
	if made.code != 0 {
		t.Fatal(made.stderr)
	}
	documents := []struct {
		name, text string
		open       func(t *testing.T, text string) outcome
		same       func(t testing.TB, out string)
	}{
		{"sops to signet", made.stdout, signetOpen, func(t testing.TB, out string) { sameSecret(t, out, secret) }},
		{"signet to sops, SOPS file", mustRun(t, plain, "seal", "-", "--as", "sops"), sopsDecrypt, func(t testing.TB, out string) { sameSecret(t, out, secret) }},
		{"signet to sops, envelope", envelopeOf(t, mustRun(t, plain, "seal", "-")), sopsDecrypt, func(t testing.TB, out string) { sameEnvelope(t, out, secret) }},
		{"signet to signet", mustRun(t, plain, "seal", "-"), signetOpen, func(t testing.TB, out string) { sameSecret(t, out, secret) }},
	}
	for _, at := range [][]string{{}, {"age"}, {"kms"}, {"pgp"}, {"age", "kms"}, {"age", "pgp"}, {"kms", "pgp"}, {"age", "kms", "pgp"}} {
		for _, d := range documents {
			t.Run(strings.Join(at, " and ")+", "+d.name, func(t *testing.T) {
				g.only(t, at)
				srv.ResetCounts()
				o := d.open(t, d.text)
				if n := srv.Count("Decrypt"); n > 1 {
					t.Errorf("%d calls, want one at most", n)
				}
				if len(at) >= 2 {
					if o.code != 0 {
						t.Fatalf("exit %d\n%s", o.code, o.stderr)
					}
					d.same(t, o.stdout)
					return
				}
				if o.code == 0 || o.stdout != "" {
					t.Errorf("exit %d with %d bytes on stdout", o.code, len(o.stdout))
				}
			})
		}
	}
}

func signetOpen(t *testing.T, text string) outcome { return runSignet(t, text, "unseal", "-") }
