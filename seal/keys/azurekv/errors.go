// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/signet-secrets/signet/seal/keys"
)

// failure makes the errors of one call.
type failure struct {
	operation keys.Operation
	entry     keys.AzureKVEntry
	lookup    bool // while the newest version was looked up
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
	case *noCredentialsError, *permanentError, *challengeError, *disabledError:
		return true
	case *credentialsError:
		return e.permanent
	case *answerError:
		return !e.temporary()
	}
	return false
}

// answerError is an answer other than 200 OK. Its texts are filtered.
type answerError struct {
	code    int    // of HTTP
	status  string // Forbidden, or ""
	inner   string // ForbiddenByRbac, or ""
	message string // or ""
	request string // id by which Azure finds the request, or ""
	caller  string // object id of who asked, as far as the message tells, or ""
	tenant  string // of the vault, or ""
}

// newAnswerError reads the JSON of an error of Key Vault. Of anything else, such
// as the page of a proxy, nothing is shown but the code.
func newAnswerError(k key, answer *azcore.ResponseError, known ...[]byte) *answerError {
	resp := answer.RawResponse
	e := &answerError{code: answer.StatusCode, request: id(resp.Header.Get("x-ms-request-id"))}
	if h := resp.Header; k.checkChallenge(h) == nil && h.Get("WWW-Authenticate") != "" {
		if p, err := parseChallenge(h.Values("WWW-Authenticate")); err == nil {
			e.tenant, _ = tenantOf(p["authorization"])
		}
	}
	type status struct {
		Code string `json:"code"`
	}
	var body struct {
		Error struct {
			status
			Message string `json:"message"`
			Inner   status `json:"innererror"`
		} `json:"error"`
	}
	data, err := runtime.Payload(resp)
	if err != nil || json.Unmarshal(data, &body) != nil {
		return e
	}
	e.status, e.inner = word(body.Error.Code), word(body.Error.Inner.Code)
	e.message = keys.ForeignText(body.Error.Message, known...)
	if _, rest, found := strings.Cut(e.message, ";oid="); found {
		object, _, _ := strings.Cut(rest, ";")
		e.caller = id(object)
	}
	return e
}

// Error is "Forbidden (ForbiddenByRbac): Caller is not authorized ... (request ...)".
func (e *answerError) Error() string {
	what := e.status
	if what == "" {
		what = strings.TrimSpace("HTTP " + strconv.Itoa(e.code) + " " + http.StatusText(e.code))
	}
	if e.inner != "" {
		what += " (" + e.inner + ")"
	}
	if e.message != "" {
		what += ": " + e.message
	}
	if e.request != "" {
		what += " (request " + e.request + ")"
	}
	return what
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

// permanentError is an error that another call would meet again.
type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// NonRetriable keeps the SDK from another attempt.
func (e *permanentError) NonRetriable() {}

// hostError says that there is no host of that name.
type hostError struct{ err error }

func (e *hostError) Error() string { return e.err.Error() }
func (e *hostError) Unwrap() error { return e.err }

// NonRetriable keeps the SDK from another attempt.
func (e *hostError) NonRetriable() {}

// challengeError says that a server asked for a token that is none of its
// business. No token was sent.
type challengeError struct {
	host string
	err  error
}

func (e *challengeError) Error() string {
	return "the challenge of " + e.host + " was not answered: " + e.err.Error()
}
func (e *challengeError) Unwrap() error { return e.err }

// NonRetriable keeps the SDK from another attempt.
func (e *challengeError) NonRetriable() {}

// disabledError says that the newest version of a key is disabled.
type disabledError struct{ version string }

func (e *disabledError) Error() string { return "its newest version is disabled: " + e.version }

// What takes too long.
const (
	doingCall   = "calling Key Vault"
	doingLookup = "looking for credentials"
)

// timeoutError says that the time of a call, or of one attempt, is over.
type timeoutError struct {
	after time.Duration
	doing string
}

func (e *timeoutError) Error() string {
	return fmt.Sprintf("%s: no answer within %v", e.doing, e.after)
}

// Unwrap returns context.DeadlineExceeded.
func (e *timeoutError) Unwrap() error { return context.DeadlineExceeded }

// credentialsError is credentials that are there but of no use. err is filtered.
type credentialsError struct {
	err       error
	tenant    string // of the vault, or ""
	permanent bool
}

func (e *credentialsError) Error() string { return "credentials: " + e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }

// NonRetriable keeps the SDK from another attempt: there were some already.
func (e *credentialsError) NonRetriable() {}

// noCredentialsError says that there are none. It wraps keys.ErrNoIdentity.
type noCredentialsError struct {
	tried string // filtered
}

func (e *noCredentialsError) Error() string { return "no credentials of Azure; tried " + e.tried }

// Unwrap returns keys.ErrNoIdentity.
func (e *noCredentialsError) Unwrap() error { return keys.ErrNoIdentity }

// NonRetriable keeps the SDK from another attempt.
func (e *noCredentialsError) NonRetriable() {}
