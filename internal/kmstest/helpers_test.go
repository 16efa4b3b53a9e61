// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// client returns an SDK client of the default principal, without retries.
func client(t testing.TB, s *Server, region string) *kms.Client {
	t.Helper()
	return clientAs(t, s, region, AccessKeyID, SecretAccessKey, "")
}

func clientAs(t testing.TB, s *Server, region, id, secret, token string) *kms.Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	t.Cleanup(transport.CloseIdleConnections)
	return kms.New(kms.Options{
		Region:       region,
		BaseEndpoint: aws.String(s.URL()),
		Credentials:  credentials.NewStaticCredentialsProvider(id, secret, token),
		Retryer:      aws.NopRetryer{},
		HTTPClient:   &http.Client{Transport: transport},
	})
}

func stsClient(s *Server, id, secret, token string) *sts.Client {
	return sts.New(sts.Options{
		Region:       defaultRegion,
		BaseEndpoint: aws.String(s.URL()),
		Credentials:  credentials.NewStaticCredentialsProvider(id, secret, token),
		Retryer:      aws.NopRetryer{},
	})
}

func encrypt(t testing.TB, c *kms.Client, keyID string, plaintext string, context map[string]string) []byte {
	t.Helper()
	out, err := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &keyID, Plaintext: []byte(plaintext), EncryptionContext: context})
	if err != nil {
		t.Fatalf("encrypt with %s: %v", keyID, err)
	}
	return out.CiphertextBlob
}

// decrypt names no key if keyID is "".
func decrypt(ctx context.Context, c *kms.Client, keyID string, blob []byte, context map[string]string) (*kms.DecryptOutput, error) {
	in := &kms.DecryptInput{CiphertextBlob: blob, EncryptionContext: context}
	if keyID != "" {
		in.KeyId = &keyID
	}
	return c.Decrypt(ctx, in)
}

// mustDecrypt also checks the key ARN in the answer.
func mustDecrypt(t testing.TB, c *kms.Client, keyID string, blob []byte, context map[string]string, wantARN, want string) {
	t.Helper()
	out, err := decrypt(t.Context(), c, keyID, blob, context)
	if err != nil {
		t.Fatalf("decrypt with %q: %v", keyID, err)
	}
	if string(out.Plaintext) != want || *out.KeyId != wantARN {
		t.Errorf("decrypt with %q: %q by %s, want %q by %s", keyID, out.Plaintext, *out.KeyId, want, wantARN)
	}
}

// wantError checks the code, the message and the HTTP status of an SDK's error.
func wantError(t testing.TB, err error, code string, status int, message string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", code)
	}
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Fatalf("error %v, want %s", err, code)
	}
	// The SDK makes the code of a generic error its message if there is none.
	if got := api.ErrorMessage(); got != message && !(message == "" && got == "UnknownError") {
		t.Errorf("message %q, want %q", got, message)
	}
	var response *awshttp.ResponseError
	if !errors.As(err, &response) {
		t.Fatalf("%v is no response", err)
	}
	if response.HTTPStatusCode() != status {
		t.Errorf("status %d, want %d", response.HTTPStatusCode(), status)
	}
	if len(response.ServiceRequestID()) != 36 {
		t.Errorf("request id %q, want a UUID", response.ServiceRequestID())
	}
}

// typed checks that the SDK has made its type of an error.
func typed[E error](t testing.TB, err error) {
	t.Helper()
	var want E
	if !errors.As(err, &want) {
		t.Errorf("error is %T, want %T", errors.Unwrap(err), want)
	}
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	const patience = 30 * time.Second
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !cond(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain: %s", patience, what)
		}
	}
}

func mustContain(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in:\n%s", part, text)
		}
	}
}

func wantSTSError(t testing.TB, err error, code string, status int) {
	t.Helper()
	var api smithy.APIError
	var response *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &response) {
		t.Fatalf("error %v, want %s", err, code)
	}
	if api.ErrorCode() != code || response.HTTPStatusCode() != status || api.ErrorMessage() == "" {
		t.Errorf("%d, %v, want %d, %s", response.HTTPStatusCode(), err, status, code)
	}
}
