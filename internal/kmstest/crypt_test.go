// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// A blob opens with its own context only: the same pairs, whatever their
// order, and nothing that could be split up differently.
func TestContextIsBound(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, defaultRegion)
	arn := s.CreateKey(Key{})
	context := map[string]string{"kubernetes-namespace": "prod", "kubernetes-name": "db"}
	blob := encrypt(t, c, arn, "correct horse", context)
	mustDecrypt(t, c, arn, blob, map[string]string{"kubernetes-name": "db", "kubernetes-namespace": "prod"}, arn, "correct horse")
	for _, tt := range []struct {
		name    string
		context map[string]string
	}{
		{"none", nil},
		{"missing", map[string]string{"kubernetes-namespace": "prod"}},
		{"more", map[string]string{"kubernetes-namespace": "prod", "kubernetes-name": "db", "a": ""}},
		{"other value", map[string]string{"kubernetes-namespace": "prod", "kubernetes-name": "dB"}},
		{"values swapped", map[string]string{"kubernetes-namespace": "db", "kubernetes-name": "prod"}},
		{"boundary moved", map[string]string{"kubernetes-namespacep": "rod", "kubernetes-name": "db"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := decrypt(t.Context(), c, arn, blob, tt.context)
			wantError(t, err, "InvalidCiphertextException", 400, "")
			typed[*types.InvalidCiphertextException](t, err)
		})
	}
	empty := encrypt(t, c, arn, "x", map[string]string{})
	mustDecrypt(t, c, arn, empty, nil, arn, "x")
}

// Every byte of a blob counts, those that name its key as well.
func TestDamagedBlob(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, defaultRegion)
	arn := s.CreateKey(Key{})
	blob := encrypt(t, c, arn, "correct horse", nil)
	for _, keyID := range []string{"", arn} {
		for i := range blob {
			damaged := bytes.Clone(blob)
			damaged[i] ^= 1
			_, err := decrypt(t.Context(), c, keyID, damaged, nil)
			wantError(t, err, "InvalidCiphertextException", 400, "")
		}
		for _, short := range []int{1, len(blob) / 2, len(blob) - 1} {
			_, err := decrypt(t.Context(), c, keyID, blob[:short], nil)
			wantError(t, err, "InvalidCiphertextException", 400, "")
		}
		_, err := decrypt(t.Context(), c, keyID, append(bytes.Clone(blob), 0), nil)
		wantError(t, err, "InvalidCiphertextException", 400, "")
	}
}

func TestCiphertextIsNeverTheSame(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, defaultRegion)
	arn := s.CreateKey(Key{})
	if bytes.Equal(encrypt(t, c, arn, "x", nil), encrypt(t, c, arn, "x", nil)) {
		t.Error("two encryptions gave the same bytes")
	}
}

// The key that is given must be the blob's; without one the blob tells.
func TestDecryptKeyID(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, defaultRegion)
	arn, other := s.CreateKey(Key{}), s.CreateKey(Key{})
	alias := s.CreateAlias("alias/mine", arn)
	foreign := s.CreateKey(Key{Account: "444455556666"})
	blob, foreignBlob := encrypt(t, c, arn, "x", nil), encrypt(t, c, foreign, "y", nil)
	for _, keyID := range []string{"", arn, arn[strings.LastIndex(arn, "/")+1:], "alias/mine", alias} {
		mustDecrypt(t, c, keyID, blob, nil, arn, "x")
	}
	for _, keyID := range []string{"", foreign, foreign[strings.LastIndex(foreign, "/")+1:]} {
		mustDecrypt(t, c, keyID, foreignBlob, nil, foreign, "y")
	}
	for _, blob := range [][]byte{blob, foreignBlob} {
		_, err := decrypt(t.Context(), c, other, blob, nil)
		wantError(t, err, "IncorrectKeyException", 400, "The key ID in the request does not identify a CMK that can perform this operation.")
		typed[*types.IncorrectKeyException](t, err)
	}
}

func TestGenerateDataKey(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, defaultRegion)
	arn := s.CreateKey(Key{})
	context := map[string]string{"a": "b"}
	for _, tt := range []struct {
		name string
		in   kms.GenerateDataKeyInput
		want int
	}{
		{"AES_256", kms.GenerateDataKeyInput{KeySpec: types.DataKeySpecAes256}, 32},
		{"AES_128", kms.GenerateDataKeyInput{KeySpec: types.DataKeySpecAes128}, 16},
		{"7 bytes", kms.GenerateDataKeyInput{NumberOfBytes: aws.Int32(7)}, 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.in.KeyId, tt.in.EncryptionContext = &arn, context
			out, err := c.GenerateDataKey(t.Context(), &tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Plaintext) != tt.want || *out.KeyId != arn {
				t.Errorf("%d bytes by %s, want %d by %s", len(out.Plaintext), *out.KeyId, tt.want, arn)
			}
			mustDecrypt(t, c, arn, out.CiphertextBlob, context, arn, string(out.Plaintext))
		})
	}
	out, err := c.GenerateDataKeyWithoutPlaintext(t.Context(), &kms.GenerateDataKeyWithoutPlaintextInput{KeyId: &arn, KeySpec: types.DataKeySpecAes256})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := decrypt(t.Context(), c, arn, out.CiphertextBlob, nil); err != nil || len(got.Plaintext) != 32 {
		t.Errorf("data key without plaintext: %v, %v", got, err)
	}
}

func TestReEncrypt(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, defaultRegion)
	from, to := s.CreateKey(Key{}), s.CreateKey(Key{})
	old, fresh := map[string]string{"a": "b"}, map[string]string{"c": "d"}
	in := &kms.ReEncryptInput{
		CiphertextBlob: encrypt(t, c, from, "x", old), SourceKeyId: &from, SourceEncryptionContext: old,
		DestinationKeyId: &to, DestinationEncryptionContext: fresh,
	}
	out, err := c.ReEncrypt(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if *out.KeyId != to || *out.SourceKeyId != from {
		t.Errorf("from %s to %s, want from %s to %s", *out.SourceKeyId, *out.KeyId, from, to)
	}
	mustDecrypt(t, c, to, out.CiphertextBlob, fresh, to, "x")
	in.SourceKeyId = &to
	_, err = c.ReEncrypt(t.Context(), in)
	typed[*types.IncorrectKeyException](t, err)
	for _, permission := range []string{"ReEncryptFrom", "ReEncryptTo"} {
		s.AllowAll()
		s.Deny(Denial{Operation: permission})
		in.SourceKeyId = &from
		_, err := c.ReEncrypt(t.Context(), in)
		if err == nil || !strings.Contains(err.Error(), "kms:"+permission) {
			t.Errorf("%s denied: %v", permission, err)
		}
	}
}

func TestDryRun(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, defaultRegion)
	arn := s.CreateKey(Key{})
	_, err := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &arn, Plaintext: []byte("x"), DryRun: aws.Bool(true)})
	wantError(t, err, "DryRunOperationException", 400, "The request would have succeeded, but the DryRun option is set.")
	s.Deny(Denial{Operation: "Encrypt"})
	_, err = c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &arn, Plaintext: []byte("x"), DryRun: aws.Bool(true)})
	if dry := (*types.DryRunOperationException)(nil); err == nil || errors.As(err, &dry) {
		t.Errorf("denied dry run: %v", err)
	}
}

func TestValidation(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, defaultRegion)
	arn := s.CreateKey(Key{})
	generate := func(in kms.GenerateDataKeyInput) error {
		in.KeyId = &arn
		_, err := c.GenerateDataKey(t.Context(), &in)
		return err
	}
	encrypt := func(keyID string, plaintext []byte) error {
		_, err := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &keyID, Plaintext: plaintext})
		return err
	}
	decrypt := func(blob []byte) error {
		_, err := c.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob})
		return err
	}
	const one = "1 validation error detected: "
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"empty plaintext", encrypt(arn, []byte{}), one + "Value at 'plaintext' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"long plaintext", encrypt(arn, make([]byte, 4097)), one + "Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096"},
		{"empty key id", encrypt("", []byte("x")), "2 validation errors detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
			`Value '' at 'keyId' failed to satisfy constraint: Member must satisfy regular expression pattern: ^\p{ASCII}+$`},
		{"no ciphertext", decrypt(nil), one + "Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null"},
		{"empty ciphertext", decrypt([]byte{}), one + "Value at 'ciphertextBlob' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"long ciphertext", decrypt(make([]byte, 6145)), one + "Value at 'ciphertextBlob' failed to satisfy constraint: Member must have length less than or equal to 6144"},
		{"no size", generate(kms.GenerateDataKeyInput{}), "Please specify either number of bytes or key spec."},
		{"two sizes", generate(kms.GenerateDataKeyInput{KeySpec: "AES_256", NumberOfBytes: aws.Int32(32)}), "Please specify either number of bytes or key spec."},
		{"0 bytes", generate(kms.GenerateDataKeyInput{NumberOfBytes: aws.Int32(0)}), one + "Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"1025 bytes", generate(kms.GenerateDataKeyInput{NumberOfBytes: aws.Int32(1025)}), one + "Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantError(t, tt.err, "ValidationException", 400, tt.want) })
	}
	if err := encrypt(arn, make([]byte, 4096)); err != nil {
		t.Errorf("4096 bytes: %v", err)
	}
	blob, err := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &arn, Plaintext: make([]byte, 4096)})
	if err != nil || len(blob.CiphertextBlob) > maxCiphertextBytes {
		t.Fatalf("blob of 4096 bytes has %d: %v", len(blob.CiphertextBlob), err)
	}
}
