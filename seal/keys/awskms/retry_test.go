// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func TestRetryable(t *testing.T) {
	sent := func(err error) error { return &smithyhttp.RequestSendError{Err: err} }
	for _, tt := range []struct {
		name string
		err  error
		want bool
	}{
		{"throttling", &smithy.GenericAPIError{Code: "ThrottlingException"}, true},
		{"timeout of an attempt", sent(&attemptTimeoutError{1}), true},
		{"reset", sent(&net.OpError{Op: "read", Err: syscall.ECONNRESET}), true},
		{"refused", sent(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), true},
		{"unknown host", sent(&net.DNSError{IsNotFound: true}), false},
		{"permanent", sent(&permanentError{errCanary}), false},
		{"no credentials", fmt.Errorf("get identity: %w", &failure{}), false},
		{"no credentials, of a role", sent(fmt.Errorf("assume: %w", &failure{})), false},
		{"denied", &smithy.GenericAPIError{Code: "AccessDeniedException"}, false},
		{"not found", &smithy.GenericAPIError{Code: "NotFoundException"}, false},
		{"disabled", &smithy.GenericAPIError{Code: "DisabledException"}, false},
		{"ciphertext", &smithy.GenericAPIError{Code: "InvalidCiphertextException"}, false},
		{"key", &smithy.GenericAPIError{Code: "IncorrectKeyException"}, false},
		{"state", &smithy.GenericAPIError{Code: "KMSInvalidStateException"}, false},
		{"expired", &smithy.GenericAPIError{Code: "ExpiredTokenException"}, false},
		{"cancelled", &smithy.CanceledError{Err: context.Canceled}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := attempts{Standard: retryer(3)}
			if got := a.IsErrorRetryable(tt.err); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	a := attempts{Standard: retryer(100)}
	refused := sent(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})
	for i, want := range []bool{true, true, false} {
		if got := a.IsErrorRetryable(refused); got != want {
			t.Errorf("refusal %d: got %v, want %v", i, got, want)
		}
	}
	if a.failed != 3 || !errors.Is(a.last, syscall.ECONNREFUSED) {
		t.Errorf("remembers %d failures, %v", a.failed, a.last)
	}
}

// Waiting grows, is never long, and is spread over all of its range.
func TestBackoff(t *testing.T) {
	for _, attempt := range []int{1, 2, 5, 20, 1 << 40} {
		most, longest := min(firstBackoff<<min(attempt-1, 10), maxBackoff), firstBackoff
		shortest := maxBackoff
		for range 1000 {
			d, err := backoff(attempt, nil)
			if err != nil || d < 0 || d >= most {
				t.Fatalf("attempt %d: %v, %v; want less than %v", attempt, d, err, most)
			}
			longest, shortest = max(longest, d), min(shortest, d)
		}
		if shortest > most/10 || longest < most*9/10 && attempt > 1 {
			t.Errorf("attempt %d: %v to %v, want 0 to %v", attempt, shortest, longest, most)
		}
	}
}
