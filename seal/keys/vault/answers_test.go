// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/vaulttest"
	"github.com/signet-secrets/signet/seal/keys"
)

// What a server refuses comes with the next step.
func TestRefused(t *testing.T) {
	server := start(t)
	server.MountKV("secret")
	good := wrap(t, app(server))
	other := good
	other.KeyName = "other"
	server.CreateKey("transit", "other")
	limited := server.NewToken(map[string][]string{"transit/decrypt/else": {"update"}, "transit/encrypt/new": {"update"}})
	revoked := server.NewToken(nil)
	server.RevokeToken(revoked)
	at := func(engine, key string) keys.VaultEntry {
		return keys.VaultEntry{Address: server.URL, EnginePath: engine, KeyName: key, Enc: good.Enc}
	}
	address := " -address=" + server.URL
	tests := []struct {
		name       string
		token      string // "" is the root token
		entry      keys.VaultEntry
		wrap       bool
		want, hint string
	}{
		{"no policy", limited, good, false, "403 Forbidden: permission denied", `path "transit/decrypt/app" { capabilities = ["update"] }`},
		{"no policy to wrap", limited, good, true, "403 Forbidden: permission denied", `path "transit/encrypt/app" { capabilities = ["update"] }; or the key`},
		{"no key to wrap with", limited, at("transit", "new"), true, "403", "vault write -f" + address + " transit/keys/new"},
		{"revoked token", revoked, good, false, "permission denied; invalid token", "log in: vault login" + address},
		{"no engine", "", at("team/transit", "app"), false, "404 Not Found: no handler", "vault secrets list" + address + " must show team/transit/"},
		{"no key", "", at("transit", "missing"), false, "encryption key not found", "vault list" + address + " transit/keys shows"},
		{"another key", "", other, false, "400 Bad Request: cipher: message authentication failed", "wrapped with another key, or damaged"},
		{"no version", "", withEnc(good, "vault:v9:AAAA"), false, "version is too new", "wrapped with another key, or damaged"},
		{"other engine", "", at("secret", "app"), false, "none of a Transit engine", "is secret a Transit engine?"},
		{"other engine to wrap", "", at("secret", "app"), true, "none of a Transit engine", "delete secret/encrypt/app"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.token != "" {
				t.Setenv(envToken, tt.token)
			}
			before := len(server.Requests())
			err := call(t, New(Options{}), tt.entry, tt.wrap)
			c := mustFail(t, err, tt.want)
			if !c.Permanent || !strings.Contains(c.Hint, tt.hint) || errors.Is(err, keys.ErrNoIdentity) {
				t.Errorf("got %+v, want the hint %q", c, tt.hint)
			}
			if n := len(server.Requests()) - before; n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
	if server.Stored("secret", "encrypt/app") == nil {
		t.Error("the test server does not store what it is sent, which the hint is about")
	}
}

func withEnc(e keys.VaultEntry, enc string) keys.VaultEntry {
	e.Enc = enc
	return e
}

// call wraps testSecret for e or unwraps e, and wants no result.
func call(t *testing.T, s *Service, e keys.VaultEntry, wrap bool) error {
	t.Helper()
	if !wrap {
		got, err := s.Unwrap(t.Context(), e)
		if got != nil {
			t.Errorf("got %d bytes", len(got))
		}
		return err
	}
	got, err := s.Wrap(t.Context(), e, []byte(testSecret))
	if got != nil {
		t.Error("got an entry")
	}
	return err
}

// A server in trouble is asked again, but not for ever.
func TestRetries(t *testing.T) {
	server := start(t)
	answer := func(code int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(code)
			fmt.Fprintf(w, `{"errors":[%q]}`, text)
		}
	}
	drop := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	tests := []struct {
		name      string
		attempts  int
		answers   []http.HandlerFunc
		requests  int
		want      string // "" if it works in the end
		permanent bool
	}{
		{"503, then none", 0, []http.HandlerFunc{answer(503, "busy")}, 2, "", false},
		{"several", 0, []http.HandlerFunc{answer(500, ""), answer(429, "")}, 3, "", false},
		{"dropped", 0, []http.HandlerFunc{drop}, 2, "", false},
		{"standby that is behind", 0, []http.HandlerFunc{answer(412, "")}, 2, "", false},
		{"always", 0, []http.HandlerFunc{answer(502, ""), answer(502, ""), answer(502, "")}, 3, "502 Bad Gateway", false},
		{"always throttled", 2, []http.HandlerFunc{answer(429, "rate limit quota exceeded"), answer(429, "rate limit quota exceeded")}, 2,
			"429 Too Many Requests: rate limit quota exceeded", false},
		{"always dropped", 2, []http.HandlerFunc{drop, drop}, 2, "EOF", false},
		{"not retried", 1, []http.HandlerFunc{answer(500, "")}, 1, "500", false},
		{"no other answer next time", 0, []http.HandlerFunc{answer(400, "nonsense")}, 1, "400 Bad Request: nonsense", true},
		{"not implemented", 0, []http.HandlerFunc{answer(501, "")}, 1, "501", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := len(server.Requests())
			for _, a := range tt.answers {
				server.Answer(a)
			}
			_, err := New(Options{Attempts: tt.attempts, Timeout: time.Minute}).Wrap(t.Context(), app(server), []byte(testSecret))
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
			} else if c := mustFail(t, err, tt.want); c.Permanent != tt.permanent {
				t.Errorf("got %+v", c)
			}
			if n := len(server.Requests()) - before; n != tt.requests {
				t.Errorf("%d requests, want %d", n, tt.requests)
			}
		})
	}
}

func TestSealed(t *testing.T) {
	server := start(t)
	server.SetSealed(true)
	_, err := New(Options{Attempts: 1}).Wrap(t.Context(), app(server), []byte(testSecret))
	if c := mustFail(t, err, "503 Service Unavailable: Vault is sealed"); c.Permanent || c.Hint != "unseal the server: vault operator unseal -address="+server.URL {
		t.Errorf("got %+v", c)
	}
}

// However a server asks for it, token and secret stay with the address of the entry.
func TestRedirects(t *testing.T) {
	server := start(t)
	thief := vaulttest.Start(t)
	for _, code := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{thief.URL + "/v1/transit/encrypt/app", strings.Replace(server.URL, "http:", "https:", 1), "/v1/sys/seal"} {
			server.Answer(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, code) })
			before := len(server.Requests())
			_, err := New(Options{}).Wrap(t.Context(), app(server), []byte(testSecret))
			c := mustFail(t, err, fmt.Sprintf("%d %s", code, http.StatusText(code)))
			if !c.Permanent || !strings.Contains(c.Hint, "the token is not sent on") || len(server.Requests()) != before+1 {
				t.Errorf("got %+v, %d requests", c, len(server.Requests())-before)
			}
			if strings.HasPrefix(to, thief.URL) && !strings.Contains(err.Error(), "redirects to "+thief.URL) {
				t.Errorf("got %v", err)
			}
		}
	}
	if n := len(thief.Requests()); n != 0 {
		t.Errorf("the other server got %d requests", n)
	}
}

// A server that never answers holds nobody up.
func TestPatience(t *testing.T) {
	server := start(t)
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	t.Run("timeout", func(t *testing.T) {
		server.Answer(hang)
		_, err := New(Options{Timeout: 200 * time.Millisecond}).Wrap(t.Context(), app(server), []byte(testSecret))
		if c := mustFail(t, err, "no answer within 200ms"); !errors.Is(err, context.DeadlineExceeded) || c.Permanent {
			t.Errorf("got %+v", c)
		}
	})
	t.Run("timeout after trouble", func(t *testing.T) {
		server.Answer(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(503)
		})
		_, err := New(Options{Timeout: 1900 * time.Millisecond}).Wrap(t.Context(), app(server), []byte(testSecret))
		mustFail(t, err, "no answer within 1.9s; before that: 503 Service Unavailable")
	})
	t.Run("half an answer", func(t *testing.T) {
		server.Answer(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"data":`)
			w.(http.Flusher).Flush()
			hang(w, r)
		})
		_, err := New(Options{Timeout: 200 * time.Millisecond}).Wrap(t.Context(), app(server), []byte(testSecret))
		mustFail(t, err, "no answer within 200ms")
	})
	t.Run("context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		server.Answer(func(w http.ResponseWriter, r *http.Request) {
			cancel()
			hang(w, r)
		})
		_, err := New(Options{}).Wrap(ctx, app(server), []byte(testSecret))
		if c := mustFail(t, err, "context canceled"); !errors.Is(err, context.Canceled) || c.Permanent {
			t.Errorf("got %+v", c)
		}
	})
}

// Answers that no Transit engine gives are no secrets and no entries.
func TestStrangeAnswers(t *testing.T) {
	server := start(t)
	good := wrap(t, app(server))
	for name, body := range map[string]string{
		"empty": "", "no JSON": "<html>", "no object": "[]", "no data": "{}", "null": `{"data":null}`, "other data": `{"data":{"x":1}}`,
		"null text": `{"data":{"ciphertext":null,"plaintext":null}}`, "number": `{"data":{"ciphertext":1,"plaintext":1}}`,
		"not base64": `{"data":{"ciphertext":"vault:v1:!","plaintext":"!"}}`, "another program's": `{"data":{"ciphertext":"AAAA","plaintext":"AAAA"}}`,
		"line breaks": `{"data":{"ciphertext":"vault:v1:AA\nAA","plaintext":""}}`,
		"large":       `{"data":{"ciphertext":"vault:v1:AAAA","plaintext":"` + base64.StdEncoding.EncodeToString(make([]byte, 32)) + `"}}` + strings.Repeat(" ", maxAnswerBytes),
		"cut off":     `{"data":{"plaintext":"`,
	} {
		for _, wrap := range []bool{true, false} {
			server.Answer(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
			if c := mustFail(t, call(t, New(Options{}), good, wrap), ""); !c.Permanent {
				t.Errorf("%s: got %+v", name, c)
			}
		}
	}
	server.Answer(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":{"plaintext":"AAAA"}}`) })
	mustFail(t, call(t, New(Options{}), good, false), "secret has 3 bytes, want 32 or 33")
}
