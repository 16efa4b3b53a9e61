// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"time"

	"github.com/go-logr/logr"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// The defaults of Options.
const (
	DefaultConcurrency  = 16
	DefaultMinBackoff   = time.Second
	DefaultMaxBackoff   = 10 * time.Minute
	DefaultResyncPeriod = 10 * time.Hour
	// DefaultShutdownTimeout fits into the 40 s that config/manager gives a Pod.
	DefaultShutdownTimeout = 30 * time.Second
)

// Options sets a controller up. Unwrapper and ParseIdentity are required; other
// zero fields take the defaults.
type Options struct {
	// Namespaces are those that are watched; none means all.
	Namespaces []string

	// Unwrapper gives the data keys of SealedSecrets and of SealingKeys. It
	// stands behind the allow-list and a cache.
	Unwrapper keys.Unwrapper
	// ParseIdentity makes use of the identities in SealingKeys.
	ParseIdentity unseal.ParseIdentity
	// Deny is denied in addition to sopsdoc.Denied.
	Deny sopsdoc.Policy
	// AllowList is the text of the allow-list that Unwrapper stands behind. Only
	// whether it is the same counts: every object is checked again when it is
	// not what it was.
	AllowList string
	// Counters are shown as metrics; nil: there are none.
	Counters *keys.Counters

	// Concurrency is how many objects are worked on at the same time.
	Concurrency int
	// MinBackoff and MaxBackoff bound the time between two attempts at an
	// object that fails.
	MinBackoff, MaxBackoff time.Duration
	// ResyncPeriod is how often every object is looked at without cause.
	ResyncPeriod time.Duration

	// Election is how replicas agree on who works.
	Election Election

	// MetricsAddress and HealthAddress are host:port to listen on, such as
	// ":8080"; "" means not at all. Metrics are at /metrics, health at
	// /healthz and /readyz.
	MetricsAddress, HealthAddress string
	// ShutdownTimeout is how long work that has begun may take after the end
	// was asked for.
	ShutdownTimeout time.Duration

	// Logger is what the manager and its controllers log to.
	Logger logr.Logger
}

// Election is how replicas agree on who works, by a Lease.
type Election struct {
	// Enabled is false for a controller that is alone.
	Enabled bool
	// Namespace and Name are those of the Lease.
	Namespace, Name string
	// LeaseDuration is how long others wait for a leader that is not heard of,
	// RenewDeadline how long the leader may work without being heard of, and
	// RetryPeriod how often it is heard of.
	LeaseDuration, RenewDeadline, RetryPeriod time.Duration
}

// The defaults of Election.
const (
	DefaultLeaseName     = "signet-controller"
	DefaultLeaseDuration = 15 * time.Second
	DefaultRenewDeadline = 10 * time.Second
	DefaultRetryPeriod   = 2 * time.Second
)

func (o Options) withDefaults() Options {
	setDefault(&o.Concurrency, DefaultConcurrency)
	setDefault(&o.MinBackoff, DefaultMinBackoff)
	setDefault(&o.MaxBackoff, DefaultMaxBackoff)
	setDefault(&o.ResyncPeriod, DefaultResyncPeriod)
	setDefault(&o.ShutdownTimeout, DefaultShutdownTimeout)
	setDefault(&o.Election.Name, DefaultLeaseName)
	setDefault(&o.Election.LeaseDuration, DefaultLeaseDuration)
	setDefault(&o.Election.RenewDeadline, DefaultRenewDeadline)
	setDefault(&o.Election.RetryPeriod, DefaultRetryPeriod)
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
