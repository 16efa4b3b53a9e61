// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/signet-secrets/signet/seal/keys/internal/flight"
)

// credentials bounds the search for credentials, which without a metadata
// service can take for ever, and shares a failure: all who look for the same
// credentials within flight.FailureTTL get it. It is safe for concurrent use.
type credentials struct {
	id      identity
	source  *aws.CredentialsCache // one search at a time, for all who ask
	from    []aws.CredentialSource
	timeout time.Duration
	base    *credentials // with which a role is assumed, or nil

	mu    sync.Mutex
	err   error
	until time.Time // end of the life of err
}

var _ aws.CredentialsProvider = (*credentials)(nil)

func newCredentials(id identity, source aws.CredentialsProvider, timeout time.Duration) *credentials {
	cache, ok := source.(*aws.CredentialsCache)
	if !ok {
		cache = aws.NewCredentialsCache(source)
	}
	c := &credentials{id: id, source: cache, from: cache.ProviderSources(), timeout: timeout}
	if c.is(aws.CredentialSourceProcess) {
		// It may ask the user for something.
		c.timeout = max(timeout, time.Minute)
	}
	return c
}

// is reports whether the credentials come from one of the sources.
func (c *credentials) is(sources ...aws.CredentialSource) bool {
	return slices.ContainsFunc(c.from, func(s aws.CredentialSource) bool { return slices.Contains(sources, s) })
}

// Retrieve implements aws.CredentialsProvider. The error is a *failure or that
// of ctx.
func (c *credentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if err := c.recent(); err != nil {
		return aws.Credentials{}, err
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	found, err := c.source.Retrieve(limited)
	switch f := new(failure); {
	case err == nil:
		return found, nil
	case ctx.Err() != nil:
		return aws.Credentials{}, ctx.Err()
	case errors.As(err, &f): // of the credentials that a role is assumed with
		err = f
	case limited.Err() != nil:
		err = c.explain(&attemptTimeoutError{c.timeout})
	default:
		err = c.explain(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err, c.until = err, time.Now().Add(flight.FailureTTL)
	return aws.Credentials{}, err
}

// recent returns the last failure if it still stands.
func (c *credentials) recent() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil && time.Now().Before(c.until) {
		return c.err
	}
	return nil
}

// refused has the next call look for new credentials, because AWS does not take
// those at hand.
func (c *credentials) refused() { c.source.Invalidate() }
