// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"context"
	"errors"
	"net"
	"os"

	"cloud.google.com/go/auth"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/rest"
)

// Where Cloud KMS is, if not at Google (sops: gcpkms/keysource.go;
// cloud.google.com/go/auth: internal/internal.go).
const (
	envEndpoint     = "SOPS_GCP_KMS_ENDPOINT"
	envSOPSUniverse = "SOPS_GCP_KMS_UNIVERSE_DOMAIN"
	envUniverse     = "GOOGLE_CLOUD_UNIVERSE_DOMAIN"
	defaultUniverse = "googleapis.com"
)

// tokenTries is how often a token is asked for while the server that gives them
// has troubles of its own.
const tokenTries = 3

// grant is what a request is authorized with.
type grant struct {
	*identity
	token        func() string // value; a function because fmt prints those as addresses
	quotaProject string        // project that pays, or ""
}

// known returns what must not show in any text.
func (g *grant) known() [][]byte { return append(g.secrets(), []byte(g.token())) }

// authorize returns a grant with a token that is valid. All who ask at the same
// time get the same one, whose owner keeps it until it expires.
func (s *Service) authorize(ctx context.Context) (*grant, error) {
	return s.grants.Do(ctx, struct{}{}, func() (*grant, error) {
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), s.o.Timeout, &timeoutError{after: s.o.Timeout, doing: doingLookup})
		defer cancel()
		id, err := s.whoAmI(ctx)
		if err != nil {
			return nil, causeOf(ctx, err)
		}
		token, err := id.fetch(ctx)
		if err != nil {
			s.forget(id)
			return nil, causeOf(ctx, err)
		}
		quota, err := id.creds().QuotaProjectID(ctx)
		if err != nil || !isProject(quota) {
			quota = ""
		}
		return &grant{identity: id, token: func() string { return token.Value }, quotaProject: quota}, nil
	})
}

// whoAmI returns the identity of the Service, which is looked for until found
// and while it is of use.
func (s *Service) whoAmI(ctx context.Context) (*identity, error) {
	s.mu.Lock()
	id := s.identity
	s.mu.Unlock()
	if id != nil {
		return id, nil
	}
	id, err := s.findIdentity(ctx)
	if err != nil {
		return nil, err
	}
	if id.base, err = s.baseURL(ctx, id); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.identity = id
	s.mu.Unlock()
	return id, nil
}

// forget drops credentials that are of no use any more: a file may have been
// replaced since they were found.
func (s *Service) forget(id *identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.identity == id {
		s.identity = nil
	}
}

// baseURL returns where to call. A token of one universe is not shown to
// another.
func (s *Service) baseURL(ctx context.Context, id *identity) (string, error) {
	name, endpoint := "endpoint", s.o.Endpoint
	if endpoint == "" {
		name, endpoint = envEndpoint, os.Getenv(envEndpoint)
	}
	if endpoint != "" {
		base, err := parseEndpoint(endpoint)
		if err != nil {
			return "", &credentialsError{place: name, err: err, permanent: true}
		}
		return base, nil
	}
	name, want := universe()
	base, err := parseEndpoint("https://cloudkms." + want)
	if err != nil {
		return "", &credentialsError{place: name, err: errors.New("want a domain such as " + defaultUniverse), permanent: true}
	}
	got, err := id.creds().UniverseDomain(ctx)
	switch {
	case err != nil:
		return "", &credentialsError{place: id.caller, err: errors.New(keys.ForeignText(err.Error(), id.secrets()...))}
	case got != want:
		return "", &credentialsError{place: id.caller, err: errors.New("belongs to the universe " + keys.ForeignText(got) + ", want " + keys.ForeignText(want)), permanent: true}
	}
	return base, nil
}

// universe returns the universe to call, and where it is from.
func universe() (name, domain string) {
	for _, name := range []string{envSOPSUniverse, envUniverse} {
		if domain := os.Getenv(name); domain != "" {
			return name, domain
		}
	}
	return "", defaultUniverse
}

// fetch returns a token. The library fetches one only when the last expires,
// and tries once.
func (id *identity) fetch(ctx context.Context) (*auth.Token, error) {
	for try := 1; ; try++ {
		token, err := id.creds().Token(ctx)
		if err == nil && token.Value == "" {
			err = errors.New("an empty token was given")
		}
		if err == nil {
			return token, nil
		}
		temporary, permanent := judgeToken(err)
		if !temporary || try == tokenTries || rest.Pause(ctx, backoff(try)) != nil {
			return nil, &credentialsError{place: id.caller, err: errors.New(keys.ForeignText(err.Error(), id.secrets()...)), permanent: permanent}
		}
	}
}

// judgeToken tells whether asking for a token again is of use now, and whether
// it never will be. Of some errors the library leaves nothing but a text.
func judgeToken(err error) (temporary, permanent bool) {
	if refused := new(auth.Error); errors.As(err, &refused) {
		return refused.Temporary(), !refused.Temporary()
	}
	return errors.As(err, new(net.Error)), false
}
