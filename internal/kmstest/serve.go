// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			s.serveSTS(w, r)
			return
		}
		s.serveKMS(w, r)
	})
	mux.HandleFunc("GET /counts", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(s.Counts())
	})
	mux.HandleFunc("POST /counts/reset", func(w http.ResponseWriter, _ *http.Request) {
		s.ResetCounts()
		w.WriteHeader(http.StatusNoContent)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.requests.start() {
			panic(http.ErrAbortHandler) // closes the connection
		}
		defer s.requests.running.Done()
		mux.ServeHTTP(w, r)
	})
}

// call is a KMS request on its way through the server.
type call struct {
	log    Call
	caller principal
	region string
	body   []byte
}

// answer is what becomes of a call.
type answer struct {
	result any   // to be JSON; nil is an empty body
	err    error // an *apiError
	cut    Fault // leaves the call without an answer, if not noFault
}

// serveKMS ends the call in the books before its answer leaves: a client that
// has the answer may look at the counts, or send its next request, at once.
func (s *Server) serveKMS(w http.ResponseWriter, r *http.Request) {
	target := r.Header.Get("X-Amz-Target")
	operation, ok := strings.CutPrefix(target, "TrentService.")
	if !ok {
		writeAnswer(w, newUUID(), answer{err: &apiError{code: codeUnknownOperation}})
		return
	}
	body, err := readBody(w, r)
	if errors.Is(err, errClientLeft) {
		panic(http.ErrAbortHandler) // closes the connection
	}
	c := &call{log: Call{Operation: operation, RequestID: newUUID()}, body: body}
	s.stats.begin(operation)
	a := answer{err: err}
	if err == nil {
		a = s.answer(r, c)
	}
	c.log.Error = string(a.cut)
	if failed := (*apiError)(nil); a.cut == noFault && errors.As(a.err, &failed) {
		c.log.Error = failed.code
	}
	s.stats.end(c.log)
	if a.cut != noFault {
		cutConnection(w, a.cut)
		return
	}
	writeAnswer(w, c.log.RequestID, a)
}

func (s *Server) answer(r *http.Request, c *call) answer {
	c.note()
	var authErr error
	c.caller, c.region, authErr = s.authenticate(r, c.body, "kms")
	c.log.Principal, c.log.Region = c.caller.arn, c.region

	p := s.faults.next(c.log.Operation)
	if p.latency > 0 && !s.sleep(r.Context(), p.latency) {
		return answer{cut: gaveUp}
	}
	switch p.fault {
	case Hang:
		if p.hangFor == 0 {
			p.hangFor = 1 << 62 // for ever: the client or Close ends it
		}
		s.sleep(r.Context(), p.hangFor)
		return answer{cut: Hang}
	case ResetBefore:
		return answer{cut: ResetBefore}
	case Throttle, Internal, DependencyTimeout, KeyUnavailable:
		return answer{err: p.fault.answer()}
	}
	if authErr != nil {
		return answer{err: authErr}
	}
	a := s.operate(c)
	if p.fault == ResetAfter {
		a.cut = ResetAfter
	}
	return a
}

// note puts what the body says of key and context into the log, as far as it
// can be read; the operation tells the client what is wrong with it.
func (c *call) note() {
	var seen struct {
		KeyID, SourceKeyID, TargetKeyID            string
		EncryptionContext, SourceEncryptionContext map[string]string
	}
	json.Unmarshal(c.body, &seen)
	c.log.KeyID, c.log.Context = seen.KeyID, seen.EncryptionContext
	switch c.log.Operation {
	case "ReEncrypt":
		c.log.KeyID, c.log.Context = seen.SourceKeyID, seen.SourceEncryptionContext
	case "CreateAlias":
		c.log.KeyID = seen.TargetKeyID
	}
}

var errClientLeft = errors.New("the body did not arrive")

// readBody returns an *apiError if the body is too large.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return nil, &apiError{code: codeTooLarge}
	}
	if err != nil {
		return nil, errClientLeft
	}
	return body, nil
}

// sleep reports whether the time passed before the client left or the server
// closed.
func (s *Server) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-s.closing:
	}
	return false
}

// cutConnection closes the client's connection without an answer. For a reset
// it discards what the system would still send: the client then gets an RST.
func cutConnection(w http.ResponseWriter, f Fault) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // closes the connection
	}
	if tcp, ok := conn.(*net.TCPConn); ok && (f == ResetBefore || f == ResetAfter) {
		tcp.SetLinger(0)
	}
	conn.Close()
}

func writeAnswer(w http.ResponseWriter, requestID string, a answer) {
	status, body := http.StatusOK, []byte(nil)
	switch failed := (*apiError)(nil); {
	case errors.As(a.err, &failed):
		status = statusOf(failed.code)
		body, _ = json.Marshal(struct {
			Type    string `json:"__type"`
			Message string `json:"message,omitempty"`
		}{failed.code, failed.message})
	case a.result != nil:
		body, _ = json.Marshal(a.result)
	}
	w.Header().Set("x-amzn-RequestId", requestID)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("Cache-Control", "no-cache, no-store, must-revalidate, private")
	w.WriteHeader(status)
	w.Write(body)
}
