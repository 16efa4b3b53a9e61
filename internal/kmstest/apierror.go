// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"fmt"
	"net/http"
	"strings"
)

// Error codes of KMS. Clients see them as `__type` in the body; AWS's JSON
// protocols need no x-amzn-ErrorType header, and KMS sends none.
const (
	codeAccessDenied      = "AccessDeniedException"
	codeAlreadyExists     = "AlreadyExistsException"
	codeDependencyTimeout = "DependencyTimeoutException"
	codeDisabled          = "DisabledException"
	codeDryRun            = "DryRunOperationException"
	codeIncorrectKey      = "IncorrectKeyException"
	codeInternal          = "KMSInternalException"
	codeInvalidArn        = "InvalidArnException"
	codeInvalidCiphertext = "InvalidCiphertextException"
	codeInvalidKeyUsage   = "InvalidKeyUsageException"
	codeInvalidState      = "KMSInvalidStateException"
	codeKeyUnavailable    = "KeyUnavailableException"
	codeNotFound          = "NotFoundException"
	codeSerialization     = "SerializationException"
	codeThrottling        = "ThrottlingException"
	codeTooLarge          = "RequestEntityTooLargeException"
	codeUnknownOperation  = "UnknownOperationException"
	codeUnsupported       = "UnsupportedOperationException"
	codeValidation        = "ValidationException"

	// Of the layer that authenticates; STS has other names, see stsCode.
	codeExpiredToken       = "ExpiredTokenException"
	codeIncompleteSig      = "IncompleteSignatureException"
	codeInvalidSignature   = "InvalidSignatureException"
	codeMissingAuth        = "MissingAuthenticationTokenException"
	codeUnrecognizedClient = "UnrecognizedClientException"
)

// apiError is an answer other than success, as a client sees it.
type apiError struct {
	code    string
	message string // "" leaves the member out of the body, as KMS does
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func failf(code, format string, args ...any) error {
	return &apiError{code: code, message: fmt.Sprintf(format, args...)}
}

// statusOf returns the HTTP status that goes with a code. KMS answers 400 to
// whatever is the client's fault: the 409 and 412 in its service model are not
// what it sends (recorded for DisabledException and KMSInvalidStateException).
func statusOf(code string) int {
	switch code {
	case codeInternal, codeKeyUnavailable:
		return http.StatusInternalServerError
	case codeDependencyTimeout:
		return http.StatusServiceUnavailable
	case codeTooLarge:
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

// invalid collects what is wrong with the members of a request, in AWS's
// words.
type invalid []string

// member notes that a member breaks a constraint. Its value is shown as given:
// " null", " 'x'", or "" where AWS hides it.
func (v *invalid) member(value, name, constraint string) {
	*v = append(*v, fmt.Sprintf("Value%s at '%s' failed to satisfy constraint: Member must %s", value, name, constraint))
}

// blob checks the length of a member of bytes.
func (v *invalid) blob(b []byte, null, name string, limit int) {
	switch {
	case b == nil:
		v.member(null, name, "not be null")
	case len(b) == 0:
		v.member("", name, "have length greater than or equal to 1")
	case len(b) > limit:
		v.member("", name, fmt.Sprintf("have length less than or equal to %d", limit))
	}
}

// keyID checks a member that names a key.
func (v *invalid) keyID(id *string, name string, optional bool) {
	switch {
	case id == nil && optional:
	case id == nil:
		v.member(" null", name, "not be null")
	case *id == "":
		v.member(" ''", name, "have length greater than or equal to 1")
		v.member(" ''", name, `satisfy regular expression pattern: ^\p{ASCII}+$`)
	case len(*id) > 2048:
		v.member(" '"+*id+"'", name, "have length less than or equal to 2048")
	case strings.ContainsFunc(*id, func(r rune) bool { return r > 0x7f }):
		v.member(" '"+*id+"'", name, `satisfy regular expression pattern: ^\p{ASCII}+$`)
	}
}

// oneOf checks an enumeration; "" stands for a member that is left out.
func (v *invalid) oneOf(value, name string, allowed ...string) {
	for _, a := range allowed {
		if value == "" || value == a {
			return
		}
	}
	v.member(" '"+value+"'", name, "satisfy enum value set: ["+strings.Join(allowed, ", ")+"]")
}

// err returns nil if nothing is wrong.
func (v invalid) err() error {
	switch len(v) {
	case 0:
		return nil
	case 1:
		return failf(codeValidation, "1 validation error detected: %s", v[0])
	}
	return failf(codeValidation, "%d validation errors detected: %s", len(v), strings.Join(v, "; "))
}

// between checks a number.
func (v *invalid) between(n int, name string, low, high int) {
	value := fmt.Sprintf(" '%d'", n)
	if n < low {
		v.member(value, name, fmt.Sprintf("have value greater than or equal to %d", low))
	}
	if n > high {
		v.member(value, name, fmt.Sprintf("have value less than or equal to %d", high))
	}
}
