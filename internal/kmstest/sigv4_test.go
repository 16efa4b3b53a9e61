// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

const mismatch = "The request signature we calculated does not match the signature you provided. " +
	"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

func TestWrongCredentials(t *testing.T) {
	s := Start(t, Options{})
	arn := s.CreateKey(Key{})
	for _, tt := range []struct{ name, id, secret, token, code, message string }{
		{"secret", AccessKeyID, "another" + SecretAccessKey, "", "InvalidSignatureException", mismatch},
		{"id", "AKIDUNKNOWN", SecretAccessKey, "", "UnrecognizedClientException", "The security token included in the request is invalid."},
		{"token without a session", AccessKeyID, SecretAccessKey, "token", "UnrecognizedClientException", "The security token included in the request is invalid."},
		{"id with a slash", "AKID/EXAMPLE", SecretAccessKey, "", "IncompleteSignatureException", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := clientAs(t, s, defaultRegion, tt.id, tt.secret, tt.token)
			_, err := c.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &arn})
			if tt.message == "" {
				mustContain(t, err.Error(), tt.code, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKID/EXAMPLE/")
				return
			}
			wantError(t, err, tt.code, 400, tt.message)
		})
	}
}

// signed returns a good request that a test then spoils.
func signed(t testing.TB, s *Server, target, service string, at time.Time, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target)
	id := aws.Credentials{AccessKeyID: AccessKeyID, SecretAccessKey: SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(context.Background(), id, r, hexSHA256([]byte(body)), service, defaultRegion, at); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSpoiledSignatures(t *testing.T) {
	s := Start(t, Options{})
	now := time.Now()
	edit := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
		}
	}
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for _, tt := range []struct {
		name          string
		service       string
		at            time.Time
		spoil         func(*http.Request)
		code, message string
	}{
		{"nothing", "kms", now, func(*http.Request) {}, "", ""},
		{"in time", "kms", now.Add(-4 * time.Minute), func(*http.Request) {}, "", ""},
		{"no header", "kms", now, set("Authorization", ""), codeMissingAuth, "Missing Authentication Token"},
		{"another scheme", "kms", now, set("Authorization", "Basic dXNlcjpwYXNz"), codeIncompleteSig, "Authorization header requires 'Credential' parameter. "},
		{"no signature", "kms", now, edit("Signature=", "Sig="), codeIncompleteSig, "Authorization header requires 'Signature' parameter."},
		{"no date", "kms", now, set("X-Amz-Date", ""), codeIncompleteSig, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."},
		{"bad date", "kms", now, set("X-Amz-Date", "today"), codeIncompleteSig, "Date must be in ISO-8601 'basic format'. Got 'today'."},
		{"bad terminator", "kms", now, edit("aws4_request", "aws5_request"), codeInvalidSignature, "Credential should be scoped with a valid terminator"},
		{"no region", "kms", now, edit("/eu-west-1/", "//"), codeInvalidSignature, "Credential should be scoped to a valid region."},
		{"another service", "s3", now, func(*http.Request) {}, codeInvalidSignature, "Credential should be scoped to correct service: 'kms'."},
		{"another day", "kms", now, edit(now.UTC().Format("/20060102/"), "/20000101/"), codeInvalidSignature, "Date in Credential scope does not match"},
		{"old", "kms", now.Add(-6 * time.Minute), func(*http.Request) {}, codeInvalidSignature, "Signature expired: "},
		{"early", "kms", now.Add(6 * time.Minute), func(*http.Request) {}, codeInvalidSignature, "Signature not yet current: "},
		{"target changed", "kms", now, set("X-Amz-Target", "TrentService.CreateKey"), codeInvalidSignature, mismatch},
		{"target not signed", "kms", now, edit("x-amz-target", "x-amz-tarfet"), codeInvalidSignature, "'x-amz-target' must be a 'SignedHeader'"},
		{"host not signed", "kms", now, edit(";host", ""), codeInvalidSignature, "'Host' or ':authority' must be a 'SignedHeader'"},
		{"region changed", "kms", now, edit("/eu-west-1/", "/us-east-1/"), codeInvalidSignature, mismatch},
		{"host changed", "kms", now, func(r *http.Request) { r.Host = "kms.eu-west-1.amazonaws.com" }, codeInvalidSignature, mismatch},
		{"query added", "kms", now, func(r *http.Request) { r.URL.RawQuery = "b=2&a=1" }, codeInvalidSignature, mismatch},
		{"body changed", "kms", now, func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{ }`)); r.ContentLength = 3 }, codeInvalidSignature, mismatch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := signed(t, s, "TrentService.ListKeys", tt.service, tt.at, "{}")
			tt.spoil(r)
			status, code, message := send(t, r)
			if tt.code == "" {
				if status != http.StatusOK {
					t.Errorf("status %d, %s: %s", status, code, message)
				}
				return
			}
			if status != http.StatusBadRequest || code != tt.code {
				t.Errorf("status %d, %s: %s, want %s", status, code, message, tt.code)
			}
			mustContain(t, message, tt.message)
		})
	}
}

// send returns the status and, of an error, what the body says.
func send(t *testing.T, r *http.Request) (status int, code, message string) {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("x-amzn-RequestId"); len(got) != 36 {
		t.Errorf("request id %q", got)
	}
	if got := response.Header.Get("Content-Type"); got != "application/x-amz-json-1.1" {
		t.Errorf("content type %q", got)
	}
	var body struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body.Type, body.Message
}

// Requests that no SDK makes.
func TestBadRequests(t *testing.T) {
	s := Start(t, Options{})
	for _, tt := range []struct {
		name, target, body string
		status             int
		code               string
	}{
		{"no JSON", "TrentService.Encrypt", "{", 400, codeSerialization},
		{"no base64", "TrentService.Encrypt", `{"KeyId":"x","Plaintext":"*"}`, 400, codeSerialization},
		{"no operation", "TrentService.Sing", "{}", 400, codeUnknownOperation},
		{"not emulated", "TrentService.Sign", "{}", 400, codeUnknownOperation},
		{"another service", "DynamoDB_20120810.GetItem", "{}", 400, codeUnknownOperation},
		{"too large", "TrentService.Encrypt", strings.Repeat(" ", maxBodyBytes+1), 413, codeTooLarge},
		{"null key", "TrentService.Encrypt", `{"Plaintext":"eA=="}`, 400, codeValidation},
		{"null key of DescribeKey", "TrentService.DescribeKey", "{}", 400, codeValidation},
		{"null source", "TrentService.ReEncrypt", `{"CiphertextBlob":"eA=="}`, 400, codeValidation},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := signed(t, s, tt.target, "kms", time.Now(), tt.body)
			if status, code, message := send(t, r); status != tt.status || code != tt.code {
				t.Errorf("status %d, %s: %s, want %d, %s", status, code, message, tt.status, tt.code)
			}
		})
	}
}
