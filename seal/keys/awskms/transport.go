// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"golang.org/x/time/rate"
)

const (
	// maxResponseBytes bounds an answer. That of Encrypt has 6,144 bytes of
	// ciphertext at most, in base64.
	maxResponseBytes = 64 << 10
	// maxIdlePerHost keeps a connection for each of the calls that a program
	// makes at once; 10, the default of the SDK, would have 20 callers dial,
	// with a TLS handshake, for every other call.
	maxIdlePerHost = 64
)

// transport is the HTTP client of KMS calls. What it bounds is one attempt, so
// that the retries above it have something to retry: a server that hangs is
// left after the timeout. Answers are read to their end within that time.
type transport struct {
	client  aws.HTTPClient
	limiter *rate.Limiter // nil: none
	timeout time.Duration
}

// Do implements aws.HTTPClient.
func (t *transport) Do(req *http.Request) (*http.Response, error) {
	if err := t.wait(req.Context()); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(req.Context(), t.timeout, &attemptTimeoutError{t.timeout})
	defer cancel()
	resp, err := t.client.Do(req.WithContext(ctx))
	if err != nil {
		return nil, t.cause(ctx, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponseBytes+1))
	switch {
	case err != nil:
		return nil, t.cause(ctx, err)
	case len(body) > maxResponseBytes:
		return nil, &permanentError{fmt.Errorf("the answer has more than %d bytes", maxResponseBytes)}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// wait takes a place in the queue of all calls.
func (t *transport) wait(ctx context.Context) error {
	if t.limiter == nil {
		return nil
	}
	err := t.limiter.Wait(ctx)
	if err != nil && ctx.Err() == nil {
		return &permanentError{fmt.Errorf("its turn does not come in time at %v requests per second", t.limiter.Limit())}
	}
	return err
}

// cause replaces an error that the end of the attempt brought about, and marks
// one that another attempt would bring again.
func (t *transport) cause(ctx context.Context, err error) error {
	if timeout := new(attemptTimeoutError); errors.As(context.Cause(ctx), &timeout) {
		return timeout
	}
	if isCertificate(err) {
		return &permanentError{err}
	}
	return err
}

// isCertificate reports whether a server could not prove who it is.
func isCertificate(err error) bool {
	return errors.As(err, new(*tls.CertificateVerificationError))
}

// closeIdle closes connections that no call uses.
func (t *transport) closeIdle() {
	if c, ok := t.client.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// attemptTimeoutError says that a server did not answer in time. The SDK takes
// everything that Do returns for a connection error, and tries again.
type attemptTimeoutError struct{ after time.Duration }

func (e *attemptTimeoutError) Error() string { return fmt.Sprintf("no answer within %v", e.after) }

// permanentError is an error that the SDK is not to try again.
type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// RetryableError is what the retryer of the SDK asks for.
func (e *permanentError) RetryableError() bool { return false }

// httpClient returns what credentials are looked for with. It is a
// BuildableClient, because only to one of those the SDK adds the certificates
// of AWS_CA_BUNDLE and the short timeouts of the instance metadata service. A
// call now and then needs no idle connections.
func httpClient(timeout time.Duration) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithTimeout(timeout).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout(timeout) }).
		WithTransportOptions(func(t *http.Transport) {
			t.DisableKeepAlives = true
			onlyHTTP1(t)
		})
}

// callClient returns the client for KMS calls, with the certificates that the
// SDK added to c. A client that is none of ours is used as it is.
func callClient(c aws.HTTPClient, attempt time.Duration) aws.HTTPClient {
	b, ok := c.(*awshttp.BuildableClient)
	if !ok {
		return c
	}
	dialer := b.GetDialer()
	dialer.Timeout = dialTimeout(attempt)
	t := b.GetTransport() // a copy; at least TLS 1.2, and the proxy of the environment
	t.DialContext = dialer.DialContext
	t.DisableKeepAlives = false
	onlyHTTP1(t)
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 4*maxIdlePerHost, maxIdlePerHost
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// onlyHTTP1 keeps t from HTTP/2. With HTTP/1.1 an attempt that is given up takes
// its connection with it; one dead HTTP/2 connection would time all retries out.
func onlyHTTP1(t *http.Transport) {
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	// The SDK has copied the transport, which put HTTP/2 there.
	t.TLSClientConfig.NextProtos = []string{"http/1.1"}
	t.TLSNextProto = nil
}

// dialTimeout is shorter than an attempt, so that a host that cannot be reached
// is told from a server that does not answer.
func dialTimeout(attempt time.Duration) time.Duration { return attempt * 3 / 4 }
