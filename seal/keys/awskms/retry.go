// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"errors"
	"math/rand/v2"
	"net"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

const (
	firstBackoff = 50 * time.Millisecond
	maxBackoff   = 2 * time.Second
	// maxUnreachable is how many attempts may fail to connect: a wrong Region
	// or a NetworkPolicy would otherwise take the whole time of the call.
	maxUnreachable = 3
)

// retryer returns the SDK's retryer, which decides what is worth another
// attempt, with full jitter (the SDK has none at the maximum) and without its
// token bucket. That bucket is shared by all calls of a client and runs dry
// after 100 retries; from then on calls fail at the first throttling, which is
// when retries are needed. Here the rate limit keeps retries from becoming a
// storm, and attempts and time bound each call.
func retryer(maxAttempts int) *retry.Standard {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.RateLimiter = ratelimit.None
		o.Backoff = retry.BackoffDelayerFunc(backoff)
	})
}

// backoff returns the time before the attempt after the given one, 1-based.
func backoff(attempt int, _ error) (time.Duration, error) {
	most := firstBackoff << min(max(attempt-1, 0), 10)
	return rand.N(min(most, maxBackoff)), nil
}

// attempts is the retryer of one call. It remembers what the SDK forgets when
// the time of the call is over: why the last attempt failed. The SDK makes the
// attempts of a call one after the other.
type attempts struct {
	*retry.Standard
	failed      int
	unreachable int // of the last attempts, one after the other
	last        error
}

var _ aws.RetryerV2 = (*attempts)(nil)

// IsErrorRetryable implements aws.Retryer; the SDK asks after each failure.
func (a *attempts) IsErrorRetryable(err error) bool {
	if ended := new(smithy.CanceledError); errors.As(err, &ended) {
		return false
	}
	a.failed++
	a.last = err
	if !isUnreachable(err) {
		a.unreachable = -1
	}
	a.unreachable++
	return a.unreachable < maxUnreachable && a.Standard.IsErrorRetryable(err)
}

// isUnreachable reports whether there was no connection to send a request on.
func isUnreachable(err error) bool {
	op, dns := new(net.OpError), new(net.DNSError)
	return errors.As(err, &dns) || errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}
