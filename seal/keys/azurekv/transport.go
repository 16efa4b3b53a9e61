// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/rest"
)

// maxAnswerBytes bounds an answer. Those of the login service are the longest.
const maxAnswerBytes = 256 << 10

// transport is the HTTP client of the SDK. What it bounds is one attempt, so
// that the retries above it have something to retry. Answers are read to their
// end within that time.
type transport struct {
	client  *http.Client
	timeout time.Duration
	vault   key // zero for credentials
}

var _ policy.Transporter = (*transport)(nil)

// Do implements policy.Transporter.
func (t *transport) Do(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeoutCause(req.Context(), t.timeout, &timeoutError{after: t.timeout, doing: "calling " + req.URL.Hostname()})
	defer cancel()
	resp, err := t.client.Do(req.WithContext(ctx))
	if err != nil {
		return nil, requestError(ctx, req, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes+1))
	switch {
	case err != nil:
		return nil, requestError(ctx, req, err)
	case len(body) > maxAnswerBytes:
		return nil, &permanentError{fmt.Errorf("the answer has more than %d bytes", maxAnswerBytes)}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if t.vault.host != "" && resp.StatusCode == http.StatusUnauthorized {
		if err := t.vault.checkChallenge(resp.Header); err != nil {
			return nil, &challengeError{host: t.vault.host, err: err}
		}
	}
	return resp, nil
}

// newTransport returns what requests are made with.
func newTransport(attempt time.Duration) *http.Transport {
	t := rest.NewTransport(attempt)
	t.Proxy = besidesMetadata(t.Proxy)
	return t
}

// proxyFunc chooses the proxy of a request, nil for none.
type proxyFunc func(*http.Request) (*url.URL, error)

// besidesMetadata chooses as p, but none for the metadata service of the
// machine (169.254.169.254). A proxy would answer in its place, and the SDK,
// taking that for a machine of Azure's, would ask it again and again instead of
// trying the login of the Azure CLI.
func besidesMetadata(p proxyFunc) proxyFunc {
	return func(req *http.Request) (*url.URL, error) {
		if ip := net.ParseIP(req.URL.Hostname()); ip != nil && ip.IsLinkLocalUnicast() {
			return nil, nil
		}
		return p(req)
	}
}

// requestError is a request without an answer. ctx is that of the attempt.
func requestError(ctx context.Context, req *http.Request, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if e := new(url.Error); errors.As(err, &e) {
		err = e.Err // without the URL
	}
	text := errors.New(req.URL.Host + ": " + keys.ForeignText(err.Error(), tokenOf(req)))
	if errors.As(err, new(*tls.CertificateVerificationError)) {
		return &permanentError{text}
	}
	if dns := new(net.DNSError); errors.As(err, &dns) && dns.IsNotFound {
		return &hostError{text}
	}
	return text
}
