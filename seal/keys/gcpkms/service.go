// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"net/http"
	"sync"
	"time"

	"cloud.google.com/go/auth"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/flight"
	"github.com/signet-secrets/signet/seal/keys/internal/rest"
)

// The defaults of Options.
const (
	DefaultTimeout  = 20 * time.Second
	DefaultAttempts = 5
)

// Options says how Cloud KMS is called. Zero fields take the defaults.
type Options struct {
	// Timeout bounds one Wrap or Unwrap, looking for credentials and all
	// attempts included.
	Timeout time.Duration
	// Attempts is how many requests one call makes at most.
	Attempts int
	// Endpoint is where Cloud KMS is, as https://host. http:// is accepted for
	// the machine itself only. "" stands for $SOPS_GCP_KMS_ENDPOINT, and where
	// that is not set for the service of the universe
	// ($SOPS_GCP_KMS_UNIVERSE_DOMAIN or $GOOGLE_CLOUD_UNIVERSE_DOMAIN, else
	// googleapis.com) that the credentials must belong to.
	Endpoint string
	// Credentials are used instead of looking for some.
	Credentials *auth.Credentials
	// Transport makes the requests of calls and of credentials, those to the
	// metadata server excepted. nil stands for one with the proxy of the
	// environment and the root certificates of the system.
	Transport http.RoundTripper
}

// Service wraps and unwraps secrets with keys of Cloud KMS, with one set of
// credentials. It is safe for concurrent use.
type Service struct {
	o      Options
	client *http.Client
	grants flight.Group[struct{}, *grant]

	mu       sync.Mutex
	identity *identity // nil until found
}

var (
	_ keys.Wrapper   = (*Service)(nil)
	_ keys.Unwrapper = (*Service)(nil)
)

// New returns a Service. Neither environment nor files are read, and nothing is
// called, before its first use.
func New(o Options) *Service {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Attempts <= 0 {
		o.Attempts = DefaultAttempts
	}
	s := &Service{o: o}
	s.client = &http.Client{
		Transport:     o.Transport,
		CheckRedirect: rest.NoRedirect,
	}
	if o.Transport == nil {
		s.client.Transport = rest.NewTransport(s.attemptTimeout())
	}
	return s
}

// attemptTimeout is less than half of the time of a call, so that a server that
// hangs is asked again.
func (s *Service) attemptTimeout() time.Duration { return s.o.Timeout * 2 / 5 }
