// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// clientID tells SDK clients apart.
type clientID struct {
	region   string
	identity identity
}

// client is a client of the SDK, with what its calls share.
type client struct {
	*kms.Client
	session *session
	retryer *retry.Standard
}

// prepare returns a call about a key with the identity of r, and the client to
// make it with. Building one opens the session and calls nothing.
func (s *Service) prepare(ctx context.Context, action string, r request, key KeyARN) (*call, *client, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	local := s.local()
	id := identity{profile: r.entry.AWSProfile, role: r.entry.Role, home: home(local, key)}
	c, err := s.clients.get(ctx, clientID{key.Region, id}, func() (*client, error) { return s.newClient(ctx, key.Region, id) })
	if err != nil {
		return nil, nil, err
	}
	return &call{
		action: action, key: key, entry: r.entry, local: local, session: c.session,
		attempts: attempts{Standard: c.retryer},
	}, c, nil
}

func (s *Service) newClient(ctx context.Context, region string, id identity) (*client, error) {
	// All who wait for the client share the outcome: it must not be that the
	// first one was cancelled.
	opened, err := s.openSession(context.WithoutCancel(ctx), id)
	if err != nil {
		return nil, err
	}
	cfg := opened.cfg.Copy()
	cfg.Region = region
	sdk := kms.NewFromConfig(cfg, func(o *kms.Options) {
		o.HTTPClient = opened.http
		o.RetryMaxAttempts = 0 // of AWS_MAX_ATTEMPTS
	})
	return &client{sdk, opened, retryer(s.o.MaxAttempts)}, nil
}
