// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/seal/keys"
)

// mustNotLeak fails when the text of v, printed in any way, holds 8 characters
// in a row of a canary, or 16 of its hex or base64.
func mustNotLeak(t testing.TB, v any, canaries ...string) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		text := fmt.Sprintf(verb, v)
		if call, ok := v.(*keys.CallError); ok {
			text += call.Hint
		}
		for _, c := range canaries {
			forms := map[string]int{
				c: 8, hex.EncodeToString([]byte(c)): 16, strings.ToUpper(hex.EncodeToString([]byte(c))): 16,
				base64.RawStdEncoding.EncodeToString([]byte(c)): 16, base64.RawURLEncoding.EncodeToString([]byte(c)): 16,
				strings.Trim(fmt.Sprint([]byte(c)), "[]"): 24,
			}
			for form, window := range forms {
				for i := 0; i+window <= len(form); i++ {
					if strings.Contains(text, form[i:i+window]) {
						t.Fatalf("%s leaks %q: %s", verb, form[i:i+window], text)
					}
				}
			}
		}
	}
}

// echoes are answers that repeat what was sent, each in its own way.
func echoes(server *kmsServer, sent ...string) map[string]fault {
	faults := map[string]fault{
		"denied": func(w http.ResponseWriter, r *http.Request, body []byte) {
			fail(w, 403, testToken, testToken, r.Header.Get("Authorization")+" "+string(body))
		},
		"busy": func(w http.ResponseWriter, r *http.Request, body []byte) {
			fail(w, 503, "UNAVAILABLE", "", r.Header.Get("Authorization")+" "+string(body))
		},
		"plain text": func(w http.ResponseWriter, r *http.Request, body []byte) {
			w.WriteHeader(400)
			fmt.Fprintf(w, "%s %s", r.Header.Get("Authorization"), body)
		},
		"other JSON": func(w http.ResponseWriter, r *http.Request, body []byte) {
			fmt.Fprintf(w, `{"plaintext":%s,"ciphertext":%s}`, body, body)
		},
		"odd fields": answering(server, func(a map[string]any) { a["name"], a["plaintextCrc32c"] = testToken, testToken }),
		"headers": func(w http.ResponseWriter, r *http.Request, _ []byte) {
			w.Header().Set("Retry-After", testToken)
			w.Header().Set("Location", "https://example.com/?"+r.Header.Get("Authorization"))
			w.WriteHeader(http.StatusFound)
		},
		"no HTTP": func(w http.ResponseWriter, r *http.Request, body []byte) {
			conn, buf, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			fmt.Fprintf(buf, "%s %s\r\n\r\n", r.Header.Get("Authorization"), body)
			buf.Flush()
			conn.Close()
		},
	}
	for i, c := range sent {
		lower := hex.EncodeToString([]byte(c))
		for form, text := range map[string]string{
			"raw": c, "hex": lower, "HEX": strings.ToUpper(lower),
			"base64":    base64.StdEncoding.EncodeToString([]byte(c)),
			"base64url": base64.URLEncoding.EncodeToString([]byte(c)),
		} {
			faults[fmt.Sprintf("%s %d", form, i)] = failing(400, "INVALID_ARGUMENT", "", "you sent "+text+", which is wrong")
		}
	}
	return faults
}

// No error holds the token, the secret or the ciphertext, whatever a server
// repeats and however it encodes it.
func TestErrorsHoldNoSecrets(t *testing.T) {
	server := newServer(t)
	s := newService(t, server, Options{Attempts: 1})
	secret := patterned(32)
	e := wrap(t, s, testKey, secret)
	enc, err := base64.StdEncoding.DecodeString(e.Enc)
	if err != nil {
		t.Fatal(err)
	}
	check := func(t *testing.T, err error, canaries ...string) {
		t.Helper()
		call := callError(t, err)
		for cause := error(call); cause != nil; cause = errors.Unwrap(cause) {
			mustNotLeak(t, cause.Error(), canaries...)
			if cause != call { // the entry in it is the caller's own
				mustNotLeak(t, cause, canaries...)
			}
		}
		mustNotLeak(t, call.Hint, canaries...)
	}
	for name, f := range echoes(server, testToken, string(secret)) {
		t.Run("wrap "+name, func(t *testing.T) {
			server.inject(f)
			_, err := s.Wrap(t.Context(), e, secret)
			check(t, err, testToken, string(secret))
		})
	}
	for name, f := range echoes(server, testToken, string(enc)) {
		t.Run("unwrap "+name, func(t *testing.T) {
			server.inject(f)
			_, err := s.Unwrap(t.Context(), e)
			check(t, err, testToken, string(enc), e.Enc)
		})
	}
}

// Printing a Service prints no token and no key.
func TestServicePrintsNoSecrets(t *testing.T) {
	server := newServer(t)
	server.accept = func(string) bool { return true }
	a := serviceAccount(t, "")
	for name, set := range map[string]func(){
		"token": func() { t.Setenv(envToken, testToken) },
		"key":   func() { t.Setenv(envCredentials, a.json) },
		"user":  func() { t.Setenv(envCredentials, userFile) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, server, Options{})
			t.Setenv(envToken, "")
			set()
			_ = wrapOnce(t, s) // a user's needs the network
			type holder struct{ s *Service }
			body := strings.Split(a.pem, "\n")[1]
			for _, v := range []any{s, holder{s}, &s.grants, s.identity, []any{s}} {
				mustNotLeak(t, v, testToken, body, "fake-refresh/token", "hunter2-hunter2")
			}
			if g, _ := s.authorize(t.Context()); g != nil {
				mustNotLeak(t, g, testToken, body)
				mustNotLeak(t, *g, testToken, body)
			}
		})
	}
}
