// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"context"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

// story is what a new user meets: what is wrong, and what Signet says about it.
type story struct {
	name      string
	setUp     func(t *testing.T, srv *kmstest.Server, e *keys.KMSEntry)
	cause     string // {KEY} is the ARN and {REQUEST} the request id
	hint      string
	transient bool
}

func (s story) run(t *testing.T) {
	srv := start(t)
	e := mustWrap(t, open(t, Options{}), keys.KMSEntry{
		ARN:     srv.CreateKey(kmstest.Key{}),
		Context: map[string]string{"kubernetes-namespace": "prod", "kubernetes-name": "db"},
	})
	s.setUp(t, srv, &e)
	srv.ResetCounts()
	_, err := open(t, Options{}).Unwrap(t.Context(), e)
	call := mustFail(t, err)
	request := ""
	if calls := srv.Calls(); len(calls) > 0 {
		request = calls[len(calls)-1].RequestID
	}
	fill := strings.NewReplacer("{KEY}", e.ARN, "{REQUEST}", request)
	want := [2]string{"unwrap with kms " + e.ARN + ": " + fill.Replace(s.cause), fill.Replace(s.hint)}
	if diff := cmp.Diff(want, [2]string{call.Error(), call.Hint}); diff != "" {
		t.Errorf("error and hint (-want +got):\n%s", diff)
	}
	if call.Permanent == s.transient {
		t.Errorf("Permanent is %v", call.Permanent)
	}
}

func TestKeyErrors(t *testing.T) {
	for _, s := range slices.Concat(accessStories(), stateStories(), signatureStories()) {
		t.Run(s.name, s.run)
	}
}

// accessStories are about whose key it is, and where.
func accessStories() []story {
	const tester = "arn:aws:iam::" + account + ":user/tester"
	return []story{
		{
			name: "missing permission",
			setUp: func(_ *testing.T, srv *kmstest.Server, e *keys.KMSEntry) {
				srv.Deny(kmstest.Denial{Operation: "Decrypt"})
			},
			cause: "AccessDeniedException: not authorized to perform kms:Decrypt because no identity-based policy allows the kms:Decrypt action " +
				"(region eu-west-1, caller " + tester + ", request {REQUEST})",
			hint: "allow kms:Decrypt on {KEY} for " + tester + ", in the key policy or an IAM policy; " +
				"the encryption context is kubernetes-name=db, kubernetes-namespace=prod",
		}, {
			name: "wrong account",
			setUp: func(t *testing.T, srv *kmstest.Server, _ *keys.KMSEntry) {
				srv.AddPrincipal("AKIDEXAMPLEBOB000000", "arn:aws:iam::"+other+":user/bob")
				setenv(t, srv.EnvAs("AKIDEXAMPLEBOB000000")...)
				srv.Deny(kmstest.Denial{Principal: "arn:aws:iam::" + other + ":user/bob"})
			},
			cause: "AccessDeniedException: not authorized to perform kms:Decrypt because no identity-based policy allows the kms:Decrypt action " +
				"(region eu-west-1, caller arn:aws:iam::" + other + ":user/bob, request {REQUEST})",
			hint: "allow kms:Decrypt on {KEY} for arn:aws:iam::" + other + ":user/bob both in the key policy, in account " + account +
				", and in an IAM policy, in account " + other + ": across accounts it takes both; " +
				"the encryption context is kubernetes-name=db, kubernetes-namespace=prod",
		}, {
			name: "wrong Region",
			setUp: func(_ *testing.T, _ *kmstest.Server, e *keys.KMSEntry) {
				e.ARN = strings.Replace(e.ARN, "eu-west-1", "us-east-1", 1)
			},
			cause: "NotFoundException: Key '{KEY}' does not exist (region us-east-1, caller " + tester + ", request {REQUEST})",
			hint: "look for the key in account " + account + ", Region us-east-1 (the caller belongs to account " + account +
				"; the local Region is eu-west-1): the ARN is wrong or the key has been deleted",
		}, {
			name:  "deleted key",
			setUp: func(_ *testing.T, srv *kmstest.Server, e *keys.KMSEntry) { srv.SetState(e.ARN, kmstest.Deleted) },
			cause: "NotFoundException: Key '{KEY}' does not exist (region eu-west-1, caller " + tester + ", request {REQUEST})",
			hint: "look for the key in account " + account + ", Region eu-west-1 (the caller belongs to account " + account +
				"): the ARN is wrong or the key has been deleted",
		},
	}
}

// stateStories are about a key that was found but is of no use.
func stateStories() []story {
	return []story{
		{
			name:  "disabled key",
			setUp: func(_ *testing.T, srv *kmstest.Server, e *keys.KMSEntry) { srv.SetState(e.ARN, kmstest.Disabled) },
			cause: "DisabledException: {KEY} is disabled (region eu-west-1, request {REQUEST})",
			hint:  "aws kms enable-key --key-id {KEY} --region eu-west-1",
		}, {
			name: "pending deletion",
			setUp: func(_ *testing.T, srv *kmstest.Server, e *keys.KMSEntry) {
				srv.SetState(e.ARN, kmstest.PendingDeletion)
			},
			cause: "KMSInvalidStateException: {KEY} is pending deletion (region eu-west-1, request {REQUEST})",
			hint: "aws kms cancel-key-deletion --key-id {KEY} --region eu-west-1 && " +
				"aws kms enable-key --key-id {KEY} --region eu-west-1",
		}, {
			name:  "pending import",
			setUp: func(_ *testing.T, srv *kmstest.Server, e *keys.KMSEntry) { srv.SetState(e.ARN, kmstest.PendingImport) },
			cause: "KMSInvalidStateException: {KEY} is pending import (region eu-west-1, request {REQUEST})",
			hint:  "import the key material again: aws kms import-key-material",
		}, {
			name:      "unavailable",
			setUp:     func(_ *testing.T, srv *kmstest.Server, e *keys.KMSEntry) { srv.SetState(e.ARN, kmstest.Unavailable) },
			cause:     "KMSInvalidStateException: {KEY} is unavailable (region eu-west-1, request {REQUEST})",
			hint:      "aws kms describe-key --key-id {KEY} --region eu-west-1 shows the state of the key",
			transient: true,
		},
	}
}

// signatureStories are about credentials that AWS does not know.
func signatureStories() []story {
	return []story{
		{
			name: "wrong secret key",
			setUp: func(t *testing.T, _ *kmstest.Server, _ *keys.KMSEntry) {
				setenv(t, "AWS_SECRET_ACCESS_KEY=correct/horse/battery/staple/EXAMPLE")
			},
			cause: "InvalidSignatureException: The request signature we calculated does not match the signature you provided. " +
				"Check your AWS Secret Access Key and signing method. Consult the service documentation for details (region eu-west-1, request {REQUEST})",
			hint: "AWS does not know these credentials, at least not in Region eu-west-1: set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN anew",
		}, {
			name: "unknown access key, of a profile",
			setUp: func(t *testing.T, _ *kmstest.Server, e *keys.KMSEntry) {
				configure(t, "[profile old keys]\naws_access_key_id = AKIDEXAMPLEGONE00000\naws_secret_access_key = EXAMPLEEXAMPLEEXAMPLE\n")
				e.AWSProfile = "old keys"
			},
			cause: "UnrecognizedClientException: The security token included in the request is invalid (region eu-west-1, request {REQUEST})",
			hint:  "AWS does not know these credentials, at least not in Region eu-west-1: renew the keys in the AWS configuration: aws configure --profile='old keys'",
		},
	}
}

// Wrapping says the same of keys, and of a key that cannot encrypt.
func TestWrapErrors(t *testing.T) {
	srv := start(t)
	s := open(t, Options{})
	signing := srv.CreateKey(kmstest.Key{Usage: "SIGN_VERIFY"})
	_, err := s.Wrap(t.Context(), keys.KMSEntry{ARN: signing}, dataKey)
	call := mustFail(t, err, "wrap for kms "+signing+": InvalidKeyUsageException: ",
		"use a symmetric key for encryption: aws kms describe-key --key-id "+signing+" --region eu-west-1 shows")
	if !call.Permanent || call.Operation != keys.Wrapping {
		t.Errorf("Permanent %v, Operation %q", call.Permanent, call.Operation)
	}
	key := srv.CreateKey(kmstest.Key{})
	srv.Deny(kmstest.Denial{})
	_, err = s.Wrap(t.Context(), keys.KMSEntry{ARN: key}, dataKey)
	mustFail(t, err, "not authorized to perform kms:Encrypt", "allow kms:Encrypt on "+key, "; there is no encryption context")
	if !keys.Refused(err) {
		t.Errorf("Refused(%v) = false", err)
	}
}

// A key that is not there, or a service that is out of order, refuses nobody.
func TestNotRefused(t *testing.T) {
	srv := start(t)
	s := open(t, Options{MaxAttempts: 1})
	key := srv.CreateKey(kmstest.Key{})
	e := mustWrap(t, s, keys.KMSEntry{ARN: key})
	srv.Inject(kmstest.Internal, "Decrypt", 1)
	if _, err := s.Unwrap(t.Context(), e); err == nil || keys.Refused(err) {
		t.Errorf("out of order: Refused(%v) = true", err)
	}
	moved := e
	moved.Context = map[string]string{"kubernetes-namespace": "elsewhere"}
	if _, err := s.Unwrap(t.Context(), moved); !keys.Foreign(err) || keys.Refused(err) {
		t.Errorf("another context: Foreign(%v) = %v", err, keys.Foreign(err))
	}
	srv.SetState(key, kmstest.Disabled)
	if _, err := s.Unwrap(t.Context(), e); err == nil || keys.Refused(err) || keys.Foreign(err) {
		t.Errorf("disabled: Refused(%v) = true", err)
	}
}

// The caller is looked up when AWS does not say who it is, once, and is left
// out when it cannot be had soon.
func TestCaller(t *testing.T) {
	srv := start(t)
	s := open(t, Options{})
	e := mustWrap(t, s, keys.KMSEntry{ARN: srv.CreateKey(kmstest.Key{})})
	mustUnwrap(t, s, e)
	if n := srv.Count("GetCallerIdentity"); n != 0 {
		t.Errorf("asked for the caller %d times without need", n)
	}
	srv.SetState(e.ARN, kmstest.Deleted)
	for _, err := range all(50, 20, func(int) error {
		_, err := s.Unwrap(t.Context(), e)
		return err
	}) {
		mustFail(t, err, "caller arn:aws:iam::"+account+":user/tester")
	}
	if n := srv.Count("GetCallerIdentity"); n != 1 {
		t.Errorf("asked for the caller %d times, want 1", n)
	}
	url, _, _ := silent(t)
	setenv(t, "AWS_ENDPOINT_URL_STS="+url)
	begin := time.Now()
	_, err := open(t, Options{}).Unwrap(t.Context(), e)
	if call := mustFail(t, err, "NotFoundException", "look for the key in account "+account+", Region eu-west-1: "); strings.Contains(call.Error(), "caller") {
		t.Errorf("%v: names a caller", call)
	}
	if took := time.Since(begin); took > patience {
		t.Errorf("took %v", took)
	}
}

// An error between us and a server tells its cause, and not the URL, which may
// hold a password.
func TestConnectionText(t *testing.T) {
	get := func(err error) error { return &url.Error{Op: "Get", URL: "http://user:canary@127.0.0.1/", Err: err} }
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"our timeout", get(&attemptTimeoutError{time.Second}), "no answer within 1s"},
		{"another timeout", get(context.DeadlineExceeded), "no answer in time"},
		{"name", get(&net.DNSError{Err: "no such host", Name: "kms.invalid"}), "lookup kms.invalid: no such host"},
		{"socket", get(&net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}), "read tcp: connection reset by peer"},
		{"something else", get(io.ErrUnexpectedEOF), "unexpected EOF"},
		{"none", io.ErrUnexpectedEOF, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := connectionText(tt.err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// AWS's own words on denials, with callers whose names look like secrets.
func TestReadDenial(t *testing.T) {
	const sso = "arn:aws:sts::" + account + ":assumed-role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/me@example.com"
	for _, tt := range []struct{ name, message, text, caller string }{
		{"identity policy", "User: " + sso + " is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:x because no identity-based policy allows the kms:Decrypt action",
			"not authorized to perform kms:Decrypt because no identity-based policy allows the kms:Decrypt action", sso},
		{"explicit deny", "User: " + sso + " is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:x with an explicit deny in a service control policy",
			"not authorized to perform kms:Decrypt with an explicit deny in a service control policy", sso},
		{"other account", "User: " + sso + " is not authorized to perform: kms:Decrypt on this resource because the resource does not exist in this Region",
			"not authorized to perform kms:Decrypt because the resource does not exist in this Region", sso},
		{"no reason", "User: " + sso + " is not authorized to perform: kms:Decrypt", "not authorized to perform kms:Decrypt", sso},
		{"ciphertext", "The ciphertext refers to a customer master key that does not exist", "The ciphertext refers to a customer master key that does not exist", ""},
		{"no ARN", "User: \x1b[2J is not authorized to perform: kms:Decrypt", "not authorized to perform kms:Decrypt", ""},
		{"empty", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, caller := readDenial(tt.message)
			if text != tt.text || caller != tt.caller {
				t.Errorf("got %q, %q", text, caller)
			}
		})
	}
}
