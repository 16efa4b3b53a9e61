// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"testing"

	"cloud.google.com/go/auth"
)

// A refused token is final, troubles of the server that gives tokens are not.
func TestTokenServer(t *testing.T) {
	for _, tt := range []struct {
		name      string
		answers   []int // then 200
		requests  int32
		want      string
		permanent bool
	}{
		{"refused", []int{400, 400, 400}, 1, `"invalid_grant"`, true},
		{"busy, then fine", []int{503, 503}, 3, "", false},
		{"busy", []int{503, 503, 503, 503}, 3, "503", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			isolate(t)
			t.Setenv(envCredentials, userFile)
			server := newServer(t)
			var asked atomic.Int32
			transport := google(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Host == "cloudkms.googleapis.com" {
					server.ServeHTTP(w, r)
					return
				}
				n := int(asked.Add(1))
				w.Header().Set("Content-Type", "application/json")
				switch {
				case n > len(tt.answers):
					fmt.Fprint(w, `{"access_token":"`+testToken+`","expires_in":3600}`)
				case tt.answers[n-1] == 400:
					w.WriteHeader(400)
					fmt.Fprint(w, `{"error":"invalid_grant","error_description":"Token 1//fake-refresh/token-0001 has been expired or revoked."}`)
				default:
					w.WriteHeader(tt.answers[n-1])
					fmt.Fprintf(w, "sorry, %d, hunter2-hunter2-0001", tt.answers[n-1])
				}
			}))
			err := wrapOnce(t, New(Options{Transport: transport}))
			if n := asked.Load(); n != tt.requests {
				t.Errorf("%d requests for tokens, want %d", n, tt.requests)
			}
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			call := callError(t, err)
			mustContain(t, call.Error(), "credentials: GOOGLE_CREDENTIALS: ", tt.want)
			mustNotLeak(t, call, "fake-refresh", "hunter2-hunter2")
			if call.Permanent != tt.permanent || call.Hint != hintLogin {
				t.Errorf("permanent %v, hint %q", call.Permanent, call.Hint)
			}
		})
	}
}

// A file of credentials that was replaced is read again once the old one is
// refused.
func TestReplacedCredentials(t *testing.T) {
	server := newServer(t)
	s := newService(t, server, Options{})
	t.Setenv(envToken, "")
	before, after := serviceAccount(t, ""), serviceAccount(t, "")
	t.Setenv(envApplication, before.file)
	server.accept = before.signed
	if err := wrapOnce(t, s); err != nil {
		t.Fatal(err)
	}
	server.accept = after.signed
	if err := os.WriteFile(before.file, []byte(after.json), 0o600); err != nil {
		t.Fatal(err)
	}
	mustContain(t, callError(t, wrapOnce(t, s)).Error(), "UNAUTHENTICATED")
	if err := wrapOnce(t, s); err != nil {
		t.Error(err)
	}
}

// A lack of credentials is found out once for all documents of a run.
func TestFailuresAreShared(t *testing.T) {
	server := newServer(t)
	isolate(t)
	var asked atomic.Int32
	creds := auth.NewCredentials(&auth.CredentialsOptions{TokenProvider: tokenFunc(func(context.Context) (*auth.Token, error) {
		asked.Add(1)
		return nil, errors.New("there is none")
	})})
	s := New(Options{Credentials: creds, Endpoint: server.URL})
	for range 5 {
		call := callError(t, wrapOnce(t, s))
		mustContain(t, call.Error(), "credentials: the credentials of this program: there is none")
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("a token was asked for %d times, want once", n)
	}
}
