// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"errors"
	"fmt"
	"slices"
)

// Operation says what a key service was asked for. Its text reads on with the
// name of a key.
type Operation string

// What a key service is asked for.
const (
	Wrapping   Operation = "wrap for"
	Unwrapping Operation = "unwrap with"
)

// CallError is a key service that did not do what it was asked for. Providers
// return it for everything that happens from looking for credentials to reading
// the answer.
type CallError struct {
	Operation Operation
	Entry     Entry // whose key was used; its Wrapped plays no part
	// Err is the cause. It holds what identifies the call for whoever has to
	// look it up (Region, caller, request id) and no secret; what other
	// libraries say has passed ForeignText.
	Err error
	// Permanent says that the same call will fail again until somebody
	// changes a permission, a key, the credentials or the document.
	Permanent bool
	// Hint is the exact next step: a permission to add, a command to run. It
	// is "" when nobody can tell.
	Hint string
}

// Error names the key: "unwrap with kms arn:aws:kms:...: AccessDeniedException: ...".
func (e *CallError) Error() string {
	return fmt.Sprintf("%s %s %s: %v", e.Operation, e.Entry.Type(), shortID(e.Entry), e.Err)
}

// Unwrap returns the cause.
func (e *CallError) Unwrap() error { return e.Err }

var _ error = (*CallError)(nil)

// Refused reports whether err is, or wraps, one of a key service that knows who
// asks and does not permit it: a permission helps, nothing else. Providers say so
// with a method Refused() bool of the cause in a *CallError.
func Refused(err error) bool {
	switch e := err.(type) {
	case nil:
		return false
	case interface{ Refused() bool }:
		return e.Refused()
	case interface{ Unwrap() error }:
		return Refused(e.Unwrap())
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(e.Unwrap(), Refused)
	}
	return false
}

// Foreign reports whether err is, or wraps, one of a key service that says that
// what it was to unwrap was not wrapped with this key and encryption context:
// only another document helps. Providers say so with a method Foreign() bool of
// the cause in a *CallError.
func Foreign(err error) bool {
	f := interface{ Foreign() bool }(nil)
	return errors.As(err, &f) && f.Foreign()
}

// Permanent reports whether trying again what failed with err is in vain for
// the time being. Where err has several causes, as a *NoKeyError has, it is if
// it is for all of them.
func Permanent(err error) bool {
	switch e := err.(type) {
	case *CallError:
		return e.Permanent
	case *NotAllowedError, *UnsupportedError:
		return true
	case interface{ Unwrap() error }:
		return Permanent(e.Unwrap())
	case interface{ Unwrap() []error }:
		causes := e.Unwrap()
		return len(causes) > 0 && !slices.ContainsFunc(causes, func(cause error) bool { return !Permanent(cause) })
	}
	return false
}
