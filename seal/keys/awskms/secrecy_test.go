// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

// mustNotHold fails when any form of v shows a piece of a secret.
func mustNotHold(t *testing.T, v any, secrets ...string) {
	t.Helper()
	const window = 10
	text := fmt.Sprintf("%v|%+v|%#v|%q", v, v, v, v)
	if b, err := json.Marshal(v); err == nil {
		text += string(b)
	}
	for _, s := range secrets {
		for _, form := range []string{s, hex.EncodeToString([]byte(s)), base64.StdEncoding.EncodeToString([]byte(s)),
			strings.Trim(fmt.Sprint([]byte(s)), "[]")} {
			for i := 0; i+window <= len(form); i++ {
				if strings.Contains(text, form[i:i+window]) {
					t.Fatalf("shows %q of a secret: %s", form[i:i+window], text)
				}
			}
		}
	}
}

// way is one to fail.
type way struct {
	name  string
	want  string // in the error
	setUp func(t *testing.T, e *keys.KMSEntry)
}

// ofKMS are the ways to fail that KMS and the entry bring about.
func ofKMS(srv *kmstest.Server, arn, token string) []way {
	faults := func(f kmstest.Faults) func(*testing.T, *keys.KMSEntry) {
		return func(*testing.T, *keys.KMSEntry) { srv.SetFaults(f) }
	}
	return []way{
		{"denied", "AccessDeniedException: ", func(t *testing.T, _ *keys.KMSEntry) { srv.Deny(kmstest.Denial{}); t.Cleanup(srv.AllowAll) }},
		{"throttled", "ThrottlingException: ", faults(kmstest.Faults{Throttle: 1})},
		{"server error", "DependencyTimeoutException ", faults(kmstest.Faults{ServerError: 1})},
		{"reset", "connection reset by peer", faults(kmstest.Faults{Reset: 1})},
		{"hang", "no answer within ", faults(kmstest.Faults{Hang: 1})},
		{"disabled", "DisabledException: ", func(t *testing.T, _ *keys.KMSEntry) {
			srv.SetState(arn, kmstest.Disabled)
			t.Cleanup(func() { srv.SetState(arn, kmstest.Enabled) })
		}},
		{"bad role", "not the ARN of a role", func(_ *testing.T, e *keys.KMSEntry) { e.Role = string(dataKey) }},
		{"bad profile", "the AWS profile is malformed", func(_ *testing.T, e *keys.KMSEntry) { e.AWSProfile = string(dataKey) + "\n" }},
		{"endpoint", "connection refused", func(t *testing.T, _ *keys.KMSEntry) {
			setenv(t, "AWS_ENDPOINT_URL_KMS=http://user:"+token+"@127.0.0.1:1/")
		}},
		{"answer of the wrong key", "IncorrectKeyException: ", func(_ *testing.T, e *keys.KMSEntry) { e.ARN = srv.CreateKey(kmstest.Key{}) }},
	}
}

// ofCredentials are the ways to fail without credentials, or with wrong ones.
func ofCredentials(tokenFile, token string) []way {
	return []way{
		{"signature", "InvalidClientTokenId: ", func(t *testing.T, _ *keys.KMSEntry) { setenv(t, "AWS_ACCESS_KEY_ID=AKIDEXAMPLEGONE00000") }},
		{"role", "not authorized to perform sts:AssumeRole ", func(_ *testing.T, e *keys.KMSEntry) { e.Role = role + "x" }},
		{"web identity", "sts:AssumeRoleWithWebIdentity", func(t *testing.T, _ *keys.KMSEntry) {
			noKeys(t)
			setenv(t, "AWS_ROLE_ARN="+role+"x", "AWS_WEB_IDENTITY_TOKEN_FILE="+tokenFile)
		}},
		{"process", "the credential_process of the profile did not give any", func(t *testing.T, e *keys.KMSEntry) {
			configure(t, "[profile dev]\ncredential_process = echo '"+kmstest.SecretAccessKey+"'\n")
			e.AWSProfile = "dev"
		}},
		{"process with JSON", "the credential_process of the profile did not give any", func(t *testing.T, e *keys.KMSEntry) {
			configure(t, `[profile dev]`+"\n"+`credential_process = echo '{"Version":1,"AccessKeyId":"`+token+`","SecretAccessKey":["`+kmstest.SecretAccessKey+`"]}'`+"\n")
			e.AWSProfile = "dev"
		}},
		{"configuration", "AWS profile dev is in none of the configuration files", func(t *testing.T, e *keys.KMSEntry) {
			configure(t, "[profile dev\naws_secret_access_key "+kmstest.SecretAccessKey+"\n= "+token+"\n")
			e.AWSProfile = "dev"
		}},
	}
}

// Whatever goes wrong, neither error nor hint shows what is wrapped, its
// ciphertext, or a credential.
func TestErrorsHoldNoSecrets(t *testing.T) {
	const token = "eyFAKEcanaryTokenOfAServiceAccount"
	srv := start(t)
	srv.AddRole(role)
	arn := srv.CreateKey(kmstest.Key{})
	good := mustWrap(t, open(t, Options{}), keys.KMSEntry{ARN: arn, Role: role})
	tokenFile := write(t, filepath.Join(t.TempDir(), "token"), token)
	blob := must(base64.StdEncoding.DecodeString(good.Enc))
	secrets := []string{string(dataKey), good.Enc, string(blob[len(blob)-48:]), kmstest.SecretAccessKey, token} // before that stands the ARN
	for _, tt := range slices.Concat(ofKMS(srv, arn, token), ofCredentials(tokenFile, token)) {
		t.Run(tt.name, func(t *testing.T) {
			e := good
			tt.setUp(t, &e)
			defer srv.SetFaults(kmstest.Faults{})
			o := Options{MaxAttempts: 2, AttemptTimeout: patience}
			if tt.name == "hang" {
				o = Options{MaxAttempts: 1, AttemptTimeout: 500 * time.Millisecond}
			}
			s := open(t, o)
			_, unwrapErr := s.Unwrap(t.Context(), e)
			_, wrapErr := s.Wrap(t.Context(), e, dataKey)
			if unwrapErr == nil {
				t.Fatal("no error")
			}
			for _, err := range []error{unwrapErr, wrapErr} {
				if err == nil {
					continue // with another key one can wrap
				}
				call := mustFail(t, err, tt.want)
				mustNotHold(t, []string{call.Error(), call.Hint}, secrets...)
				mustNotHold(t, call.Err, secrets...)
			}
			mustNotHold(t, s, secrets...)
		})
	}
}
