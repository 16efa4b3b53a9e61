// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// A key's life through the API alone.
func TestKeyLifeCycle(t *testing.T) {
	s := Start(t, Options{})
	c, ctx := client(t, s, "eu-central-1"), t.Context()
	created, err := c.CreateKey(ctx, &kms.CreateKeyInput{MultiRegion: aws.Bool(true), Description: aws.String("for a test")})
	if err != nil {
		t.Fatal(err)
	}
	m := created.KeyMetadata
	if *m.Description != "for a test" || m.KeyState != "Enabled" || m.KeyUsage != "ENCRYPT_DECRYPT" || !*m.MultiRegion {
		t.Errorf("metadata %+v", m)
	}
	id := m.KeyId
	blob := encrypt(t, c, *id, "x", nil)
	replica, err := c.ReplicateKey(ctx, &kms.ReplicateKeyInput{KeyId: id, ReplicaRegion: aws.String("us-east-1")})
	if err != nil {
		t.Fatal(err)
	}
	mustDecrypt(t, client(t, s, "us-east-1"), "", blob, nil, *replica.ReplicaKeyMetadata.Arn, "x")
	_, err = c.ReplicateKey(ctx, &kms.ReplicateKeyInput{KeyId: id, ReplicaRegion: aws.String("us-east-1")})
	typed[*types.AlreadyExistsException](t, err)

	if _, err := c.DisableKey(ctx, &kms.DisableKeyInput{KeyId: id}); err != nil {
		t.Fatal(err)
	}
	_, err = decrypt(ctx, c, "", blob, nil)
	typed[*types.DisabledException](t, err)
	if _, err := c.EnableKey(ctx, &kms.EnableKeyInput{KeyId: id}); err != nil {
		t.Fatal(err)
	}
	mustDecrypt(t, c, "", blob, nil, *m.Arn, "x")

	scheduled, err := c.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: aws.Int32(7)})
	if err != nil {
		t.Fatal(err)
	}
	if *scheduled.KeyId != *m.Arn || scheduled.KeyState != "PendingDeletion" || scheduled.DeletionDate == nil {
		t.Errorf("scheduled: %+v", scheduled)
	}
	_, err = c.EnableKey(ctx, &kms.EnableKeyInput{KeyId: id})
	wantError(t, err, "KMSInvalidStateException", 400, *m.Arn+" is pending deletion.")
	if _, err := c.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: id}); err != nil {
		t.Fatal(err)
	}
	out, err := c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id})
	if err != nil || out.KeyMetadata.KeyState != "Disabled" {
		t.Errorf("after the deletion was cancelled: %+v, %v", out, err)
	}
}

// Lists hold what is in the caller's account and the request's Region.
func TestLists(t *testing.T) {
	s := Start(t, Options{})
	c, ctx := client(t, s, defaultRegion), t.Context()
	arn, second := s.CreateKey(Key{}), s.CreateKey(Key{})
	alias := s.CreateAlias("alias/a", arn)
	s.CreateAlias("alias/b", second)
	for _, far := range []Key{{Region: "us-east-1"}, {Account: "444455556666"}} {
		s.CreateAlias("alias/far", s.CreateKey(far))
	}
	keys, err := c.ListKeys(ctx, &kms.ListKeysInput{})
	if err != nil || len(keys.Keys) != 2 {
		t.Errorf("keys %+v, %v, want 2", keys, err)
	}
	if _, err := c.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/c"), TargetKeyId: &arn}); err != nil {
		t.Fatal(err)
	}
	_, err = c.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/c"), TargetKeyId: &arn})
	typed[*types.AlreadyExistsException](t, err)
	_, err = c.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("c"), TargetKeyId: &arn})
	wantError(t, err, "ValidationException", 400, `Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html`)

	all, err := c.ListAliases(ctx, &kms.ListAliasesInput{})
	if err != nil || len(all.Aliases) != 3 {
		t.Fatalf("aliases %+v, %v, want 3", all, err)
	}
	if a := all.Aliases[0]; *a.AliasArn != alias || *a.AliasName != "alias/a" || *a.TargetKeyId != idOf(arn) {
		t.Errorf("first alias %+v", a)
	}
	ofSecond, err := c.ListAliases(ctx, &kms.ListAliasesInput{KeyId: &second})
	if err != nil || len(ofSecond.Aliases) != 1 || *ofSecond.Aliases[0].AliasName != "alias/b" {
		t.Errorf("aliases of a key: %+v, %v", ofSecond, err)
	}
	s.SetState(arn, Deleted)
	if all, err := c.ListAliases(ctx, &kms.ListAliasesInput{}); err != nil || len(all.Aliases) != 1 {
		t.Errorf("aliases after a deletion: %+v, %v, want 1", all, err)
	}
}
