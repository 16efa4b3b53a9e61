// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

func idOf(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

// All four names of a key work, and all answers give its ARN.
func TestNamesOfAKey(t *testing.T) {
	s := Start(t, Options{Account: "999988887777"})
	c := client(t, s, "eu-central-1")
	arn := s.CreateKey(Key{Region: "eu-central-1"})
	if want := "arn:aws:kms:eu-central-1:999988887777:key/"; !strings.HasPrefix(arn, want) {
		t.Fatalf("ARN %s, want %s...", arn, want)
	}
	alias := s.CreateAlias("alias/team/db", arn)
	if want := "arn:aws:kms:eu-central-1:999988887777:alias/team/db"; alias != want {
		t.Errorf("alias ARN %s, want %s", alias, want)
	}
	for _, name := range []string{arn, idOf(arn), alias, "alias/team/db"} {
		mustDecrypt(t, c, name, encrypt(t, c, name, "x", nil), nil, arn, "x")
		out, err := c.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &name})
		if err != nil {
			t.Fatal(err)
		}
		if m := out.KeyMetadata; *m.Arn != arn || *m.KeyId != idOf(arn) || m.KeyState != types.KeyStateEnabled || !m.Enabled || m.CreationDate == nil {
			t.Errorf("metadata by %s: %+v", name, m)
		}
	}
}

func TestPartitions(t *testing.T) {
	s := Start(t, Options{})
	for region, want := range map[string]string{
		"cn-north-1": "arn:aws-cn:kms:cn-north-1:", "us-gov-west-1": "arn:aws-us-gov:kms:us-gov-west-1:", "us-east-1": "arn:aws:kms:us-east-1:",
	} {
		arn := s.CreateKey(Key{Region: region})
		if !strings.HasPrefix(arn, want) {
			t.Errorf("ARN %s, want %s...", arn, want)
		}
		c := client(t, s, region)
		mustDecrypt(t, c, arn, encrypt(t, c, arn, "x", nil), nil, arn, "x")
	}
}

func TestUnknownKeys(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, "eu-west-1")
	elsewhere := s.CreateKey(Key{Region: "us-west-2"})
	s.CreateAlias("alias/far", elsewhere)
	const here, id = "arn:aws:kms:eu-west-1:111122223333:", "134f2428-cec1-4b25-a1ae-9048164dba47"
	const user = "User: arn:aws:iam::111122223333:user/tester is not authorized to perform: kms:Encrypt "
	for _, tt := range []struct{ name, keyID, code, message string }{
		{"id", id, "NotFoundException", "Key '" + here + "key/" + id + "' does not exist"},
		{"ARN", here + "key/" + id, "NotFoundException", "Key '" + here + "key/" + id + "' does not exist"},
		{"id of another Region", idOf(elsewhere), "NotFoundException", "Key '" + here + "key/" + idOf(elsewhere) + "' does not exist"},
		{"ARN of another Region", elsewhere, "NotFoundException", "Invalid arn us-west-2"},
		{"not an id", "fake-key-id", "NotFoundException", "Invalid keyId 'fake-key-id'"},
		{"not an id in an ARN", here + "key/foo", "NotFoundException", "Invalid keyId foo"},
		{"mrk", "mrk-d3b95762d3b95762d3b95762d3b95762", "NotFoundException", "Key '" + here + "key/mrk-d3b95762d3b95762d3b95762d3b95762' does not exist"},
		{"not an mrk", "mrk-1234", "NotFoundException", "Invalid keyId 'mrk-1234'"},
		{"alias", "alias/none", "NotFoundException", "Alias " + here + "alias/none is not found."},
		{"alias of another Region", "alias/far", "NotFoundException", "Alias " + here + "alias/far is not found."},
		{"alias ARN", here + "alias/none", "NotFoundException", "Alias " + here + "alias/none is not found."},
		{"another service", "arn:aws:s3:::bucket", "NotFoundException", "Invalid arn arn:aws:s3:::bucket"},
		{"another account", "arn:aws:kms:eu-west-1:444455556666:key/" + id, "AccessDeniedException", user + "on this resource because the resource does not exist in this Region, " +
			"no resource-based policies allow access, or a resource-based policy explicitly denies access"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &tt.keyID, Plaintext: []byte("x")})
			wantError(t, err, tt.code, 400, tt.message)
			if tt.code == "NotFoundException" {
				typed[*types.NotFoundException](t, err)
			}
		})
	}
}

// Without a key id KMS does not tell a key that is elsewhere from one that the
// caller may not use.
func TestDecryptInAnotherRegion(t *testing.T) {
	s := Start(t, Options{})
	arn := s.CreateKey(Key{})
	blob := encrypt(t, client(t, s, "eu-west-1"), arn, "x", nil)
	_, err := decrypt(t.Context(), client(t, s, "us-west-2"), "", blob, nil)
	wantError(t, err, "AccessDeniedException", 400, "User: arn:aws:iam::111122223333:user/tester is not authorized to perform: kms:Decrypt "+
		"on the resource associated with this ciphertext because the resource does not exist in this Region, "+
		"no resource-based policies allow access, or a resource-based policy explicitly denies access")
}

func TestKeyOperationsRefuseAliases(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, defaultRegion)
	alias := s.CreateAlias("alias/mine", s.CreateKey(Key{}))
	for _, name := range []string{"alias/mine", alias} {
		_, err := c.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &name})
		wantError(t, err, "InvalidArnException", 400, "Key Aliases are not supported for this operation.")
		typed[*types.InvalidArnException](t, err)
	}
}

// Replicas open each other's ciphertext, each under its own ARN.
func TestMultiRegionKeys(t *testing.T) {
	s := Start(t, Options{})
	primary := s.CreateKey(Key{MultiRegion: true})
	replica := s.Replicate(primary, "us-east-1")
	if id := idOf(primary); !strings.HasPrefix(id, "mrk-") || len(id) != 36 || idOf(replica) != id {
		t.Fatalf("ARNs %s and %s", primary, replica)
	}
	near, far := client(t, s, "eu-west-1"), client(t, s, "us-east-1")
	blob := encrypt(t, near, primary, "x", nil)
	mustDecrypt(t, far, replica, blob, nil, replica, "x")
	mustDecrypt(t, far, idOf(primary), blob, nil, replica, "x")
	mustDecrypt(t, far, "", blob, nil, replica, "x")
	mustDecrypt(t, near, "", encrypt(t, far, replica, "y", nil), nil, primary, "y")

	_, err := decrypt(t.Context(), far, primary, blob, nil)
	wantError(t, err, "NotFoundException", 400, "Invalid arn eu-west-1")
	s.SetState(replica, Disabled)
	_, err = decrypt(t.Context(), far, replica, blob, nil)
	typed[*types.DisabledException](t, err)
	mustDecrypt(t, near, primary, blob, nil, primary, "x")

	for _, tt := range []struct {
		c    *kms.Client
		arn  string
		want types.MultiRegionKeyType
	}{{near, primary, "PRIMARY"}, {far, replica, "REPLICA"}} {
		out, err := tt.c.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &tt.arn})
		if err != nil {
			t.Fatal(err)
		}
		m := out.KeyMetadata.MultiRegionConfiguration
		if m.MultiRegionKeyType != tt.want || *m.PrimaryKey.Arn != primary || len(m.ReplicaKeys) != 1 || *m.ReplicaKeys[0].Arn != replica {
			t.Errorf("configuration of %s: %+v", tt.arn, m)
		}
	}
}

func TestStates(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, defaultRegion)
	for _, tt := range []struct {
		state         State
		code, message string
		typed         func(testing.TB, error)
	}{
		{Disabled, "DisabledException", "ARN is disabled.", typed[*types.DisabledException]},
		{PendingDeletion, "KMSInvalidStateException", "ARN is pending deletion.", typed[*types.KMSInvalidStateException]},
		{PendingImport, "KMSInvalidStateException", "ARN is pending import.", typed[*types.KMSInvalidStateException]},
		{Unavailable, "KMSInvalidStateException", "ARN is unavailable.", typed[*types.KMSInvalidStateException]},
		{Deleted, "NotFoundException", "Key 'ARN' does not exist", typed[*types.NotFoundException]},
	} {
		t.Run(string(tt.state), func(t *testing.T) {
			arn := s.CreateKey(Key{})
			blob := encrypt(t, c, arn, "x", nil)
			s.SetState(arn, tt.state)
			_, encryptErr := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &arn, Plaintext: []byte("x")})
			_, decryptErr := decrypt(t.Context(), c, arn, blob, nil)
			_, generateErr := c.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: &arn, NumberOfBytes: aws.Int32(32)})
			for _, err := range []error{encryptErr, decryptErr, generateErr} {
				wantError(t, err, tt.code, 400, strings.Replace(tt.message, "ARN", arn, 1))
				tt.typed(t, err)
			}
			out, err := c.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &arn})
			if tt.state == Deleted {
				typed[*types.NotFoundException](t, err)
			} else if err != nil || string(out.KeyMetadata.KeyState) != string(tt.state) || out.KeyMetadata.Enabled {
				t.Errorf("DescribeKey: %+v, %v", out, err)
			}
			s.SetState(arn, Enabled)
			mustDecrypt(t, c, arn, blob, nil, arn, "x")
		})
	}
}

func TestKeyUsage(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, defaultRegion)
	for _, usage := range []string{"SIGN_VERIFY", "GENERATE_VERIFY_MAC"} {
		arn := s.CreateKey(Key{Usage: usage})
		_, err := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &arn, Plaintext: []byte("x")})
		wantError(t, err, "InvalidKeyUsageException", 400, arn+" key usage is "+usage+" which is not valid for Encrypt.")
		typed[*types.InvalidKeyUsageException](t, err)
	}
	arn := s.CreateKey(Key{})
	_, err := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &arn, Plaintext: []byte("x"), EncryptionAlgorithm: "RSAES_OAEP_SHA_256"})
	wantError(t, err, "InvalidKeyUsageException", 400, "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.")
}
