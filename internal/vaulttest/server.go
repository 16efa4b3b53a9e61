// SPDX-License-Identifier: Apache-2.0

package vaulttest

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// RootToken may do everything.
const RootToken = "hvs.EXAMPLErootEXAMPLErootEX"

// Server is a running server. Its methods are safe for concurrent use.
type Server struct {
	// URL is the address, http://127.0.0.1:<port> or https://127.0.0.1:<port>.
	URL string
	// CA is the PEM certificate that the server's own one is from, with TLS.
	CA []byte

	mu        sync.Mutex
	namespace string // "" is the root namespace
	engines   map[string]engine
	tokens    map[string]map[string][]string // nil: the root token
	sealed    bool
	faults    []http.HandlerFunc
	requests  []Request
}

// Request is what a request looked like.
type Request struct {
	Method, Path     string
	Token, Namespace string
	Header           http.Header
	Body             []byte
}

// engine answers requests below where it is mounted. The server's lock is held.
type engine interface {
	// exists reports whether a write to path updates something.
	exists(path string) bool
	serve(method, path string, body []byte) response
}

// Start returns a server that ends with the test. It has a Transit engine at
// transit/ and no keys.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s := newServer()
	h := httptest.NewServer(s)
	tb.Cleanup(h.Close)
	s.URL = h.URL
	return s
}

// StartTLS is Start with TLS.
func StartTLS(tb testing.TB) *Server {
	tb.Helper()
	s := newServer()
	h := httptest.NewUnstartedServer(s)
	h.Config.ErrorLog = quiet()
	h.StartTLS()
	tb.Cleanup(h.Close)
	s.URL = h.URL
	s.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw})
	return s
}

func newServer() *Server {
	return &Server{
		engines: map[string]engine{"transit": newTransit()},
		tokens:  map[string]map[string][]string{RootToken: nil},
	}
}

// MountTransit adds a Transit engine, which may lie below others: team/transit.
func (s *Server) MountTransit(path string) { s.mount(path, newTransit()) }

// MountKV adds a key/value engine of version 1.
func (s *Server) MountKV(path string) { s.mount(path, kv{}) }

func (s *Server) mount(path string, e engine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.engines[path] = e
}

// CreateKey makes a key in a Transit engine.
func (s *Server) CreateKey(path, name string) { s.manage(path, "keys/"+name, "{}") }

// RotateKey adds a version to a key.
func (s *Server) RotateKey(path, name string) { s.manage(path, "keys/"+name+"/rotate", "{}") }

// SetMinDecryptionVersion forbids the versions of a key below n.
func (s *Server) SetMinDecryptionVersion(path, name string, n int) {
	s.manage(path, "keys/"+name+"/config", fmt.Sprintf(`{"min_decryption_version":%d}`, n))
}

func (s *Server) manage(engine, path, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.engines[engine].serve(http.MethodPut, path, []byte(body)); r.status >= 300 {
		panic(fmt.Sprintf("vaulttest: %s/%s: %d %v", engine, path, r.status, r.body))
	}
}

// NewToken returns a token that has the capabilities ("create", "update") on
// exactly these paths, such as transit/decrypt/app.
func (s *Server) NewToken(policy map[string][]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if policy == nil {
		policy = map[string][]string{}
	}
	token := fmt.Sprintf("hvs.EXAMPLE%017d", len(s.tokens))
	s.tokens[token] = policy
	return token
}

// RevokeToken forgets a token.
func (s *Server) RevokeToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, token)
}

// SetNamespace moves everything into a namespace.
func (s *Server) SetNamespace(namespace string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.namespace = namespace
}

// SetSealed seals or unseals the server.
func (s *Server) SetSealed(sealed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = sealed
}

// Answer has the next request answered by h and not by the server. Several
// calls line up.
func (s *Server) Answer(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, h)
}

// Requests returns what was asked so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Stored returns what a key/value engine holds at a path, or nil.
func (s *Server) Stored(engine, path string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.engines[engine].(kv); ok {
		return k[path]
	}
	return nil
}

// find returns the engine at the longest prefix of path, and the rest of it.
func (s *Server) find(path string) (engine, string) {
	for at := len(path); at > 0; at = strings.LastIndex(path[:at], "/") {
		if e, ok := s.engines[path[:at]]; ok {
			return e, strings.TrimPrefix(path[at:], "/")
		}
	}
	return nil, ""
}
