// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"net/http"
	"sync"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/rest"
)

// The defaults of Options.
const (
	DefaultTimeout  = 10 * time.Second
	DefaultAttempts = 3
)

// Options says how servers are called. Zero fields take the defaults.
type Options struct {
	// Address is the user's own server, as in VAULT_ADDR; "" if there is none.
	// It decides nothing: entries name the server that is called, and which of
	// them may be called is decided before. Where the two differ, hints say so.
	Address string
	// Timeout bounds one Wrap or Unwrap, all attempts included.
	Timeout time.Duration
	// Attempts is how many requests one call makes at most.
	Attempts int
}

// Service wraps and unwraps secrets with keys of Transit engines. It is safe
// for concurrent use.
type Service struct {
	o        Options
	settings func() (*settings, error)
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
	return &Service{o: o, settings: sync.OnceValues(func() (*settings, error) { return readSettings(o.Timeout) })}
}

// settings is what the environment says about connections and requests.
type settings struct {
	client *http.Client
	header http.Header // without the token
	allow  allowlist
}

// readSettings reads the variables of Vault's own clients, apart from the
// token. The error is a *settingError.
func readSettings(timeout time.Duration) (*settings, error) {
	transport, err := newTransport(timeout)
	if err != nil {
		return nil, err
	}
	header, err := newHeader()
	if err != nil {
		return nil, err
	}
	allow, err := readAllowlist()
	if err != nil {
		return nil, err
	}
	return &settings{
		client: &http.Client{Transport: transport, CheckRedirect: rest.NoRedirect},
		header: header,
		allow:  allow,
	}, nil
}
