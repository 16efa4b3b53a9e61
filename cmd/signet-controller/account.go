// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"golang.org/x/sync/singleflight"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/awskms"
)

const (
	// accountTimeout bounds one search for the account, credentials included.
	accountTimeout = 15 * time.Second
	// accountFailureTTL is how long a failure is the answer for others.
	accountFailureTTL = 10 * time.Second
)

// account is the AWS account that this program's credentials belong to. It is
// safe for concurrent use.
type account struct {
	given string // by a setting, "" if none tells
	ask   func(context.Context) (string, error)
	now   func() time.Time

	flight singleflight.Group
	mu     sync.Mutex
	id     string
	err    error
	until  time.Time // end of the life of err
}

// newAccount returns the account that a flag or the surroundings of the process
// name, or else one that AWS STS is going to tell.
func newAccount(o *options, lookup func(string) string) *account {
	a := &account{now: time.Now, ask: o.callerAccount, given: o.awsAccount}
	// What the SDK goes by, in this order (aws-sdk-go-v2: config/
	// resolve_credentials.go, resolveCredentialChain).
	if a.given == "" && lookup("AWS_ACCESS_KEY_ID") == "" && lookup("AWS_WEB_IDENTITY_TOKEN_FILE") != "" {
		if role, err := awskms.ParseRoleARN(lookup("AWS_ROLE_ARN")); err == nil {
			a.given = role.Account
		}
	}
	return a
}

// settled returns the account if settings name it.
func (a *account) settled() (string, bool) { return a.given, a.given != "" }

// known returns the account if nobody has to be asked.
func (a *account) known() (string, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := cmp.Or(a.given, a.id)
	return id, id != ""
}

// get returns the account. All who wait share one search, which goes on when
// ctx ends.
func (a *account) get(ctx context.Context) (string, error) {
	if id, known := a.known(); known {
		return id, nil
	}
	if err := a.recent(); err != nil {
		return "", err
	}
	done := a.flight.DoChan("", func() (any, error) { return nil, a.search(context.WithoutCancel(ctx)) })
	select {
	case r := <-done:
		if r.Err != nil {
			return "", r.Err
		}
		id, _ := a.known()
		return id, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// recent returns the last failure if it still stands.
func (a *account) recent() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil && a.now().Before(a.until) {
		return a.err
	}
	return nil
}

func (a *account) search(ctx context.Context) (err error) {
	if _, known := a.known(); known { // since we looked
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, accountTimeout)
	defer cancel()
	id := ""
	defer func() {
		if r := recover(); r != nil { // in a goroutine of its own, it would end the program
			err = fmt.Errorf("panic of type %T", r)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.id, a.err, a.until = id, err, a.now().Add(accountFailureTTL)
	}()
	id, err = a.ask(ctx)
	return err
}

// fallbackRegion is where STS is asked if nothing tells the Region. A document
// must not decide it.
const fallbackRegion = "us-east-1"

// callerAccount asks AWS STS whose credentials this program has.
func (o *options) callerAccount(ctx context.Context) (string, error) {
	load := []func(*config.LoadOptions) error{
		config.WithDefaultRegion(fallbackRegion),
		config.WithLogger(logging.Nop{}), // the SDK's own writes to stderr
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(3 * time.Second)),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(r *retry.StandardOptions) { r.MaxAttempts = 3 })
		}),
		// The mode "auto" would ask the instance metadata service.
		config.WithDefaultsMode(aws.DefaultsModeStandard),
		noCredentialProcess,
	}
	if o.awsRegion != "" {
		load = append(load, config.WithRegion(o.awsRegion))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return "", errors.New("the AWS configuration cannot be used: " + keys.ForeignText(err.Error()))
	}
	found := awskms.ExplainedCredentials(cfg)
	if _, err := found.Retrieve(ctx); err != nil {
		if endsWithMetadata(cfg.Credentials) {
			err = fmt.Errorf("%w; %s", err, giveRole)
		}
		return "", err
	}
	cfg.Credentials = found
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", errors.New("sts:GetCallerIdentity in " + cfg.Region + ": " + keys.ForeignText(err.Error()))
	}
	if id := aws.ToString(out.Account); isAccount(id) {
		return id, nil
	}
	return "", errors.New("sts:GetCallerIdentity: the answer names no account")
}

// giveRole is what to do in a cluster where nothing gives credentials. The status
// of objects shows it.
const giveRole = "on EKS, give the service account of the controller a role (a Pod Identity association, or the annotation " +
	"eks.amazonaws.com/role-arn), then restart it"

// endsWithMetadata reports whether the SDK found nothing that is set up: the
// metadata service is the end of its chain.
func endsWithMetadata(p aws.CredentialsProvider) bool {
	return aws.IsCredentialsProvider(p, (*ec2rolecreds.Provider)(nil))
}

// isAccount reports whether s is the number of an AWS account.
func isAccount(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }
