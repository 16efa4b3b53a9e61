// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/signet-secrets/signet/seal/keys/internal/rest"
)

// maxAnswerBytes bounds an answer. Cloud KMS takes 64 KiB of plaintext at most.
const maxAnswerBytes = 256 << 10

const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 3 * time.Second
)

// request is one call of the REST API of Cloud KMS:
//
//	POST <base>/v1/projects/.../cryptoKeys/<key>:encrypt
type request struct {
	verb string // encrypt or decrypt
	key  string // resource id
	in   any    // body, as JSON
	out  any    // pointer to the answer
	// hide is what a server was sent and must not show when it is repeated.
	hide [][]byte
}

// do makes the call, with as many attempts as are worth it. It returns what the
// call was authorized with as far as it came to that, also with an error.
func (s *Service) do(ctx context.Context, r request) (*grant, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.o.Timeout, &timeoutError{after: s.o.Timeout, doing: doingCall})
	defer cancel()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	g, err := s.authorize(ctx)
	if err != nil {
		return nil, whileLooking(err)
	}
	body, err := json.Marshal(r.in)
	if err != nil {
		return g, err // never happens: bytes and numbers
	}
	var last error
	for attempt := 1; ; attempt++ {
		err := s.attempt(ctx, g, r, body)
		switch {
		case err == nil:
			return g, nil
		case ctx.Err() != nil:
			return g, withLast(context.Cause(ctx), last)
		case !retryable(err) || attempt >= s.o.Attempts:
			if e := new(answerError); errors.As(err, &e) && e.code == http.StatusUnauthorized {
				s.forget(g.identity)
			}
			return g, err
		}
		last = err
		if err := rest.Pause(ctx, max(backoff(attempt), waitOf(err))); err != nil {
			return g, withLast(err, last)
		}
	}
}

// attempt makes one request.
func (s *Service) attempt(ctx context.Context, g *grant, r request, body []byte) error {
	limit := s.attemptTimeout()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, &timeoutError{after: limit, doing: doingCall})
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.base+"/v1/"+r.key+":"+r.verb, bytes.NewReader(body))
	if err != nil {
		return &permanentError{errors.New("malformed address")} // never happens: both parts were checked
	}
	req.Header.Set("Authorization", "Bearer "+g.token())
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if g.quotaProject != "" {
		req.Header.Set("X-Goog-User-Project", g.quotaProject)
	}
	known := append(g.known(), r.hide...)
	resp, err := s.client.Do(req)
	if err != nil {
		return requestError(ctx, req.URL.Host, err, known)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes+1))
	switch {
	case err != nil:
		return requestError(ctx, req.URL.Host, err, known)
	case resp.StatusCode != http.StatusOK:
		return newAnswerError(resp, data, known)
	case len(data) > maxAnswerBytes:
		return &permanentError{fmt.Errorf("the answer has more than %d bytes", maxAnswerBytes)}
	case json.Unmarshal(data, r.out) != nil: // an error of package json may quote what it read
		return &permanentError{fmt.Errorf("the answer of %s is none of Cloud KMS", req.URL.Host)}
	}
	return nil
}

// backoff returns the time before the attempt after the given one, 1-based.
func backoff(attempt int) time.Duration {
	most := firstBackoff << min(attempt-1, 10)
	return rand.N(min(most, maxBackoff))
}

// waitOf returns how long a server asked to be left alone, up to maxBackoff.
func waitOf(err error) time.Duration {
	if e := new(answerError); errors.As(err, &e) {
		return min(e.retryAfter, maxBackoff)
	}
	return 0
}

// crc32c is the checksum of Cloud KMS: CRC-32C, as a decimal number in a string.
type crc32c string

func checksum(b []byte) crc32c {
	return crc32c(strconv.FormatUint(uint64(crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))), 10))
}
