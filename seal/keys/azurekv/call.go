// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/flight"
)

// do makes one call of Key Vault. A call may only wait for another one's token
// with a lock, so it is left behind when ctx ends; its own time is bounded too.
// A panic of the SDK is an error. hide is what the server was sent and must not
// show when it is repeated.
func do[T any](ctx context.Context, s *Service, k key, hide []byte, call func(context.Context, *azkeys.Client) (T, error)) (T, error) {
	var none T
	if ctx.Err() != nil {
		return none, context.Cause(ctx)
	}
	client, err := s.clientFor(k)
	if err != nil {
		return none, &permanentError{errors.New(keys.ForeignText(err.Error()))}
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		v, err := flight.Safely(func() (T, error) { return call(ctx, client) })
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return none, s.cause(ctx, k, hide, r.err)
		}
		return r.value, nil
	case <-ctx.Done():
		return none, s.ended(ctx)
	}
}

// ended is why ctx ended, and what took the time if it was for that.
func (s *Service) ended(ctx context.Context) error {
	err := context.Cause(ctx)
	if e := new(timeoutError); errors.As(err, &e) && s.credential.flights.Trouble() {
		return &timeoutError{after: e.after, doing: doingLookup}
	}
	return err
}

// cause makes an error of this package of one of the SDK, which may hold the
// request with its token.
func (s *Service) cause(ctx context.Context, k key, hide []byte, err error) error {
	if ctx.Err() != nil {
		return s.ended(ctx)
	}
	if known := ownError(err); known != nil {
		return known
	}
	if answer := new(azcore.ResponseError); errors.As(err, &answer) && answer.RawResponse != nil {
		if answer.StatusCode == http.StatusUnauthorized {
			s.credential.forget()
		}
		return newAnswerError(k, answer, hide, tokenOf(answer.RawResponse.Request))
	}
	return errors.New(keys.ForeignText(err.Error(), hide))
}

// ownError returns the error of this package in err, nil if there is none.
func ownError(err error) error {
	for ; err != nil; err = errors.Unwrap(err) {
		switch err.(type) {
		case *noCredentialsError, *credentialsError, *challengeError, *permanentError, *hostError, *timeoutError:
			return err
		}
	}
	return nil
}

// tokenOf returns the token of a request, nil if there is none.
func tokenOf(req *http.Request) []byte {
	if req == nil {
		return nil
	}
	return []byte(strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer "))
}

// withTimeout bounds one Wrap or Unwrap.
func (s *Service) withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, s.o.Timeout, &timeoutError{after: s.o.Timeout, doing: doingCall})
}
