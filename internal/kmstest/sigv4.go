// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	sigAlgorithm  = "AWS4-HMAC-SHA256"
	sigTerminator = "aws4_request"
	sigTimeFormat = "20060102T150405Z"
	sigMaxSkew    = 5 * time.Minute // KMS's; other services allow 15
)

// authorization is a parsed Authorization header of Signature Version 4.
type authorization struct {
	accessKeyID, date, region, service string
	signedHeaders                      []string
	signature                          string
	time                               string // X-Amz-Date
}

// authenticate tells who signed a request, for which Region, and whether the
// signature is right. On an error it returns what could be told before.
func (s *Server) authenticate(r *http.Request, body []byte, service string) (principal, string, error) {
	if r.Header.Get("Authorization") == "" {
		return principal{}, "", failf(codeMissingAuth, "Missing Authentication Token")
	}
	auth, err := parseAuthorization(r.Header)
	if err != nil {
		return principal{}, "", err
	}
	if err := auth.check(r.Header, service, time.Now().UTC()); err != nil {
		return principal{}, auth.region, err
	}
	p, ok := s.principal(auth.accessKeyID)
	if !ok || r.Header.Get("X-Amz-Security-Token") != p.token {
		return principal{}, auth.region, failf(codeUnrecognizedClient, "The security token included in the request is invalid.")
	}
	if p.token != "" && !time.Now().Before(p.expires) {
		return p, auth.region, failf(codeExpiredToken, "The security token included in the request is expired")
	}
	if !hmac.Equal([]byte(auth.sign(p.secret, r, body)), []byte(auth.signature)) {
		return p, auth.region, failf(codeInvalidSignature, "The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return p, auth.region, nil
}

func parseAuthorization(h http.Header) (authorization, error) {
	algorithm, rest, _ := strings.Cut(h.Get("Authorization"), " ")
	params := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		params[name] = value
	}
	auth := authorization{signature: params["Signature"], time: h.Get("X-Amz-Date")}
	var missing []string
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if algorithm != sigAlgorithm || params[name] == "" {
			missing = append(missing, "Authorization header requires '"+name+"' parameter.")
		}
	}
	if auth.time == "" {
		missing = append(missing, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if missing != nil {
		return auth, failf(codeIncompleteSig, "%s", strings.Join(missing, " "))
	}
	scope := strings.Split(params["Credential"], "/")
	if len(scope) != 5 {
		return auth, failf(codeIncompleteSig, "Credential must have exactly 5 slash-delimited elements, "+
			"e.g. keyid/date/region/service/term, got '%s'", params["Credential"])
	}
	auth.accessKeyID, auth.date, auth.region, auth.service = scope[0], scope[1], scope[2], scope[3]
	if scope[4] != sigTerminator {
		return auth, failf(codeInvalidSignature, "Credential should be scoped with a valid terminator: '%s', not '%s'.", sigTerminator, scope[4])
	}
	auth.signedHeaders = strings.Split(params["SignedHeaders"], ";")
	return auth, nil
}

// check looks at all but who signed.
func (a authorization) check(h http.Header, service string, now time.Time) error {
	signed, err := time.Parse(sigTimeFormat, a.time)
	if err != nil {
		return failf(codeIncompleteSig, "Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", a.time)
	}
	if a.region == "" {
		return failf(codeInvalidSignature, "Credential should be scoped to a valid region. ")
	}
	if a.service != service {
		return failf(codeInvalidSignature, "Credential should be scoped to correct service: '%s'. ", service)
	}
	if a.date != a.time[:8] {
		return failf(codeInvalidSignature, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "+
			"'%s' != '%s', from '%s'.", a.date, a.time[:8], a.time)
	}
	for name := range h {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") && !slices.Contains(a.signedHeaders, name) {
			return failf(codeInvalidSignature, "'%s' must be a 'SignedHeader' in the AWS Authorization.", name)
		}
	}
	if !slices.Contains(a.signedHeaders, "host") {
		return failf(codeInvalidSignature, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	at := func(t time.Time) string { return t.Format(sigTimeFormat) }
	if early := now.Add(-sigMaxSkew); signed.Before(early) {
		return failf(codeInvalidSignature, "Signature expired: %s is now earlier than %s (%s - 5 min.)", a.time, at(early), at(now))
	}
	if late := now.Add(sigMaxSkew); signed.After(late) {
		return failf(codeInvalidSignature, "Signature not yet current: %s is still later than %s (%s + 5 min.)", a.time, at(late), at(now))
	}
	return nil
}

// sign returns the signature that the request should have. The steps are those
// of "Create a signed AWS API request" in the IAM User Guide.
func (a authorization) sign(secret string, r *http.Request, body []byte) string {
	canonical := strings.Join([]string{
		r.Method, r.URL.EscapedPath(), canonicalQuery(r.URL.RawQuery),
		a.canonicalHeaders(r), strings.Join(a.signedHeaders, ";"), hexSHA256(body),
	}, "\n")
	scope := strings.Join([]string{a.date, a.region, a.service, sigTerminator}, "/")
	key := []byte("AWS4" + secret)
	for _, part := range []string{a.date, a.region, a.service, sigTerminator} {
		key = hmacSHA256(key, part)
	}
	return hex.EncodeToString(hmacSHA256(key, strings.Join([]string{sigAlgorithm, a.time, scope, hexSHA256([]byte(canonical))}, "\n")))
}

func (a authorization) canonicalHeaders(r *http.Request) string {
	var b strings.Builder
	for _, name := range a.signedHeaders {
		values := slices.Clone(r.Header.Values(name))
		switch {
		case name == "host":
			values = []string{r.Host}
		case name == "content-length" && len(values) == 0:
			values = []string{strconv.FormatInt(r.ContentLength, 10)}
		}
		for i, v := range values {
			values[i] = strings.Join(strings.Fields(v), " ")
		}
		b.WriteString(name + ":" + strings.Join(values, ",") + "\n")
	}
	return b.String()
}

// canonicalQuery sorts the parameters; SDKs send none, so their encoding is
// taken as it is.
func canonicalQuery(raw string) string {
	if raw == "" {
		return ""
	}
	parts := strings.Split(raw, "&")
	slices.Sort(parts)
	return strings.Join(parts, "&")
}

func hexSHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func hmacSHA256(key []byte, data string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(data))
	return h.Sum(nil)
}
