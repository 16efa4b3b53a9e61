// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/rest"
)

// The defaults of Options.
const (
	DefaultTimeout  = 20 * time.Second
	DefaultAttempts = 5
)

const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 5 * time.Second
)

// maxClients bounds what documents can make a Service keep.
const maxClients = 256

// Options says how Key Vault is called. Zero fields take the defaults.
type Options struct {
	// Timeout bounds one Wrap or Unwrap, looking for credentials and all
	// attempts included.
	Timeout time.Duration
	// Attempts is how many times one request is made at most.
	Attempts int
	// Credential is used instead of azidentity's DefaultAzureCredential.
	Credential azcore.TokenCredential
	// Transport makes the requests of calls and of credentials. nil stands for
	// one with the proxy of the environment, which those to the machine's own
	// metadata service pass by, and the root certificates of the system.
	Transport http.RoundTripper
}

// Service wraps and unwraps secrets with keys of Key Vault, with one set of
// credentials. It is safe for concurrent use.
type Service struct {
	o          Options
	client     *http.Client
	credential *credential

	mu      sync.Mutex
	clients map[string]*azkeys.Client // by host
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
	s := &Service{o: o, clients: map[string]*azkeys.Client{}}
	s.client = &http.Client{Transport: o.Transport, CheckRedirect: rest.NoRedirect}
	if o.Transport == nil {
		s.client.Transport = newTransport(s.attemptTimeout())
	}
	s.credential = &credential{
		given:   o.Credential,
		timeout: o.Timeout,
		options: azcore.ClientOptions{Transport: &transport{client: s.client, timeout: s.attemptTimeout()}, Retry: s.retries()},
	}
	return s
}

// attemptTimeout is less than half of the time of a call, so that a server that
// hangs is asked again.
func (s *Service) attemptTimeout() time.Duration { return s.o.Timeout * 2 / 5 }

func (s *Service) retries() policy.RetryOptions {
	r := policy.RetryOptions{MaxRetries: int32(min(s.o.Attempts-1, 100)), RetryDelay: firstBackoff, MaxRetryDelay: maxBackoff}
	if r.MaxRetries == 0 {
		r.MaxRetries = -1 // 0 stands for the SDK's default
	}
	return r
}

// clientFor returns the client of a vault, which keeps the vault's challenge:
// only the first call needs a request to learn it.
func (s *Service) clientFor(k key) (*azkeys.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.clients[k.host]; c != nil {
		return c, nil
	}
	c, err := azkeys.NewClient(k.url(), s.credential, &azkeys.ClientOptions{
		ClientOptions: azcore.ClientOptions{
			Transport: &transport{client: s.client, timeout: s.attemptTimeout(), vault: k},
			Retry:     s.retries(),
		},
		// A token for one service must not reach another one that asks for it.
		DisableChallengeResourceVerification: false,
	})
	if err != nil {
		return nil, err
	}
	for other := range s.clients {
		if len(s.clients) < maxClients {
			break
		}
		delete(s.clients, other)
	}
	s.clients[k.host] = c
	return c, nil
}
