// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/chars"
)

// failure is the cause in a keys.CallError. Its text is put together from what
// is known to be harmless: the errors of the SDK are not wrapped, because some
// of them repeat the output of credential commands or lines of configuration.
type failure struct {
	text      string
	permanent bool
	hint      string
	// final says that another replica of the key cannot do better.
	final bool
	// refused says that a permission is missing, and foreign that what is
	// wrapped belongs to another key or context.
	refused, foreign bool
}

func (f *failure) Error() string { return f.text }

// Refused is for keys.Refused.
func (f *failure) Refused() bool { return f.refused }

// Foreign is for keys.Foreign.
func (f *failure) Foreign() bool { return f.foreign }

// RetryableError keeps the SDK from asking again for credentials that could
// not be had: credentials.Retrieve has tried and may have waited.
func (f *failure) RetryableError() bool { return false }

// callError is what a Service returns for err, a *failure or that of a context.
func callError(op keys.Operation, e keys.KMSEntry, err error) error {
	call := &keys.CallError{Operation: op, Entry: e, Err: err}
	if f := new(failure); errors.As(err, &f) {
		call.Permanent, call.Hint = f.permanent, f.hint
	}
	return call
}

// both is the failure of a key and its replica.
func both(own, replica error, region string) error {
	f, r := new(failure), new(failure)
	if !errors.As(own, &f) || !errors.As(replica, &r) {
		return own
	}
	return &failure{
		text:      fmt.Sprintf("%s; with its replica in %s: %s", f.text, region, r.text),
		permanent: f.permanent && r.permanent,
		refused:   f.refused || r.refused,
		foreign:   f.foreign || r.foreign,
		hint:      f.hint,
	}
}

// apiError returns the error code and the message, which is foreign, that a
// service answered with; "" if err is no such thing.
func apiError(err error) (code, message string) {
	api := smithy.APIError(nil)
	if !errors.As(err, &api) {
		return "", ""
	}
	code = api.ErrorCode()
	code = code[strings.LastIndex(code, "#")+1:] // after the name space
	if len(code) > 100 || !chars.Only(code, chars.AlphaNum+".:_-") || code == codeUnknown {
		return "", ""
	}
	return code, api.ErrorMessage()
}

// connectionText describes an error between us and a server, "" if err is none.
func connectionText(err error) string {
	timeout, op, dns, to := new(attemptTimeoutError), new(net.OpError), new(net.DNSError), new(url.Error)
	switch {
	case errors.As(err, &timeout):
		return timeout.Error()
	case errors.As(err, &dns):
		return keys.ForeignText(dns.Error())
	case errors.As(err, &op):
		return keys.ForeignText(op.Error())
	case errors.As(err, &to) && to.Timeout():
		return "no answer in time"
	case errors.As(err, &to):
		return keys.ForeignText(to.Err.Error())
	}
	return ""
}

// fileText describes an error of the file system, "" if err is none.
func fileText(err error) string {
	if path := new(fs.PathError); errors.As(err, &path) {
		return keys.ForeignText(path.Error())
	}
	return ""
}

// shellWord returns s as one word of a shell, for commands in hints.
func shellWord(s string) string {
	if s != "" && chars.Only(s, chars.AlphaNum+"_+=,.@:/-") {
		return s
	}
	return "'" + strings.ReplaceAll(keys.ForeignText(s), "'", `'\''`) + "'"
}
