// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/rest"
)

// failure makes the errors of one call.
type failure struct {
	operation keys.Operation
	entry     keys.GCPKMSEntry
}

// permanently is for what is wrong with an entry before anything is called.
func (f failure) permanently(err error) error {
	return &keys.CallError{Operation: f.operation, Entry: f.entry, Err: err, Permanent: true}
}

// because is for everything else. g is nil when it did not come to a request.
func (f failure) because(g *grant, err error) error {
	call := &keys.CallError{Operation: f.operation, Entry: f.entry, Err: err, Permanent: permanent(err), Hint: f.hint(g, err)}
	if answer := new(answerError); g != nil && errors.As(err, &answer) {
		call.Err = fmt.Errorf("%w (caller: %s)", err, g.caller)
	}
	return call
}

func permanent(err error) bool {
	switch e := err.(type) {
	case *noCredentialsError, *permanentError:
		return true
	case *credentialsError:
		return e.permanent
	case *answerError:
		return !e.temporary()
	}
	return false
}

// retryable reports whether another attempt may help. Without an answer it may.
func retryable(err error) bool {
	if e := new(answerError); errors.As(err, &e) {
		return e.temporary()
	}
	return !errors.As(err, new(*permanentError))
}

// answerError is an answer other than 200 OK. Its texts are filtered.
type answerError struct {
	code       int           // of HTTP
	status     string        // google.rpc.Code: PERMISSION_DENIED, or ""
	reason     string        // google.rpc.ErrorInfo: SERVICE_DISABLED, or ""
	message    string        // or ""
	retryAfter time.Duration // or 0
}

// newAnswerError reads the JSON of an error (google.rpc.Status). Of anything
// else, such as the page of a proxy, nothing is shown but the code.
func newAnswerError(resp *http.Response, data []byte, known [][]byte) *answerError {
	e := &answerError{code: resp.StatusCode, retryAfter: rest.RetryAfter(resp.Header)}
	var body struct {
		Error struct {
			Message string `json:"message"`
			Status  string `json:"status"`
			Details []struct {
				Reason string `json:"reason"`
			} `json:"details"`
		} `json:"error"`
	}
	if json.Unmarshal(data, &body) != nil {
		return e
	}
	e.status = word(body.Error.Status)
	e.message = keys.ForeignText(body.Error.Message, known...)
	for _, d := range body.Error.Details {
		if e.reason == "" {
			e.reason = word(d.Reason)
		}
	}
	return e
}

// Error is "PERMISSION_DENIED: Permission '...' denied on resource '...'".
func (e *answerError) Error() string {
	what := e.status
	if what == "" {
		what = strings.TrimSpace("HTTP " + strconv.Itoa(e.code) + " " + http.StatusText(e.code))
	}
	if e.message == "" {
		return what
	}
	return what + ": " + e.message
}

// Refused is for keys.Refused.
func (e *answerError) Refused() bool {
	return e.code == http.StatusForbidden || e.code == http.StatusUnauthorized
}

// temporary reports whether it is the server's trouble, or too many requests.
func (e *answerError) temporary() bool {
	return e.code >= 500 && e.code != http.StatusNotImplemented ||
		e.code == http.StatusTooManyRequests || e.code == http.StatusRequestTimeout
}

// requestError is a request without an answer. ctx is that of the attempt.
func requestError(ctx context.Context, host string, err error, known [][]byte) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if e := new(url.Error); errors.As(err, &e) {
		err = e.Err // without the URL
	}
	text := errors.New(host + ": " + keys.ForeignText(err.Error(), known...))
	if errors.As(err, new(*tls.CertificateVerificationError)) {
		return &permanentError{text}
	}
	return text
}

// permanentError is an error that another call would meet again.
type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// What takes too long.
const (
	doingCall   = "calling Cloud KMS"
	doingLookup = "looking for credentials"
)

// timeoutError says that the time of a call, or of one attempt, is over.
type timeoutError struct {
	after time.Duration
	doing string
	last  error // why the last attempt failed, nil if it did not come to that
}

func (e *timeoutError) Error() string {
	text := fmt.Sprintf("%s: no answer within %v", e.doing, e.after)
	if e.last != nil {
		text += "; before that: " + e.last.Error()
	}
	return text
}

// Unwrap returns context.DeadlineExceeded.
func (e *timeoutError) Unwrap() error { return context.DeadlineExceeded }

// withLast adds the failure of the last attempt to a timeout of the Service.
func withLast(cause, last error) error {
	if e := new(timeoutError); errors.As(cause, &e) {
		return &timeoutError{after: e.after, doing: e.doing, last: last}
	}
	return cause
}

// whileLooking says what was done when the time of a call was over.
func whileLooking(err error) error {
	if e := new(timeoutError); errors.As(err, &e) {
		return &timeoutError{after: e.after, doing: doingLookup}
	}
	return err
}

// causeOf replaces an error that the end of ctx brought about.
func causeOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// credentialsError is credentials that are there but of no use. err is filtered.
type credentialsError struct {
	place     string
	err       error
	permanent bool
}

func (e *credentialsError) Error() string { return "credentials: " + e.place + ": " + e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }

// noCredentialsError says that there are none. It wraps keys.ErrNoIdentity.
type noCredentialsError struct{}

func (e *noCredentialsError) Error() string {
	return "no credentials of Google Cloud; looked in " + envCredentials + ", " + envToken + ", " + envApplication +
		" (not set), " + gcloudCredentials + " (not there), " + metadataServer + " (not there)"
}

// Unwrap returns keys.ErrNoIdentity.
func (e *noCredentialsError) Unwrap() error { return keys.ErrNoIdentity }
