// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/google/go-cmp/cmp"
)

func TestCountsAndLog(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, "eu-central-1")
	arn := s.CreateKey(Key{Region: "eu-central-1"})
	context := map[string]string{"a": "b"}
	out, err := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &arn, Plaintext: []byte("x"), EncryptionContext: context})
	if err != nil {
		t.Fatal(err)
	}
	requestID, _ := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
	decrypt(t.Context(), c, "", out.CiphertextBlob, nil)
	s.Inject(Throttle, "Decrypt", 1)
	decrypt(t.Context(), c, arn, out.CiphertextBlob, context)
	stsClient(s, AccessKeyID, SecretAccessKey, "").GetCallerIdentity(t.Context(), nil)

	for _, tt := range []struct {
		operation           string
		received, succeeded int
	}{{"Encrypt", 1, 1}, {"Decrypt", 2, 0}, {"GenerateDataKey", 0, 0}, {"", 3, 1}, {"GetCallerIdentity", 1, 1}} {
		if got, ok := s.Count(tt.operation), s.Succeeded(tt.operation); got != tt.received || ok != tt.succeeded {
			t.Errorf("%q: %d received, %d succeeded, want %d, %d", tt.operation, got, ok, tt.received, tt.succeeded)
		}
	}
	const tester = "arn:aws:iam::111122223333:user/tester"
	calls := s.Calls()
	want := []Call{
		{Operation: "Encrypt", KeyID: arn, Region: "eu-central-1", Principal: tester, RequestID: requestID, Context: context},
		{Operation: "Decrypt", Region: "eu-central-1", Principal: tester, RequestID: calls[1].RequestID, Error: "InvalidCiphertextException"},
		{Operation: "Decrypt", KeyID: arn, Region: "eu-central-1", Principal: tester, RequestID: calls[2].RequestID, Error: "ThrottlingException", Context: context},
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if calls[1].RequestID == calls[2].RequestID {
		t.Error("two requests with one id")
	}
	s.ResetCounts()
	if s.Count("") != 0 || s.Succeeded("") != 0 || len(s.Calls()) != 0 || s.MaxInFlight() != 0 {
		t.Error("counts are not reset")
	}
}

// MaxInFlight is what a limit on the client's side is tested with: never more
// than the client has under way.
func TestMaxInFlight(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, defaultRegion)
	arn := s.CreateKey(Key{})
	var all sync.WaitGroup
	s.SetFaults(Faults{Hang: 1, HangFor: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 8 {
		all.Go(func() { c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &arn}) })
	}
	eventually(t, "8 requests", func() bool { return s.Count("") == 8 })
	if got := s.MaxInFlight(); got != 8 {
		t.Errorf("MaxInFlight = %d, want 8", got)
	}
	cancel()
	all.Wait()
	eventually(t, "8 ended", func() bool { return len(s.Calls()) == 8 })

	s.SetFaults(Faults{})
	s.ResetCounts()
	for range 3 {
		all.Go(func() {
			for range 300 {
				encrypt(t, c, arn, "x", nil)
			}
		})
	}
	all.Wait()
	if got := s.MaxInFlight(); got < 1 || got > 3 {
		t.Errorf("MaxInFlight = %d of a client with 3", got)
	}
}

func TestLogIsBounded(t *testing.T) {
	s := newStats()
	for range maxCalls + 10 {
		s.begin("Decrypt")
		s.end(Call{Operation: "Decrypt"})
	}
	if n := len(s.calls); n > maxCalls || n < maxCalls/2 {
		t.Errorf("%d calls in the log", n)
	}
	if s.received["Decrypt"] != maxCalls+10 {
		t.Errorf("counted %d", s.received["Decrypt"])
	}
}

func TestCountsOverHTTP(t *testing.T) {
	s := Start(t, Options{})
	arn := s.CreateKey(Key{})
	c := client(t, s, defaultRegion)
	encrypt(t, c, arn, "x", nil)
	encrypt(t, c, arn, "x", nil)
	stsClient(s, AccessKeyID, SecretAccessKey, "").GetCallerIdentity(t.Context(), nil)
	if diff := cmp.Diff(map[string]int{"Encrypt": 2, "GetCallerIdentity": 1}, getCounts(t, s)); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	reset, err := http.Post(s.URL()+"/counts/reset", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	reset.Body.Close()
	if reset.StatusCode != http.StatusNoContent || len(getCounts(t, s)) != 0 {
		t.Errorf("reset: status %d, counts %v", reset.StatusCode, getCounts(t, s))
	}
}

func getCounts(t *testing.T, s *Server) map[string]int {
	t.Helper()
	response, err := http.Get(s.URL() + "/counts")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var counts map[string]int
	if err := json.Unmarshal(body, &counts); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	return counts
}
