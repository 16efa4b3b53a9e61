// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/rest"
)

// maxAnswerBytes bounds an answer. One with a wrapped secret has some 1,000.
const maxAnswerBytes = 64 << 10

const (
	firstBackoff = 250 * time.Millisecond
	maxBackoff   = 2 * time.Second
)

// request is one call of a Transit engine:
//
//	PUT <address>/v1/<engine>/<verb>/<key>
type request struct {
	entry keys.VaultEntry // checked
	verb  string          // encrypt or decrypt
	in    any             // body, as JSON
	out   any             // pointer to the data of the answer
	// hide is what a server was sent and must not show when it is repeated.
	hide [][]byte
}

func (r request) url() string {
	return strings.TrimSuffix(r.entry.Address, "/") + "/v1/" + r.entry.EnginePath + "/" + r.verb + "/" + r.entry.KeyName
}

// do makes the call, with as many attempts as are worth it.
func (s *Service) do(ctx context.Context, r request) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.o.Timeout, &timeoutError{after: s.o.Timeout})
	defer cancel()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	set, err := s.settings()
	if err != nil {
		return err
	}
	if !set.allow.allows(r.entry.Address) {
		return errAllowlist
	}
	t, err := readToken()
	if err != nil {
		return err
	}
	body, err := json.Marshal(r.in)
	if err != nil {
		return err // never happens: bytes and texts
	}
	var last error
	for attempt := 1; ; attempt++ {
		err := set.attempt(ctx, t, r, body)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return withLast(context.Cause(ctx), last)
		case !retryable(err) || attempt >= s.o.Attempts:
			return err
		}
		last = err
		if err := rest.Pause(ctx, max(backoff(attempt), waitOf(err))); err != nil {
			return withLast(err, last)
		}
	}
}

// attempt makes one request. The token is in no other one.
func (set *settings) attempt(ctx context.Context, t token, r request, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, r.url(), bytes.NewReader(body))
	if err != nil {
		return &permanentError{errors.New("malformed address")} // never happens: it was checked
	}
	req.Header = set.header.Clone()
	hide := r.hide
	if t.text != "" {
		req.Header.Set("X-Vault-Token", t.text)
		hide = append([][]byte{[]byte(t.text)}, hide...)
	}
	resp, err := set.client.Do(req)
	if err != nil {
		return requestError(ctx, req.URL.Host, err, hide)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes+1))
	switch {
	case err != nil:
		return requestError(ctx, req.URL.Host, err, hide)
	case resp.StatusCode >= 300:
		return newAnswerError(resp, data, t, hide)
	case len(data) > maxAnswerBytes:
		return &permanentError{fmt.Errorf("the answer has more than %d bytes", maxAnswerBytes)}
	}
	answer := struct {
		Data any `json:"data"`
	}{r.out}
	if json.Unmarshal(data, &answer) != nil { // an error of package json may quote what it read
		return &notTransitError{}
	}
	return nil
}

// backoff returns the time before the attempt after the given one, 1-based.
func backoff(attempt int) time.Duration {
	most := min(firstBackoff<<min(attempt-1, 10), maxBackoff)
	return most/2 + rand.N(most/2)
}

// waitOf returns how long a server asked to be left alone, up to maxBackoff.
func waitOf(err error) time.Duration {
	if e := new(answerError); errors.As(err, &e) {
		return min(e.retryAfter, maxBackoff)
	}
	return 0
}
