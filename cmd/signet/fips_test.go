// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
)

// fips runs the program as it is released, with nothing but approved
// cryptography.
type fips struct {
	program string
	srv     *kmstest.Server
	arn     string
}

func (f fips) run(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	r := testtool.Run(t, testtool.Cmd{Path: f.program, Args: args, Env: []string{"GODEBUG=fips140=only"}, Stdin: []byte(stdin)})
	return outcome{r.ExitCode, string(r.Stdout), string(r.Stderr)}
}

// must is run for a command line that has to succeed.
func (f fips) must(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	o := f.run(t, stdin, args...)
	if o.code != 0 {
		t.Fatalf("signet %.200q: exit %d\n%s", args, o.code, o.stderr)
	}
	return o.stdout
}

// With approved cryptography alone everything works that needs AWS KMS alone;
// what needs age, or is a SOPS file, is refused and says why.
func TestFIPS(t *testing.T) {
	f := fips{program: buildSignet(t)}
	f.srv, f.arn = newKMS(t)
	t.Run("seal and unseal", f.sealAndUnseal)
	t.Run("change one value", f.changeOneValue)
	t.Run("refused", f.refused)
	t.Run("SOPS files", f.sopsFiles)
	t.Run("age classic", func(t *testing.T) { f.age(t, agekey.GenerateClassicIdentity) })
	t.Run("age hybrid", func(t *testing.T) { f.age(t, agekey.GenerateIdentity) })
	t.Run("age key pairs", f.keyPairs)
}

func (f fips) sealAndUnseal(t *testing.T) {
	secret := interopSecret()
	plain := writeSecret(t, secret, false)
	sealed := f.must(t, plain, "seal", "-", "--kms", f.arn)
	sameSecret(t, f.must(t, sealed, "unseal", "-"), secret)
	sameSecret(t, mustRun(t, sealed, "unseal", "-"), secret) // and in the other mode
	sameSecret(t, f.must(t, mustRun(t, plain, "seal", "-", "--kms", f.arn), "unseal", "-"), secret)
}

func (f fips) changeOneValue(t *testing.T) {
	secret := interopSecret()
	f.must(t, writeSecret(t, secret, false), "seal", "-", "-o", "db.yaml", "--kms", f.arn)
	before := manifest.Root(parseDocument(t, readTestFile(t, "db.yaml")))
	secret.StringData["username"] = "other"
	f.must(t, writeSecret(t, secret, false), "seal", "-", "-o", "db.yaml", "--kms", f.arn)
	after := manifest.Root(parseDocument(t, readTestFile(t, "db.yaml")))
	for path, kept := range map[string]bool{
		"signet/stringData/username": false, "signet/stringData/password": true, "signet/data/keystore.p12": true,
		"signet/binding": true, "sops/kms/0/enc": true, "sops/mac": false,
	} {
		if same := step(before, "spec/sealed/"+path).Value == step(after, "spec/sealed/"+path).Value; same != kept {
			t.Errorf("%s: kept %v, want %v", path, same, kept)
		}
	}
	sameSecret(t, f.must(t, "", "unseal", "db.yaml"), secret)
}

func (f fips) refused(t *testing.T) {
	sealed := f.must(t, victimSecret, "seal", "-", "--kms", f.arn)
	root := manifest.Root(parseDocument(t, sealed))
	flipBit("spec/sealed/signet/stringData/password", "tag")(root)
	failsClosed(t, f.run(t, encodeLoose(t, root), "unseal", "-"), "spec.sealed.signet.stringData.password")
	f.srv.Deny(kmstest.Denial{Operation: "Decrypt"})
	defer f.srv.AllowAll()
	failsClosed(t, f.run(t, sealed, "unseal", "-"), "AccessDeniedException")
}

// SOPS files have nonces of a length that is not approved.
func (f fips) sopsFiles(t *testing.T) {
	const want = "32-byte nonces are not available in FIPS-only mode\nsignet: hint: SOPS files are not available with GODEBUG=fips140=only; SealedSecrets are\n"
	if o := f.run(t, victimSecret, "seal", "-", "--kms", f.arn, "--as", "sops"); o.code != exitcode.Failed || o.stdout != "" || !strings.HasSuffix(o.stderr, want) {
		t.Errorf("seal: exit %d, %d bytes on stdout, stderr:\n%s", o.code, len(o.stdout), o.stderr)
	}
	failsClosed(t, f.run(t, mustRun(t, victimSecret, "seal", "-", "--kms", f.arn, "--as", "sops"), "unseal", "-"), want)
}

const fipsHintText = "signet: hint: age is not available with GODEBUG=fips140=only; keys of a key service are\n"

// age shows that whatever needs age is refused, and that what does not need it
// works beside it.
func (f fips) age(t *testing.T, generate func() (agekey.Identity, error)) {
	recipient, secret := ageKey(t, generate), interopSecret()
	plain := writeSecret(t, secret, false)
	refused := func(what string, o outcome, code int) {
		t.Helper()
		if o.code != code || o.stdout != "" || strings.Count(o.stderr, "signet: error: ") != 1 || !strings.Contains(o.stderr, fipsHintText) {
			t.Errorf("%s: exit %d, want %d, %d bytes on stdout, stderr:\n%s", what, o.code, code, len(o.stdout), o.stderr)
		}
	}
	refused("seal", f.run(t, plain, "seal", "-", "-a", recipient), exitcode.Failed)
	refused("seal for both", f.run(t, plain, "seal", "-", "-a", recipient, "--kms", f.arn), exitcode.Failed)
	refused("seal --as sops", f.run(t, plain, "seal", "-", "-a", recipient, "--as", "sops"), exitcode.Failed)
	refused("unseal", f.run(t, mustRun(t, plain, "seal", "-", "-a", recipient), "unseal", "-"), exitcode.NotOpened)

	both := mustRun(t, plain, "seal", "-", "-a", recipient, "--kms", f.arn)
	f.srv.ResetCounts()
	o := f.run(t, both, "unseal", "-")
	if o.code != 0 || o.stderr != "" {
		t.Fatalf("unseal what is for both: exit %d\n%s", o.code, o.stderr)
	}
	sameSecret(t, o.stdout, secret)
	calls(t, f.srv, map[string]int{"Decrypt": 1})

	f.srv.Deny(kmstest.Denial{Operation: "Decrypt"})
	defer f.srv.AllowAll()
	o = f.run(t, both, "unseal", "-")
	refused("unseal what is for both, denied", o, exitcode.NotOpened)
	if !strings.Contains(o.stderr, "hint: allow kms:Decrypt") {
		t.Errorf("no hint about KMS:\n%s", o.stderr)
	}
}

func (f fips) keyPairs(t *testing.T) {
	for _, args := range [][]string{
		{"key", "generate"}, {"key", "generate", "--classic"},
		{"key", "create", "prod", "--kms", f.arn}, {"key", "create", "prod", "--kms", f.arn, "--classic"},
	} {
		if o := f.run(t, "", args...); o.code != exitcode.Failed || o.stdout != "" || !strings.Contains(o.stderr, fipsHintText) {
			t.Errorf("%q: exit %d, %d bytes on stdout, stderr:\n%s", args, o.code, len(o.stdout), o.stderr)
		}
	}
}
