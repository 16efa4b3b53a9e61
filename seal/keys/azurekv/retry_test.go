// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
)

// Troubles of the server are got over.
func TestRetries(t *testing.T) {
	throttled := failing(429, "Throttled", "", "Request was not processed because too many requests were received.")
	for _, tt := range []struct {
		name    string
		faults  []fault
		timeout time.Duration // 0 is the default
	}{
		{"throttled", []fault{throttled, throttled}, 0},
		{"unavailable", []fault{failing(503, "ServiceUnavailable", "", "The service is unavailable.")}, 0},
		{"internal error", []fault{failing(500, "InternalServerError", "", "An internal error occurred.")}, 0},
		{"bad gateway without JSON", []fault{func(w http.ResponseWriter, _ *http.Request, _ []byte) { w.WriteHeader(502) }}, 0},
		{"connection reset", []fault{resetting, resetting}, 0},
		{"hang", []fault{hanging}, 6 * time.Second}, // two fifths are for one attempt
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAzure(t)
			s := newService(t, a, Options{Timeout: tt.timeout})
			e := wrap(t, s, documents(newVersion), patterned(32))
			before := a.count()
			a.inject(tt.faults...)
			got, err := s.Unwrap(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, patterned(32)) {
				t.Error("another secret came back")
			}
			// net/http itself repeats a request on a connection that was idle.
			if n := a.count() - before; n < len(tt.faults)+1 || n > len(tt.faults)+2 {
				t.Errorf("%d requests, want %d", n, len(tt.faults)+1)
			}
		})
	}
}

// Retries end, and what remains is not called permanent.
func TestRetriesAreBounded(t *testing.T) {
	for _, attempts := range []int{1, 3} {
		a := newAzure(t)
		s := newService(t, a, Options{Attempts: attempts})
		e := wrap(t, s, documents(newVersion), patterned(32))
		before := a.count()
		for range 10 {
			a.inject(failing(429, "Throttled", "", "Too many requests."))
		}
		_, err := s.Unwrap(t.Context(), e)
		call := callError(t, err)
		mustContain(t, call.Error(), "Throttled: Too many requests.")
		mustContain(t, call.Hint, "throttled")
		if call.Permanent {
			t.Error("is permanent")
		}
		if n := a.count() - before; n != attempts {
			t.Errorf("%d requests, want %d", n, attempts)
		}
	}
}

// A server that never answers costs the time of the call, no more.
func TestHangIsBounded(t *testing.T) {
	a := newAzure(t)
	s := newService(t, a, Options{Timeout: 2 * time.Second})
	for range 10 {
		a.inject(hanging)
	}
	within(t, 20*time.Second, func() {
		_, err := s.Wrap(t.Context(), documents(newVersion), patterned(32))
		call := callError(t, err)
		mustContain(t, call.Error(), "calling Key Vault: no answer within 2s")
		if call.Permanent || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("permanent is %v, error %v", call.Permanent, err)
		}
	})
}

// Who cancels gets away at once, with the error of the context.
func TestCancel(t *testing.T) {
	a := newAzure(t)
	s := newService(t, a, Options{Timeout: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	a.inject(func(_ http.ResponseWriter, r *http.Request, _ []byte) {
		cancel()
		<-r.Context().Done()
	})
	within(t, 30*time.Second, func() {
		_, err := s.Wrap(ctx, documents(newVersion), patterned(32))
		if call := callError(t, err); !errors.Is(err, context.Canceled) || call.Permanent {
			t.Errorf("got %v", err)
		}
	})
	before := a.count()
	if _, err := s.Wrap(ctx, documents(newVersion), patterned(32)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if a.count() != before {
		t.Error("a call was made with a context that had ended")
	}
}

// The reasons for which a vault cannot be reached are told apart.
func TestUnreachable(t *testing.T) {
	for _, tt := range []struct {
		name      string
		vault     string
		dial      error
		want      string
		hint      string
		permanent bool
	}{
		{"refused", testVault, errors.New("connection refused"), testHost + ": connection refused", "", false},
		{"no such host", testVault, &net.DNSError{Err: "no such host", Name: testHost, IsNotFound: true}, "no such host", "check the vault URL", false},
		{"certificate of another", "https://signet.other.example.net", nil, "certificate", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAzure(t)
			s := newService(t, a, Options{Attempts: 2})
			if tt.dial != nil {
				s.client.Transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, tt.dial }
			}
			_, err := s.Wrap(t.Context(), keys.AzureKVEntry{VaultURL: tt.vault, Name: "documents"}, patterned(32))
			call := callError(t, err)
			mustContain(t, call.Error(), tt.want)
			mustContain(t, call.Hint, tt.hint)
			if call.Permanent != tt.permanent {
				t.Errorf("permanent is %v: %v", call.Permanent, err)
			}
		})
	}
}

// Endless answers are not read.
func TestLongAnswer(t *testing.T) {
	a := newAzure(t)
	s := newService(t, a, Options{})
	a.inject(func(w http.ResponseWriter, r *http.Request, _ []byte) {
		chunk := bytes.Repeat([]byte(" "), 1<<16)
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	_, err := s.Wrap(t.Context(), documents(newVersion), patterned(32))
	mustContain(t, callError(t, err).Error(), "has more than")
}
