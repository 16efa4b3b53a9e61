// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/signet-secrets/signet/seal/keys/internal/chars"
)

const (
	// credentialsAttempt bounds one request for credentials, and
	// credentialsAttempts how many there are.
	credentialsAttempt  = 3 * time.Second
	credentialsAttempts = 3
	// expiryWindow is how long before their end credentials are renewed.
	expiryWindow = 30 * time.Second
)

// identity is whose credentials are used, and where STS is asked for them.
type identity struct {
	profile string // of the AWS configuration; "" is what the environment says
	role    string // assumed on top, or ""
	home    string // Region
}

// session holds the credentials of one identity. Calls in all Regions share it,
// so that STS is called once for each identity and not for each document.
type session struct {
	id     identity
	cfg    aws.Config // its Credentials are a *credentials
	http   *transport // for KMS
	caller shared[struct{}, string]
}

// openSession returns the session of an identity. Nothing is called.
func (s *Service) openSession(ctx context.Context, id identity) (*session, error) {
	if id.role == "" {
		return s.sessions.get(ctx, id, func() (*session, error) { return s.load(ctx, id) })
	}
	base, err := s.openSession(ctx, identity{profile: id.profile, home: id.home})
	if err != nil {
		return nil, err
	}
	return s.sessions.get(ctx, id, func() (*session, error) { return base.assume(id, s.o.CredentialsTimeout), nil })
}

// load reads what the default chain of the SDK reads.
func (s *Service) load(ctx context.Context, id identity) (*session, error) {
	client := httpClient(credentialsAttempt)
	options := []func(*config.LoadOptions) error{
		config.WithRegion(id.home),
		config.WithLogger(logging.Nop{}), // the SDK's own writes to stderr
		config.WithHTTPClient(client),
		config.WithRetryer(func() aws.Retryer { return retryer(credentialsAttempts) }),
		// The mode "auto" would ask the instance metadata service.
		config.WithDefaultsMode(aws.DefaultsModeStandard),
		config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = client }),
		config.WithCredentialsCacheOptions(func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = expiryWindow }),
	}
	if id.profile != "" {
		options = append(options, config.WithSharedConfigProfile(id.profile))
	}
	cfg, err := config.LoadDefaultConfig(context.WithoutCancel(ctx), append(options, s.o.LoadOptions...)...)
	if err != nil {
		return nil, loadCause(id, err)
	}
	if usesMetadata(cfg.Credentials) {
		cfg.Credentials = metadataCredentials(cfg)
	}
	http := &transport{callClient(cfg.HTTPClient, s.o.AttemptTimeout), s.limiter, s.o.AttemptTimeout}
	cfg.Credentials = newCredentials(id, cfg.Credentials, s.o.CredentialsTimeout)
	return &session{id: id, cfg: cfg, http: http}, nil
}

// usesMetadata reports whether the chain of the SDK came to its end: the EC2
// instance metadata service is asked because nothing else is set up.
func usesMetadata(p aws.CredentialsProvider) bool {
	return aws.IsCredentialsProvider(p, (*ec2rolecreds.Provider)(nil))
}

// metadataCredentials asks the EC2 instance metadata service. The SDK waits for
// a second between its attempts and takes 5 seconds to say that there is none,
// which is what a new user meets first.
func metadataCredentials(cfg aws.Config) aws.CredentialsProvider {
	return aws.NewCredentialsCache(ec2rolecreds.New(func(o *ec2rolecreds.Options) {
		o.Client = imds.NewFromConfig(cfg, func(o *imds.Options) {
			o.DisableDefaultMaxBackoff = true
			o.Retryer = retryer(2)
		})
	}), func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = expiryWindow })
}

// assume returns a session of a role that is assumed with the credentials of s.
func (s *session) assume(id identity, timeout time.Duration) *session {
	cfg := s.cfg.Copy()
	provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(s.cfg), id.role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = sessionName()
	})
	cache := aws.NewCredentialsCache(provider, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = expiryWindow })
	found := newCredentials(id, cache, timeout)
	found.base = s.credentials()
	cfg.Credentials = found
	return &session{id: id, cfg: cfg, http: s.http}
}

// sessionName is what CloudTrail shows beside the role: signet@<host>. SOPS
// writes sops@<host> there (sops: kms/keysource.go, stsSessionName).
func sessionName() string {
	const maxBytes = 64 // (STS reference, AssumeRole)
	host, _ := os.Hostname()
	host = strings.Map(func(r rune) rune {
		if !strings.ContainsRune(iamChars, r) {
			return -1
		}
		return r
	}, host)
	name := "signet@" + host
	return name[:min(len(name), maxBytes)]
}

// credentials returns the credentials provider of s.
func (s *session) credentials() *credentials { return s.cfg.Credentials.(*credentials) }

// whoami returns the ARN of the caller, or "" when that cannot be told soon. It
// is asked after failures only, and then once.
func (s *session) whoami(ctx context.Context) string {
	const timeout = 2 * time.Second
	arn, err := s.caller.get(ctx, struct{}{}, func() (string, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		out, err := sts.NewFromConfig(s.cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return "", err
		}
		return callerARN(aws.ToString(out.Arn)), nil
	})
	if err != nil {
		return ""
	}
	return arn
}

// callerARN returns s if it has the form of the ARN of a user or a session of a
// role, and else "".
func callerARN(s string) string {
	const maxBytes = 1024
	parts := strings.SplitN(s, ":", 6)
	if len(s) > maxBytes || len(parts) != 6 || parts[0] != "arn" || !isPartition(parts[1]) ||
		parts[2] != "iam" && parts[2] != "sts" || parts[3] != "" || !isAccount(parts[4]) || !chars.Only(parts[5], iamChars+"/:") {
		return ""
	}
	return s
}
