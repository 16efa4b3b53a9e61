// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

const (
	testRole    = "arn:aws:iam::111122223333:role/path/sealer"
	testSession = "arn:aws:sts::111122223333:assumed-role/sealer/ci"
)

func TestGetCallerIdentity(t *testing.T) {
	s := Start(t, Options{})
	s.AddPrincipal("AKIDALICE", "arn:aws:iam::444455556666:user/alice")
	for id, want := range map[string][2]string{
		AccessKeyID: {"arn:aws:iam::111122223333:user/tester", "111122223333"},
		"AKIDALICE": {"arn:aws:iam::444455556666:user/alice", "444455556666"},
	} {
		out, err := stsClient(s, id, SecretAccessKey, "").GetCallerIdentity(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if *out.Arn != want[0] || *out.Account != want[1] || *out.UserId == "" {
			t.Errorf("%s, %s, %s, want %s", *out.Arn, *out.Account, *out.UserId, want)
		}
	}
	for _, tt := range []struct {
		name, id, secret, token, code string
		status                        int
	}{
		{"secret", AccessKeyID, "another" + SecretAccessKey, "", "SignatureDoesNotMatch", 403},
		{"id", "AKIDUNKNOWN", SecretAccessKey, "", "InvalidClientTokenId", 403},
		{"slash", "AKID/X", SecretAccessKey, "", "IncompleteSignature", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := stsClient(s, tt.id, tt.secret, tt.token).GetCallerIdentity(t.Context(), nil)
			wantSTSError(t, err, tt.code, tt.status)
		})
	}
	if got, ok := s.Count("GetCallerIdentity"), s.Succeeded("GetCallerIdentity"); got != 5 || ok != 2 || s.Count("") != 0 {
		t.Errorf("counts %d and %d, of KMS %d", got, ok, s.Count(""))
	}
}

// Session credentials work with KMS until they expire, and only with their
// token.
func TestAssumeRole(t *testing.T) {
	s := Start(t, Options{})
	arn := s.CreateKey(Key{})
	in := &sts.AssumeRoleInput{RoleArn: aws.String(testRole), RoleSessionName: aws.String("ci")}
	caller := stsClient(s, AccessKeyID, SecretAccessKey, "")
	_, err := caller.AssumeRole(t.Context(), in)
	wantSTSError(t, err, "AccessDenied", 403)
	mustContain(t, err.Error(), "User: arn:aws:iam::111122223333:user/tester is not authorized to perform: sts:AssumeRole on resource: "+testRole)

	s.AddRole(testRole)
	out, err := caller.AssumeRole(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if *out.AssumedRoleUser.Arn != testSession {
		t.Errorf("session %s, want %s", *out.AssumedRoleUser.Arn, testSession)
	}
	session := out.Credentials
	identity, err := stsClient(s, *session.AccessKeyId, *session.SecretAccessKey, *session.SessionToken).GetCallerIdentity(t.Context(), nil)
	if err != nil || *identity.Arn != testSession {
		t.Errorf("identity %+v, %v", identity, err)
	}
	c := clientAs(t, s, defaultRegion, *session.AccessKeyId, *session.SecretAccessKey, *session.SessionToken)
	blob := encrypt(t, c, arn, "x", nil)
	mustDecrypt(t, c, arn, blob, nil, arn, "x")
	if got := s.Calls()[0].Principal; got != testSession {
		t.Errorf("principal in the log %s", got)
	}

	_, err = clientAs(t, s, defaultRegion, *session.AccessKeyId, *session.SecretAccessKey, "").DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &arn})
	wantError(t, err, "UnrecognizedClientException", 400, "The security token included in the request is invalid.")
	for _, principal := range []string{testRole, testSession} {
		s.Deny(Denial{Principal: principal})
		_, err := decrypt(t.Context(), c, arn, blob, nil)
		mustContain(t, err.Error(), "AccessDeniedException: User: "+testSession+" is not authorized")
		s.AllowAll()
	}
	s.ExpireSessions()
	_, err = decrypt(t.Context(), c, arn, blob, nil)
	wantError(t, err, "ExpiredTokenException", 400, "The security token included in the request is expired")
	_, err = stsClient(s, *session.AccessKeyId, *session.SecretAccessKey, *session.SessionToken).GetCallerIdentity(t.Context(), nil)
	wantSTSError(t, err, "ExpiredToken", 403)
	if s.Count("AssumeRole") != 2 || s.Succeeded("AssumeRole") != 1 {
		t.Errorf("AssumeRole: %d, %d succeeded", s.Count("AssumeRole"), s.Succeeded("AssumeRole"))
	}
}

// As of a pod with a service account: no AWS credentials, only a token.
func TestAssumeRoleWithWebIdentity(t *testing.T) {
	s := Start(t, Options{})
	arn := s.CreateKey(Key{})
	c := sts.New(sts.Options{Region: defaultRegion, BaseEndpoint: aws.String(s.URL()), Retryer: aws.NopRetryer{}})
	in := &sts.AssumeRoleWithWebIdentityInput{RoleArn: aws.String(testRole), RoleSessionName: aws.String("ci"), WebIdentityToken: aws.String("fake-token")}
	_, err := c.AssumeRoleWithWebIdentity(t.Context(), in)
	wantSTSError(t, err, "AccessDenied", 403)
	s.AddRole(testRole)
	out, err := c.AssumeRoleWithWebIdentity(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if *out.AssumedRoleUser.Arn != testSession || out.Credentials.Expiration == nil {
		t.Errorf("answer %+v", out)
	}
	session := out.Credentials
	encrypt(t, clientAs(t, s, defaultRegion, *session.AccessKeyId, *session.SecretAccessKey, *session.SessionToken), arn, "x", nil)
	in.WebIdentityToken = aws.String("")
	_, err = c.AssumeRoleWithWebIdentity(t.Context(), in)
	wantSTSError(t, err, "ValidationError", 400)
}

func TestSTSValidation(t *testing.T) {
	s := Start(t, Options{})
	s.AddRole(testRole)
	c := stsClient(s, AccessKeyID, SecretAccessKey, "")
	for _, tt := range []struct {
		name, role, session string
		seconds             int32
	}{
		{"session name", testRole, "a b", 900},
		{"short session name", testRole, "a", 900},
		{"role", "x", "ci", 900},
		{"duration", testRole, "ci", 899},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &tt.role, RoleSessionName: &tt.session, DurationSeconds: &tt.seconds})
			wantSTSError(t, err, "ValidationError", 400)
		})
	}
	_, err := c.GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: aws.String("x"), Tags: []ststypes.Tag{}})
	wantSTSError(t, err, "InvalidAction", 400)
}
