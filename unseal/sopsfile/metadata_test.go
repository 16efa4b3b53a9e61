// SPDX-License-Identifier: Apache-2.0

package sopsfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

const flatRest = `sops_lastmodified=2026-01-31T09:30:00Z
sops_mac=ENC[AES256_GCM,data:AA==,iv:AAAAAAAAAAAAAAAA,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]
sops_version=3.13.3
`

// TestFlatMetadata protects every list of keys in files without nesting.
func TestFlatMetadata(t *testing.T) {
	const text = `sops_shamir_threshold=2
sops_mac_only_encrypted=true
sops_encrypted_regex=^a__map_b$
sops_key_groups__list_0__map_kms__list_0__map_arn=arn:aws:kms:eu-west-1:111122223333:key/x
sops_key_groups__list_0__map_kms__list_0__map_aws_profile=
sops_key_groups__list_0__map_kms__list_0__map_context__map_stage=prod
sops_key_groups__list_0__map_kms__list_0__map_context__map_team=blue
sops_key_groups__list_0__map_kms__list_0__map_created_at=2026-01-31T09:30:00Z
sops_key_groups__list_0__map_kms__list_0__map_enc=AA==
sops_key_groups__list_1__map_age__list_1__map_enc=second
sops_key_groups__list_1__map_age__list_1__map_recipient=age1b
sops_key_groups__list_1__map_age__list_0__map_enc=line\nline
sops_key_groups__list_1__map_age__list_0__map_recipient=age1a
sops_key_groups__list_1__map_pgp__list_0__map_created_at=2026-01-31T09:30:00Z
sops_key_groups__list_1__map_pgp__list_0__map_enc=msg
sops_key_groups__list_1__map_pgp__list_0__map_fp=AB
` + flatRest
	md, err := flatMetadata(text)
	if err != nil {
		t.Fatal(err)
	}
	const created = "2026-01-31T09:30:00Z"
	want := keys.Recipients{Threshold: 2, Groups: []keys.Group{
		{keys.KMSEntry{ARN: "arn:aws:kms:eu-west-1:111122223333:key/x", Context: map[string]string{"stage": "prod", "team": "blue"}, CreatedAt: created, Enc: "AA=="}},
		{keys.AgeEntry{Recipient: "age1a", Enc: "line\nline"}, keys.AgeEntry{Recipient: "age1b", Enc: "second"}, keys.PGPEntry{Fingerprint: "AB", CreatedAt: created, Enc: "msg"}},
	}}
	if diff := cmp.Diff(want, md.Recipients); diff != "" {
		t.Errorf("recipients (-want +got):\n%s", diff)
	}
	if !md.MACOnlyEncrypted || md.Selector != (keys.Selector{Kind: keys.EncryptedRegex, Pattern: "^a__map_b$"}) {
		t.Errorf("mac_only_encrypted %v, selector %v", md.MACOnlyEncrypted, md.Selector)
	}
}

func flatMetadata(text string) (*sopsdoc.Metadata, error) {
	branches, err := readDotenv([]byte(text))
	if err != nil {
		return nil, err
	}
	block, err := prefixedMetadata(branches)
	if err != nil {
		return nil, err
	}
	return parseMetadata(block)
}

// TestVersion protects that the versions are read that sops reads.
func TestVersion(t *testing.T) {
	const entry = "sops_age__list_0__map_enc=x\nsops_age__list_0__map_recipient=age1a\n"
	for version, ok := range map[string]bool{
		"3.13.3": true, "v3.1.0": true, "1.x": true, "3.0.0-rc.1+build.5": true, "4.0.0-x-y": true,
		"": false, "3.13": false, "3.13.03": false, "3.13.x": false, "3.0.0-01": false, "3.0.0-": false, " 3.0.0": false, "3.0.0.0": false,
	} {
		_, err := flatMetadata(strings.Replace(entry+flatRest, "3.13.3", version, 1))
		if (err == nil) != ok {
			t.Errorf("version %q: %v", version, err)
		}
	}
}
