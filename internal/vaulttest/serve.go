// SPDX-License-Identifier: Apache-2.0

package vaulttest

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"strings"
)

// maxBodyBytes bounds a request.
const maxBodyBytes = 1 << 20

// response is an answer: data, or errors.
type response struct {
	status int
	body   any // nil: none
}

func data(d map[string]any) response {
	return response{http.StatusOK, map[string]any{
		"request_id": "0f5c2c3e-0000-4000-8000-000000000000", "lease_id": "", "renewable": false, "lease_duration": 0,
		"data": d, "wrap_info": nil, "warnings": nil, "auth": nil, "mount_type": "transit",
	}}
}

func fail(status int, text ...string) response {
	return response{status, map[string]any{"errors": text}}
}

// denied is how Vault puts errors together (hashicorp/go-multierror: format.go).
func denied(texts ...string) response {
	noun := "errors"
	if len(texts) == 1 {
		noun = "error"
	}
	return fail(http.StatusForbidden, fmt.Sprintf("%d %s occurred:\n\t* %s\n\n", len(texts), noun, strings.Join(texts, "\n\t* ")))
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBodyBytes))
	if err != nil {
		return
	}
	q := Request{
		Method: r.Method, Path: r.URL.EscapedPath(), Header: r.Header.Clone(), Body: body,
		Token: r.Header.Get("X-Vault-Token"), Namespace: strings.Trim(r.Header.Get("X-Vault-Namespace"), "/"),
	}
	if fault := s.record(q); fault != nil {
		fault(w, r)
		return
	}
	answer := s.handle(q)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(answer.status)
	if answer.body != nil {
		json.NewEncoder(w).Encode(answer.body)
	}
}

// record notes a request and returns what a test wants it answered with.
func (s *Server) record(q Request) http.HandlerFunc {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, q)
	if len(s.faults) == 0 {
		return nil
	}
	fault := s.faults[0]
	s.faults = s.faults[1:]
	return fault
}

// handle checks in the order of Vault: seal, token, policy, route.
func (s *Server) handle(q Request) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	path, ok := strings.CutPrefix(q.Path, "/v1/")
	if !ok {
		return fail(http.StatusNotFound)
	}
	if s.sealed {
		return fail(http.StatusServiceUnavailable, "Vault is sealed")
	}
	policy, known := s.tokens[q.Token]
	switch {
	case q.Token == "":
		return fail(http.StatusForbidden, "permission denied")
	case !known:
		return denied("permission denied", "invalid token")
	}
	// A server without namespaces does not look at the header.
	here := s.namespace == "" || q.Namespace == s.namespace
	var e engine
	var rest string
	if here {
		e, rest = s.find(path)
	}
	need := "update"
	if e != nil && !e.exists(rest) {
		need = "create"
	}
	switch {
	case policy != nil && (!here || !slices.Contains(policy[path], need)):
		return denied("permission denied")
	case e == nil:
		return fail(http.StatusNotFound, fmt.Sprintf("no handler for route %q. route entry not found.", path))
	}
	return e.serve(q.Method, rest, q.Body)
}

// quiet swallows what an HTTP server says about clients that do not trust it.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
