// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

// Every document opens while half of all requests go wrong, with no more
// requests than that takes, and nothing stays behind.
func TestFaults(t *testing.T) {
	const atOnce = 20
	for _, tt := range []struct {
		name      string
		documents int
		faults    kmstest.Faults
		// Each request fails with probability p, so that a document takes
		// 1/(1-p) of them on average; 1.5 times that is never exceeded.
		most float64 // requests for each document
	}{
		{"none", 500, kmstest.Faults{}, 1.1},
		{"throttling", 100, kmstest.Faults{Throttle: 0.5}, 3},
		{"server errors", 100, kmstest.Faults{ServerError: 0.5}, 3},
		{"resets", 100, kmstest.Faults{Reset: 0.5}, 3},
		{"hangs", 100, kmstest.Faults{Hang: 0.1, HangFor: time.Minute}, 1.67},
		{"everything", 500, kmstest.Faults{Throttle: 0.15, ServerError: 0.15, Reset: 0.15, Hang: 0.05, HangFor: time.Minute}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := start(t)
			settled := noLeak(t)
			timeout := 5 * time.Second // a busy machine is not a fault
			if tt.faults.Hang > 0 {
				timeout = 2 * time.Second
			}
			s := New(Options{Rate: -1, AttemptTimeout: timeout})
			e := mustWrap(t, s, keys.KMSEntry{ARN: srv.CreateKey(kmstest.Key{})})
			tt.faults.Seed = 1
			srv.SetFaults(tt.faults)
			srv.ResetCounts()
			begin := time.Now()
			for _, err := range all(tt.documents, atOnce, func(int) error {
				secret, err := s.Unwrap(t.Context(), e)
				if err == nil && string(secret) != string(dataKey) {
					err = errors.New("another secret")
				}
				return err
			}) {
				t.Error(err)
			}
			n, flying := srv.Count("Decrypt"), srv.MaxInFlight()
			t.Logf("%d requests for %d documents, at most %d at once, in %v", n, tt.documents, flying, time.Since(begin).Round(time.Millisecond))
			// A connection that the server resets while it is idle costs
			// another request than those of the SDK: net/http sends it again.
			if most := int(tt.most * float64(tt.documents)); n < tt.documents || n > most || flying > atOnce {
				t.Errorf("%d requests, %d at once; want %d to %d, %d at most", n, flying, tt.documents, most, atOnce)
			}
			srv.SetFaults(kmstest.Faults{})
			srv.Close() // lets go of those that hang
			s.CloseIdleConnections()
			settled()
		})
	}
}

// What waiting cannot mend is reported at once, after one attempt.
func TestPermanentIsQuick(t *testing.T) {
	srv := start(t)
	e := mustWrap(t, open(t, Options{}), keys.KMSEntry{ARN: srv.CreateKey(kmstest.Key{})})
	srv.Deny(kmstest.Denial{Operation: "Decrypt"})
	quick(t, 2*time.Second, func() {
		srv.ResetCounts()
		_, err := open(t, Options{}).Unwrap(t.Context(), e)
		if call := mustFail(t, err, "AccessDeniedException"); !call.Permanent {
			t.Error("not permanent")
		}
		if n := srv.Count("Decrypt"); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
	})
}

// Attempts and time are both bounded, and the last cause is told.
func TestGivingUp(t *testing.T) {
	srv := start(t)
	e := mustWrap(t, open(t, Options{}), keys.KMSEntry{ARN: srv.CreateKey(kmstest.Key{})})
	for _, tt := range []struct {
		name   string
		faults kmstest.Faults
		o      Options
		want   []string
	}{
		{"attempts", kmstest.Faults{Throttle: 1}, Options{MaxAttempts: 3},
			[]string{"ThrottlingException", "(3 attempts, region eu-west-1, request ", "quota"}},
		{"time", kmstest.Faults{Throttle: 1}, Options{CallTimeout: 2 * time.Second},
			[]string{"gave up after 2s: ThrottlingException", "attempts, region eu-west-1"}},
		{"hanging", kmstest.Faults{Hang: 1}, Options{AttemptTimeout: 50 * time.Millisecond, MaxAttempts: 3},
			[]string{"no answer within 50ms (3 attempts, region eu-west-1)", "NetworkPolicy"}},
		{"hanging for the whole time", kmstest.Faults{Hang: 1}, Options{CallTimeout: 2 * time.Second},
			[]string{"no answer within 2s (region eu-west-1)", "NetworkPolicy"}},
		{"server errors", kmstest.Faults{ServerError: 1}, Options{MaxAttempts: 1}, []string{"KMSInternalException", "(region eu-west-1, request "}},
		{"resets", kmstest.Faults{Reset: 1}, Options{MaxAttempts: 2}, []string{"(2 attempts, region eu-west-1)"}},
		{"rate", kmstest.Faults{Throttle: 1}, Options{Rate: 0.01, CallTimeout: 30 * time.Second}, // the next turn is in 100 s
			[]string{"its turn does not come in time at 0.01 requests per second"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv.SetFaults(tt.faults)
			begin := time.Now()
			_, err := open(t, tt.o).Unwrap(t.Context(), e)
			call := mustFail(t, err, tt.want...)
			t.Log(call)
			if call.Permanent {
				t.Error("permanent")
			}
			if errors.Is(err, context.DeadlineExceeded) {
				t.Error("wraps context.DeadlineExceeded, which the caller would take for its own")
			}
			if took := time.Since(begin); took > patience {
				t.Errorf("took %v", took)
			}
		})
	}
}

// The caller's context ends everything at once, whatever is going on.
func TestCancel(t *testing.T) {
	srv := start(t)
	e := mustWrap(t, open(t, Options{}), keys.KMSEntry{ARN: srv.CreateKey(kmstest.Key{})})
	for _, tt := range []struct {
		name   string
		faults kmstest.Faults
		o      Options
		busy   int // requests before the end
	}{
		{"before", kmstest.Faults{}, Options{}, 0},
		{"hanging", kmstest.Faults{Hang: 1}, Options{AttemptTimeout: time.Hour, CallTimeout: time.Hour}, 1},
		{"between attempts", kmstest.Faults{Throttle: 1}, Options{CallTimeout: time.Hour, MaxAttempts: 1e6}, 4},
		{"waiting for its turn", kmstest.Faults{Throttle: 1}, Options{Rate: 1e-6, CallTimeout: 2e6 * time.Second}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			settled := noLeak(t)
			s := New(tt.o)
			srv.SetFaults(tt.faults)
			srv.ResetCounts()
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			if tt.busy == 0 {
				cancel()
			}
			go func() {
				_, err := s.Unwrap(ctx, e)
				done <- err
			}()
			eventually(t, "a request", func() bool { return srv.Count("Decrypt") >= tt.busy })
			cancel()
			err := ended(t, done)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled", err)
			}
			if call := mustFail(t, err); call.Permanent || call.Hint != "" {
				t.Errorf("Permanent %v, Hint %q", call.Permanent, call.Hint)
			}
			s.CloseIdleConnections()
			settled()
		})
	}
}

// The search for credentials ends too, long before it would give up.
func TestCancelWithoutCredentials(t *testing.T) {
	start(t)
	noKeys(t)
	url, connections, _ := silent(t)
	setenv(t, "AWS_CONTAINER_CREDENTIALS_FULL_URI="+url+"/x")
	quick(t, DefaultCredentialsTimeout/2, func() {
		s, before := open(t, Options{}), connections()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() {
			_, err := s.Wrap(ctx, keys.KMSEntry{ARN: "arn:aws:kms:eu-west-1:" + account + ":alias/x"}, dataKey)
			done <- err
		}()
		eventually(t, "a connection", func() bool { return connections() > before })
		cancel()
		if err := ended(t, done); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
}

// Where nobody listens, three attempts are enough to know.
func TestUnreachable(t *testing.T) {
	srv := start(t)
	e := mustWrap(t, open(t, Options{}), keys.KMSEntry{ARN: srv.CreateKey(kmstest.Key{})})
	for _, tt := range []struct{ name, url, want string }{
		{"refused", "http://127.0.0.1:1", "connection refused (3 attempts, region eu-west-1)"},
		{"unknown host", "http://kms.invalid", "lookup kms.invalid"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			setenv(t, "AWS_ENDPOINT_URL_KMS="+tt.url)
			_, err := open(t, Options{}).Unwrap(t.Context(), e)
			call := mustFail(t, err, tt.want, "check that Region eu-west-1 is right", "com.amazonaws.eu-west-1.kms", "NetworkPolicy")
			if call.Permanent {
				t.Error("permanent")
			}
		})
	}
}

// Answers that do not come from KMS, or not from the right key.
func TestStrangeAnswers(t *testing.T) {
	srv := start(t)
	key := srv.CreateKey(kmstest.Key{})
	e := mustWrap(t, open(t, Options{}), keys.KMSEntry{ARN: key})
	const second = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	for _, tt := range []struct {
		name      string
		status    int
		body      string
		want      string
		permanent bool
	}{
		{"proxy", 407, "<html>canary", "an answer of HTTP status 407 that is not KMS's", true},
		{"gateway", 502, "<html>canary", "an answer of HTTP status 502 that is not KMS's (2 attempts", false},
		{"not JSON", 200, "<html>canary", "an answer of HTTP status 200 that is not KMS's", true},
		{"redirect", 302, "", "an answer of HTTP status 302 that is not KMS's", true},
		{"odd code", 400, `{"__type":"Odd canary"}`, "an answer of HTTP status 400 that is not KMS's", true},
		{"unknown code", 400, `{"__type":"com.amazonaws.kms#OddException","message":"Odd.\nVery\u0000odd."}`, ": OddException: Odd. Very?odd (region", true},
		{"other key", 200, `{"KeyId":"` + second + `","Plaintext":"Y2FuYXJ5"}`, "the answer of KMS cannot be used: it is from another key", true},
		{"no key", 200, `{"Plaintext":"Y2FuYXJ5"}`, "it is from another key", true},
		{"no plaintext", 200, `{"KeyId":"` + key + `"}`, "it has 0 bytes of plaintext", true},
		{"long plaintext", 200, `{"KeyId":"` + key + `","Plaintext":"` + strings.Repeat("Y2Fu", 30) + `"}`, "it has 90 bytes of plaintext", true},
		{"endless", 200, `{"KeyId":"` + strings.Repeat("x", maxResponseBytes), "more than 65536 bytes", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			strange := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", srv.URL())
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			}))
			defer strange.Close()
			setenv(t, "AWS_ENDPOINT_URL_KMS="+strange.URL)
			_, err := open(t, Options{MaxAttempts: 2}).Unwrap(t.Context(), e)
			call := mustFail(t, err, tt.want)
			if call.Permanent != tt.permanent {
				t.Errorf("Permanent is %v", call.Permanent)
			}
			if strings.Contains(call.Error()+call.Hint, "canary") {
				t.Errorf("%q repeats the answer", call)
			}
		})
	}
}

// All Regions share the limit, and every attempt counts.
func TestRate(t *testing.T) {
	srv := start(t)
	s := open(t, Options{Rate: 20})
	var entries []keys.KMSEntry
	for _, region := range []string{"eu-west-1", "us-east-1"} {
		entries = append(entries, mustWrap(t, s, keys.KMSEntry{ARN: srv.CreateKey(kmstest.Key{Region: region})}))
	}
	srv.SetFaults(kmstest.Faults{Throttle: 0.5, Seed: 1})
	srv.ResetCounts()
	begin := time.Now()
	for _, err := range all(30, 30, func(i int) error {
		_, err := s.Unwrap(t.Context(), entries[i%2])
		return err
	}) {
		t.Error(err)
	}
	// 20 may go at once, the rest one by one.
	n, took := srv.Count("Decrypt"), time.Since(begin)
	if least := time.Duration(float64(n-20) / 20 * float64(time.Second)); n < 40 || took < least*9/10 {
		t.Errorf("%d requests in %v, which must take %v", n, took, least)
	}
}
