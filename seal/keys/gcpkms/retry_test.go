// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
)

// Troubles of the server are got over.
func TestRetries(t *testing.T) {
	throttled := failing(429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", "Quota exceeded for quota metric 'Cryptographic requests'.")
	for _, tt := range []struct {
		name    string
		faults  []fault
		timeout time.Duration // 0 is the default
	}{
		{"throttled", []fault{throttled, throttled}, 0},
		{"unavailable", []fault{failing(503, "UNAVAILABLE", "", "The service is currently unavailable.")}, 0},
		{"internal error", []fault{failing(500, "INTERNAL", "", "Internal error encountered.")}, 0},
		{"bad gateway without JSON", []fault{func(w http.ResponseWriter, _ *http.Request, _ []byte) { w.WriteHeader(502) }}, 0},
		{"connection reset", []fault{resetting, resetting}, 0},
		{"hang", []fault{hanging}, 6 * time.Second}, // two fifths are for one attempt
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := newServer(t)
			s := newService(t, server, Options{Timeout: tt.timeout})
			e := wrap(t, s, testKey, patterned(32))
			before := server.count()
			server.inject(tt.faults...)
			got, err := s.Unwrap(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, patterned(32)) {
				t.Error("another secret came back")
			}
			// net/http itself repeats a request on a connection that was idle.
			if n := server.count() - before; n < len(tt.faults)+1 || n > len(tt.faults)+2 {
				t.Errorf("%d requests, want %d", n, len(tt.faults)+1)
			}
		})
	}
}

// Retries end, and what remains is not called permanent.
func TestRetriesAreBounded(t *testing.T) {
	server := newServer(t)
	s := newService(t, server, Options{Attempts: 3})
	for range 10 {
		server.inject(failing(429, "RESOURCE_EXHAUSTED", "", "Quota exceeded."))
	}
	_, err := s.Wrap(t.Context(), keys.GCPKMSEntry{ResourceID: testKey}, patterned(32))
	call := callError(t, err)
	mustContain(t, call.Error(), "RESOURCE_EXHAUSTED: Quota exceeded.")
	mustContain(t, call.Hint, "quota", "demo-1")
	if call.Permanent {
		t.Error("is permanent")
	}
	if n := server.count(); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
}

func TestRetryAfterIsHonouredAndCapped(t *testing.T) {
	for _, tt := range []struct {
		header string
		want   time.Duration
	}{{"2", 2 * time.Second}, {"3600", maxBackoff}, {"86400", maxBackoff}, {"99999999999999999999", 0}, {"soon", 0}, {"-1", 0}, {"", 0}} {
		e := newAnswerError(&http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {tt.header}}}, nil, nil)
		if got := waitOf(e); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.header, got, tt.want)
		}
	}
}

// A server that never answers costs the time of the call, no more.
func TestHangIsBounded(t *testing.T) {
	server := newServer(t)
	s := newService(t, server, Options{Timeout: 2 * time.Second})
	for range 10 {
		server.inject(hanging)
	}
	within(t, 20*time.Second, func() {
		_, err := s.Wrap(t.Context(), keys.GCPKMSEntry{ResourceID: testKey}, patterned(32))
		call := callError(t, err)
		mustContain(t, call.Error(), "calling Cloud KMS: no answer within 2s")
		if call.Permanent || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("permanent is %v, error %v", call.Permanent, err)
		}
	})
}

// Who cancels gets away at once, with the error of the context.
func TestCancel(t *testing.T) {
	server := newServer(t)
	s := newService(t, server, Options{Timeout: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	server.inject(func(_ http.ResponseWriter, r *http.Request, _ []byte) {
		cancel()
		<-r.Context().Done()
	})
	within(t, 30*time.Second, func() {
		_, err := s.Wrap(ctx, keys.GCPKMSEntry{ResourceID: testKey}, patterned(32))
		if call := callError(t, err); !errors.Is(err, context.Canceled) || call.Permanent {
			t.Errorf("got %v", err)
		}
	})
	before := server.count()
	if _, err := s.Wrap(ctx, keys.GCPKMSEntry{ResourceID: testKey}, patterned(32)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if server.count() != before {
		t.Error("a call was made with a context that had ended")
	}
}

// A server that is not there is told from one that does not answer.
func TestUnreachable(t *testing.T) {
	server := newServer(t)
	s := newService(t, server, Options{Attempts: 2})
	server.Close()
	_, err := s.Wrap(t.Context(), keys.GCPKMSEntry{ResourceID: testKey}, patterned(32))
	call := callError(t, err)
	mustContain(t, call.Error(), "documents: 127.0.0.1:", "connection refused")
	if call.Permanent {
		t.Error("is permanent")
	}
}

// Endless answers are not read.
func TestLongAnswer(t *testing.T) {
	server := newServer(t)
	s := newService(t, server, Options{})
	endless := func(w http.ResponseWriter, r *http.Request, _ []byte) {
		chunk := bytes.Repeat([]byte(" "), 1<<16)
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	server.inject(endless)
	_, err := s.Wrap(t.Context(), keys.GCPKMSEntry{ResourceID: testKey}, patterned(32))
	mustContain(t, callError(t, err).Error(), "has more than")
}
