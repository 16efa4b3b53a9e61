// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/internal/vaulttest"
	"github.com/signet-secrets/signet/seal/keys/agekey"
)

// interop is one kind of key with the ways to name it.
type interop struct {
	name   string
	sops   []string          // flags of sops
	signet []string          // flags of signet seal
	open   []string          // flags of signet unseal
	kms    *kmstest.Call     // how KMS is asked to decrypt (end of KeyID, beginning of Principal); nil: not at all
	rules  string            // .sops.yaml, instead of flags of signet seal
	env    map[string]string // of all three
}

const interopRole = "arn:aws:iam::111122223333:role/sealer"

// kmsInterops are the ways to use AWS KMS.
func kmsInterops(t *testing.T, srv *kmstest.Server, arn string) []interop {
	alias := srv.CreateAlias("alias/prod", arn)
	far := srv.CreateKey(kmstest.Key{Region: "us-east-1"})
	replicated := srv.CreateKey(kmstest.Key{Region: "eu-central-1", MultiRegion: true})
	srv.Replicate(replicated, "eu-west-1")
	_, id, _ := strings.Cut(replicated, ":key/")
	srv.AddRole(interopRole)
	srv.AddPrincipal("AKIDPROFILEEXAMPLE00", "arn:aws:iam::111122223333:user/profile")
	writeTestFile(t, "aws-config", "[profile prod]\nregion = eu-west-1\naws_access_key_id = AKIDPROFILEEXAMPLE00\naws_secret_access_key = "+kmstest.SecretAccessKey+"\n")
	return []interop{
		{name: "KMS", sops: []string{"--kms", arn}, signet: []string{"--kms", arn}, kms: &kmstest.Call{KeyID: arn}},
		{name: "KMS, alias", sops: []string{"--kms", alias}, signet: []string{"--kms", alias}, kms: &kmstest.Call{KeyID: alias}},
		{name: "KMS, another Region", sops: []string{"--kms", far}, signet: []string{"--kms", far}, kms: &kmstest.Call{KeyID: far, Region: "us-east-1"}},
		{name: "KMS, multi-Region key", sops: []string{"--kms", replicated}, signet: []string{"--kms", replicated}, kms: &kmstest.Call{KeyID: id}},
		{
			name: "KMS, encryption context", sops: []string{"--kms", arn, "--encryption-context", "team:blue,stage:prod"}, rules: "kms: [{arn: " + arn + ", context: {team: blue, stage: prod}}]",
			kms: &kmstest.Call{KeyID: arn, Context: map[string]string{"team": "blue", "stage": "prod"}},
		},
		{
			name: "KMS, role", sops: []string{"--kms", arn + "+" + interopRole}, signet: []string{"--kms", arn + "+" + interopRole}, open: []string{"--allow-keys", "default,role=" + interopRole},
			kms: &kmstest.Call{KeyID: arn, Principal: "arn:aws:sts::111122223333:assumed-role/sealer/"},
		},
		{
			name: "KMS, profile", sops: []string{"--kms", arn, "--aws-profile", "prod"}, signet: []string{"--kms", arn, "--aws-profile", "prod"}, open: []string{"--allow-keys", "default,aws_profile=prod"},
			kms: &kmstest.Call{KeyID: arn, Principal: "arn:aws:iam::111122223333:user/profile"}, env: map[string]string{"AWS_CONFIG_FILE": "aws-config", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
		},
	}
}

// Whatever key is used, Signet opens what stock sops has encrypted, and stock
// sops opens what Signet has sealed: SOPS files, and the envelope of a
// SealedSecret.
func TestInterop(t *testing.T) {
	srv, arn := newInterop(t)
	rows := kmsInterops(t, srv, arn)
	classic, fingerprint := ageKey(t, agekey.GenerateClassicIdentity), pgpKey(t)
	rows = append(rows,
		interop{name: "age X25519", sops: []string{"--age", classic}, signet: []string{"--age", classic}},
		interop{name: "PGP", sops: []string{"--pgp", fingerprint}, signet: []string{"--pgp", fingerprint}},
	)
	hybrid, err := agekey.GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	rows = append(rows, interop{
		name: "age hybrid", sops: []string{"--age", hybrid.Recipient()}, signet: []string{"--age", hybrid.Recipient()},
		env: map[string]string{"SOPS_AGE_KEY": hybrid.Reveal()},
	})
	server := vaulttest.Start(t)
	server.CreateKey("transit", "app")
	transit := server.URL + "/v1/transit/keys/app"
	rows = append(rows, interop{
		name: "Vault", sops: []string{"--hc-vault-transit", transit}, signet: []string{"--hc-vault-transit", transit},
		env: map[string]string{"VAULT_ADDR": server.URL, "VAULT_TOKEN": vaulttest.RootToken},
	})
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			for name, value := range row.env {
				t.Setenv(name, value)
			}
			row.check(t, srv)
		})
	}
}

func (row interop) check(t *testing.T, srv *kmstest.Server) {
	secret := interopSecret()
	plain := writeSecret(t, secret, false)
	open := func(sealed string) string {
		return mustRun(t, sealed, append([]string{"unseal", "-"}, row.open...)...)
	}
	sopsOpen := func(sealed string) string {
		o := sopsDecrypt(t, sealed)
		if o.code != 0 {
			t.Fatalf("sops decrypt: exit %d\n%s", o.code, o.stderr)
		}
		return o.stdout
	}
	seal := func(args ...string) string {
		if row.rules != "" {
			writeTestFile(t, "rules.yaml", "creation_rules:\n  - key_groups: [{"+row.rules+"}]\n")
			args = append(args, "--config", "rules.yaml")
		}
		return mustRun(t, plain, append(append([]string{"seal", "-"}, row.signet...), args...)...)
	}

	srv.ResetCounts()
	sameSecret(t, open(sopsEncrypt(t, plain, row.sops...)), secret)
	row.called(t, srv, "unseal of what sops encrypted", nil)

	asSOPS := seal("--as", "sops")
	srv.ResetCounts()
	sameSecret(t, sopsOpen(asSOPS), secret)
	row.called(t, srv, "sops decrypt of a SOPS file", nil)
	sameSecret(t, open(asSOPS), secret)

	sealed := seal()
	srv.ResetCounts()
	sameEnvelope(t, sopsOpen(envelopeOf(t, sealed)), secret)
	row.called(t, srv, "sops decrypt of an envelope", map[string]string{"kubernetes-namespace": "prod", "kubernetes-name": "db"})
	sameSecret(t, open(sealed), secret)
}

// called checks the call of KMS to decrypt, if there has to be one.
func (row interop) called(t *testing.T, srv *kmstest.Server, what string, context map[string]string) {
	t.Helper()
	var got []kmstest.Call
	for _, c := range srv.Calls() {
		if c.Operation == "Decrypt" {
			got = append(got, c)
		}
	}
	if row.kms == nil {
		if len(got) > 0 {
			t.Errorf("%s: calls %+v, want none", what, got)
		}
		return
	}
	want := maps.Clone(row.kms.Context)
	if context != nil {
		maps.Copy(context, want)
		want = context
	}
	if len(got) != 1 || got[0].Error != "" || !strings.HasSuffix(got[0].KeyID, row.kms.KeyID) || !maps.Equal(got[0].Context, want) ||
		!strings.HasPrefix(got[0].Region, row.kms.Region) || !strings.HasPrefix(got[0].Principal, row.kms.Principal) {
		t.Errorf("%s: calls %+v, want one with %s, context %v", what, got, fmt.Sprint(row.kms.KeyID, " ", row.kms.Principal), want)
	}
}
