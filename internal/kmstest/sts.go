// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

	defaultSession = time.Hour
	minSession     = 900 // seconds
	maxSession     = 43200
)

type stsResponse struct {
	XMLName   xml.Name
	Result    any
	RequestID string `xml:"ResponseMetadata>RequestId"`
}

type stsErrorResponse struct {
	XMLName   xml.Name
	Type      string `xml:"Error>Type"`
	Code      string `xml:"Error>Code"`
	Message   string `xml:"Error>Message"`
	RequestID string `xml:"RequestId"`
}

type callerIdentity struct {
	XMLName              xml.Name `xml:"GetCallerIdentityResult"`
	Arn, UserId, Account string
}

type assumedRole struct {
	XMLName     xml.Name
	Credentials struct {
		AccessKeyId, SecretAccessKey, SessionToken string
		Expiration                                 string
	}
	AssumedRoleUser struct{ Arn, AssumedRoleId string }
	SubjectOf       string `xml:"SubjectFromWebIdentityToken,omitempty"`
}

// serveSTS serves the query protocol. Faults and denials are for KMS only.
func (s *Server) serveSTS(w http.ResponseWriter, r *http.Request) {
	requestID := newUUID()
	body, err := readBody(w, r)
	if errors.Is(err, errClientLeft) {
		panic(http.ErrAbortHandler) // closes the connection
	}
	action, result := "", any(nil)
	if err == nil {
		action, result, err = s.doSTS(r, body)
	}
	if action != "" {
		s.stats.sts(action, err == nil)
	}
	status, response := http.StatusOK, any(stsResponse{
		XMLName: xml.Name{Space: stsNamespace, Local: action + "Response"}, Result: result, RequestID: requestID,
	})
	if failed := (*apiError)(nil); errors.As(err, &failed) {
		code, message := stsCode(failed)
		status = stsStatus(code)
		response = stsErrorResponse{
			XMLName: xml.Name{Space: stsNamespace, Local: "ErrorResponse"},
			Type:    "Sender", Code: code, Message: message, RequestID: requestID,
		}
	}
	w.Header().Set("x-amzn-RequestId", requestID)
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	out, _ := xml.Marshal(response)
	w.Write(out)
}

// doSTS returns the action as well, "" if it is none of STS.
func (s *Server) doSTS(r *http.Request, body []byte) (action string, result any, err error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "", nil, failf("MalformedQueryString", "the body is not a form")
	}
	action = form.Get("Action")
	switch action {
	case "GetCallerIdentity", "AssumeRole":
	case "AssumeRoleWithWebIdentity": // the token stands for a signature
		result, err = s.assumeRole(form, action, principal{})
		return action, result, err
	default:
		return "", nil, failf("InvalidAction", "Could not find operation %s for version %s", action, form.Get("Version"))
	}
	caller, _, err := s.authenticate(r, body, "sts")
	if err != nil {
		return action, nil, err
	}
	if action == "AssumeRole" {
		result, err = s.assumeRole(form, action, caller)
		return action, result, err
	}
	return action, callerIdentity{Arn: caller.arn, UserId: caller.userID(), Account: caller.account()}, nil
}

func (s *Server) assumeRole(form url.Values, action string, caller principal) (any, error) {
	role, name, web := form.Get("RoleArn"), form.Get("RoleSessionName"), action == "AssumeRoleWithWebIdentity"
	var wrong invalid
	if len(role) < 20 {
		wrong.member(" '"+role+"'", "roleArn", "have length greater than or equal to 20")
	}
	if !isSessionName(name) {
		wrong.member(" '"+name+"'", "roleSessionName", `satisfy regular expression pattern: [\w+=,.@-]*`)
	}
	if web && form.Get("WebIdentityToken") == "" {
		wrong.member(" ''", "webIdentityToken", "have length greater than or equal to 4")
	}
	lasts := defaultSession
	if given := form.Get("DurationSeconds"); given != "" {
		n, _ := strconv.Atoi(given)
		wrong.between(n, "durationSeconds", minSession, maxSession)
		lasts = time.Duration(n) * time.Second
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	accessKeyID, session, ok := s.addSession(role, name, lasts)
	switch {
	case !ok && web:
		return nil, failf("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	case !ok:
		return nil, failf("AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", caller.arn, role)
	}
	result := assumedRole{XMLName: xml.Name{Local: action + "Result"}}
	result.Credentials.AccessKeyId = accessKeyID
	result.Credentials.SecretAccessKey = session.secret
	result.Credentials.SessionToken = session.token
	result.Credentials.Expiration = session.expires.UTC().Format("2006-01-02T15:04:05Z")
	result.AssumedRoleUser.Arn, result.AssumedRoleUser.AssumedRoleId = session.arn, session.userID()
	if web {
		result.SubjectOf = "system:serviceaccount:kmstest:tester"
	}
	return result, nil
}

func isSessionName(name string) bool {
	word := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_+=,.@-", r)
	}
	return len(name) >= 2 && len(name) <= 64 && !strings.ContainsFunc(name, func(r rune) bool { return !word(r) })
}

// stsCode translates what KMS and STS have in common: the query protocol has
// names of its own for it.
func stsCode(e *apiError) (code, message string) {
	switch e.code {
	case codeMissingAuth:
		return "MissingAuthenticationToken", "Request is missing Authentication Token"
	case codeIncompleteSig:
		return "IncompleteSignature", e.message
	case codeInvalidSignature:
		return "SignatureDoesNotMatch", e.message
	case codeUnrecognizedClient:
		return "InvalidClientTokenId", e.message
	case codeExpiredToken:
		return "ExpiredToken", e.message
	case codeValidation:
		return "ValidationError", e.message
	}
	return e.code, e.message
}

func stsStatus(code string) int {
	switch code {
	case "AccessDenied", "ExpiredToken", "InvalidClientTokenId", "MissingAuthenticationToken", "SignatureDoesNotMatch":
		return http.StatusForbidden
	case codeTooLarge:
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}
