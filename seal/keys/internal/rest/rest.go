// SPDX-License-Identifier: Apache-2.0

// Package rest has what the key services with a REST API are called with alike:
// connections, waiting, and what a server says about that. Requests, answers and
// whether another attempt is of use are for the provider.
package rest

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strconv"
	"time"
)

// maxIdlePerHost keeps a connection for each of the calls that a program makes
// at once; with 2, the default, most would dial anew.
const maxIdlePerHost = 64

// NewTransport returns what requests are made with whose attempts take up to
// attempt. It uses the proxy of the environment and the root certificates of the
// system, which the caller may change before its first use. HTTP/1.1 alone,
// because an attempt that is given up then takes its connection with it: one
// dead HTTP/2 connection would time all attempts out.
func NewTransport(attempt time.Duration) *http.Transport {
	http1 := new(http.Protocols)
	http1.SetHTTP1(true)
	// A host that cannot be reached is told from a server that does not answer.
	dialer := &net.Dialer{Timeout: attempt * 3 / 4}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		TLSHandshakeTimeout: attempt * 3 / 4,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		Protocols:           http1,
		MaxIdleConns:        4 * maxIdlePerHost,
		MaxIdleConnsPerHost: maxIdlePerHost,
		IdleConnTimeout:     90 * time.Second,
	}
}

// NoRedirect is the CheckRedirect of a client. It keeps requests, which carry
// tokens and secrets, where they were sent to.
func NoRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// RetryAfter returns how long a server asks to be left alone, 0 if it does not
// say that in seconds. The caller bounds it: it may be a hundred years.
func RetryAfter(h http.Header) time.Duration {
	seconds, err := strconv.ParseUint(h.Get("Retry-After"), 10, 32)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// Pause waits for d. The error is the cause of the end of ctx.
func Pause(ctx context.Context, d time.Duration) error {
	if end, ok := ctx.Deadline(); ok && time.Until(end) < d {
		<-ctx.Done() // comes first, also where a busy machine tells of both at once
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
