// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
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
	entry     keys.VaultEntry
	own       string // Options.Address
}

// permanently is for what is wrong with an entry before anything is called.
func (f failure) permanently(err error) error {
	return &keys.CallError{Operation: f.operation, Entry: f.entry, Err: err, Permanent: true}
}

// because is for everything else.
func (f failure) because(err error) error {
	return &keys.CallError{Operation: f.operation, Entry: f.entry, Err: err, Permanent: permanent(err), Hint: f.hint(err)}
}

func permanent(err error) bool {
	switch e := err.(type) {
	case *settingError, *permanentError, *notTransitError:
		return true
	case *answerError:
		return !e.temporary()
	}
	return errors.Is(err, errAllowlist)
}

// retryable reports whether another attempt may help at once. Who has found no
// server, or one that cannot prove who it is, will find the same again.
func retryable(err error) bool {
	if e := new(answerError); errors.As(err, &e) {
		return e.temporary()
	}
	return !permanent(err) && !errors.As(err, new(*unreachableError))
}

// settingError is a variable or file that cannot be used. It holds none of its
// content.
type settingError struct {
	place string
	err   error
}

func (e *settingError) Error() string { return e.place + ": " + e.err.Error() }
func (e *settingError) Unwrap() error { return e.err }

// permanentError is an error that another call would meet again.
type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// unreachableError is a server that there is no connection to.
type unreachableError struct{ err error }

func (e *unreachableError) Error() string { return e.err.Error() }
func (e *unreachableError) Unwrap() error { return e.err }

// notTransitError is a success that is not that of a Transit engine.
type notTransitError struct{}

func (e *notTransitError) Error() string { return "the answer is none of a Transit engine" }

// timeoutError says that the time of a call is over.
type timeoutError struct {
	after time.Duration
	last  error // why the last attempt failed, nil if it did not come to that
}

func (e *timeoutError) Error() string {
	text := fmt.Sprintf("no answer within %v", e.after)
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
		return &timeoutError{after: e.after, last: last}
	}
	return cause
}

// requestError is a request without an answer.
func requestError(ctx context.Context, host string, err error, hide [][]byte) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if e := new(url.Error); errors.As(err, &e) {
		err = e.Err // without the URL
	}
	text := fmt.Errorf("%s: %w", host, foreignError{err, hide})
	dial := new(net.OpError)
	switch {
	case errors.As(err, new(*tls.CertificateVerificationError)), errors.Is(err, http.ErrSchemeMismatch):
		return &permanentError{text}
	case errors.As(err, &dial) && (dial.Op == "dial" || dial.Op == "proxyconnect"):
		return &unreachableError{text}
	}
	return text
}

// foreignError has the filtered text of an error, and its identity.
type foreignError struct {
	err  error
	hide [][]byte
}

func (e foreignError) Error() string { return keys.ForeignText(e.err.Error(), e.hide...) }
func (e foreignError) Unwrap() error { return e.err }

// wantsTLS is what a server in Go answers where it does not speak TLS (net/http: server.go).
const wantsTLS = "Client sent an HTTP request to an HTTPS server."

// answerError is an answer other than a success. Its texts are filtered.
type answerError struct {
	code       int           // of HTTP
	messages   []string      // of Vault
	location   string        // of a redirect: scheme and host, or ""
	token      token         // which the request had, without its text
	noToken    bool          // the request had none
	retryAfter time.Duration // or 0
}

// newAnswerError reads the JSON of an error, {"errors": ["..."]}. Of anything
// else, such as the page of a proxy, nothing is shown but the code.
func newAnswerError(resp *http.Response, data []byte, t token, hide [][]byte) *answerError {
	e := &answerError{code: resp.StatusCode, noToken: t.text == "", token: token{place: t.place}}
	e.retryAfter = rest.RetryAfter(resp.Header)
	if u, err := resp.Location(); err == nil && u.Host != "" {
		e.location = keys.ForeignText(u.Scheme+"://"+u.Host, hide...)
	}
	if string(bytes.TrimSpace(data)) == wantsTLS {
		e.messages = []string{wantsTLS}
	}
	var body struct {
		Errors []string `json:"errors"`
	}
	if json.Unmarshal(data, &body) != nil {
		return e
	}
	for _, text := range body.Errors {
		for _, message := range splitMessages(text) {
			e.messages = append(e.messages, keys.ForeignText(message, hide...))
		}
	}
	return e
}

// splitMessages takes apart what Vault's servers put together
// (hashicorp/go-multierror: format.go, ListFormatFunc):
//
//	2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n
func splitMessages(text string) []string {
	head, list, found := strings.Cut(text, ":\n\t* ")
	if !found || !strings.HasSuffix(head, " error occurred") && !strings.HasSuffix(head, " errors occurred") {
		return []string{text}
	}
	return strings.Split(strings.TrimSpace(list), "\n\t* ")
}

// Error is "403 Forbidden: permission denied".
func (e *answerError) Error() string {
	text := strings.TrimSpace(strconv.Itoa(e.code) + " " + http.StatusText(e.code))
	if len(e.messages) > 0 {
		text += ": " + keys.ForeignText(strings.Join(e.messages, "; "))
	}
	if e.location != "" {
		text += ": redirects to " + e.location
	}
	if e.noToken && e.denied() {
		text += " (there is no token: looked in " + e.token.place + ")"
	}
	return text
}

// Unwrap returns keys.ErrNoIdentity or nil.
func (e *answerError) Unwrap() error {
	if e.noToken && e.denied() {
		return keys.ErrNoIdentity
	}
	return nil
}

// denied reports whether the token was of no use. Without one the answer is
// 403, or 400 in older versions.
func (e *answerError) denied() bool {
	return e.code == http.StatusForbidden || e.says("missing client token")
}

// says reports whether one of the messages holds text.
func (e *answerError) says(text string) bool {
	for _, m := range e.messages {
		if strings.Contains(m, text) {
			return true
		}
	}
	return false
}

// Refused is for keys.Refused.
func (e *answerError) Refused() bool {
	return e.code == http.StatusForbidden || e.code == http.StatusUnauthorized
}

// temporary reports whether it is the server's trouble, or too many requests.
// 412 is a standby server that is behind.
func (e *answerError) temporary() bool {
	return e.code >= 500 && e.code != http.StatusNotImplemented ||
		e.code == http.StatusTooManyRequests || e.code == http.StatusPreconditionFailed
}
