// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"golang.org/x/time/rate"

	"github.com/signet-secrets/signet/seal/keys"
)

// What the zero values of Options mean.
const (
	DefaultRate               = 200 // requests per second
	DefaultAttemptTimeout     = 4 * time.Second
	DefaultCallTimeout        = time.Minute
	DefaultCredentialsTimeout = 10 * time.Second
	// DefaultMaxAttempts lets one call in a million fail while every other
	// request does. So many take some 15 seconds.
	DefaultMaxAttempts = 20
)

// Options sets a Service up. The zero value is ready for use.
type Options struct {
	// Region is where this program runs. "" means AWS_REGION,
	// AWS_DEFAULT_REGION or the AWS configuration; where those say nothing it
	// is unknown, and each call goes to the Region of its key.
	Region string
	// Rate is how many requests per second are sent at most, to all Regions
	// together and each attempt counted; there may be as many at once. 0
	// means DefaultRate, a negative number no limit.
	Rate float64
	// AttemptTimeout bounds one attempt, from dialling to the end of the
	// answer, CallTimeout all attempts of one Wrap or Unwrap, and
	// CredentialsTimeout the search for credentials before that, which takes
	// place once for all who need the same ones. A credential_process has a
	// minute at least. 0 means the default.
	AttemptTimeout, CallTimeout, CredentialsTimeout time.Duration
	// MaxAttempts bounds the attempts of a call, the first one included; 0
	// means DefaultMaxAttempts. AWS_MAX_ATTEMPTS and AWS_RETRY_MODE have no
	// effect.
	MaxAttempts int
	// AllowReplica is asked before the replica of a multi-Region key in the
	// local Region is used instead of the key that a document names. Its
	// argument is the entry with the ARN of the replica. An error leaves the
	// replica out; nil allows every one. It must be quick and safe for
	// concurrent use.
	AllowReplica func(keys.KMSEntry) error
	// Now is the clock for CreatedAt; nil means time.Now.
	Now func() time.Time
	// LoadOptions are handed to the SDK after our own, each time that it reads
	// its configuration: once for each profile and Region of STS, and to learn
	// the local Region.
	LoadOptions []func(*config.LoadOptions) error
}

// Service wraps and unwraps secrets with AWS KMS. It is safe for concurrent use
// and meant to be shared: it keeps connections and credentials.
type Service struct {
	o        Options
	limiter  *rate.Limiter
	local    func() string // Region, or ""
	sessions shared[identity, *session]
	clients  shared[clientID, *client]
	replicas replicas
}

var (
	_ keys.Wrapper   = (*Service)(nil)
	_ keys.Unwrapper = (*Service)(nil)
	_ keys.Ranker    = (*Service)(nil)
)

// New returns a Service. Nothing is read or called before its first use.
func New(o Options) *Service {
	o.Rate = cmp.Or(o.Rate, DefaultRate)
	o.AttemptTimeout = cmp.Or(o.AttemptTimeout, DefaultAttemptTimeout)
	o.CallTimeout = cmp.Or(o.CallTimeout, DefaultCallTimeout)
	o.CredentialsTimeout = cmp.Or(o.CredentialsTimeout, DefaultCredentialsTimeout)
	o.MaxAttempts = cmp.Or(o.MaxAttempts, DefaultMaxAttempts)
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Service{o: o, local: sync.OnceValue(func() string { return localRegion(o) })}
	if o.Rate > 0 {
		s.limiter = rate.NewLimiter(rate.Limit(o.Rate), max(1, int(o.Rate)))
	}
	return s
}

// Wrap implements keys.Wrapper for keys.KMSEntry. The call goes to the Region
// of the key, with the entry's Context as it is. The secret has 32 or 33
// bytes. The error is a *keys.CallError.
func (s *Service) Wrap(ctx context.Context, to keys.Entry, secret []byte) (keys.Entry, error) {
	e, ok := to.(keys.KMSEntry)
	if !ok {
		return nil, fmt.Errorf("wrap for kms: entry is of type %q", string(to.Type()))
	}
	enc, err := s.wrap(ctx, e, secret)
	if err != nil {
		return nil, callError(keys.Wrapping, e, err)
	}
	e.Enc = base64.StdEncoding.EncodeToString(enc)
	e.CreatedAt = s.o.Now().UTC().Format(time.RFC3339) // (sops: kms/keysource.go, ToMap)
	return e, nil
}

func (s *Service) wrap(ctx context.Context, e keys.KMSEntry, secret []byte) ([]byte, error) {
	r, err := newRequest(e)
	if err == nil {
		err = keys.CheckSecret(secret)
	}
	if err != nil {
		return nil, malformed(err)
	}
	return s.encrypt(ctx, r, secret)
}

// Unwrap implements keys.Unwrapper for keys.KMSEntry. The key that KMS is to
// use is always named: the entry's, or its replica in the local Region, which
// is tried first. The error is a *keys.CallError.
func (s *Service) Unwrap(ctx context.Context, e keys.Entry) ([]byte, error) {
	k, ok := e.(keys.KMSEntry)
	if !ok {
		return nil, fmt.Errorf("unwrap with kms: entry is of type %q", string(e.Type()))
	}
	secret, err := s.unwrap(ctx, k)
	if err != nil {
		return nil, callError(keys.Unwrapping, k, err)
	}
	return secret, nil
}

func (s *Service) unwrap(ctx context.Context, e keys.KMSEntry) ([]byte, error) {
	r, err := newRequest(e)
	if err != nil {
		return nil, malformed(err)
	}
	blob, err := r.ciphertext()
	if err != nil {
		return nil, malformed(err)
	}
	return s.decryptNearest(ctx, r, blob)
}

// Rank implements keys.Ranker: Near for keys in the local Region and for those
// that may have a replica there, else Far. It makes no call. The first Rank may
// read the AWS configuration, to learn the local Region.
func (s *Service) Rank(e keys.Entry) keys.Rank {
	k, ok := e.(keys.KMSEntry)
	if !ok {
		return keys.Far
	}
	r, err := newRequest(k)
	if err != nil || s.local() == "" {
		return keys.Far
	}
	if _, ok := s.replica(r); ok || r.key.Region == s.local() {
		return keys.Near
	}
	return keys.Far
}

// CloseIdleConnections closes connections that no call uses. The Service
// remains usable.
func (s *Service) CloseIdleConnections() {
	s.sessions.each(func(s *session) { s.http.closeIdle() })
}

func (s *Service) encrypt(ctx context.Context, r request, secret []byte) ([]byte, error) {
	c, client, err := s.prepare(ctx, "kms:Encrypt", r, r.key)
	if err != nil {
		return nil, err
	}
	var out *kms.EncryptOutput
	err = c.send(ctx, s.o.CallTimeout, func(ctx context.Context, o func(*kms.Options)) error {
		out, err = client.Encrypt(ctx, &kms.EncryptInput{
			KeyId:               aws.String(r.key.String()),
			Plaintext:           secret,
			EncryptionContext:   r.entry.Context,
			EncryptionAlgorithm: types.EncryptionAlgorithmSpecSymmetricDefault,
		}, o)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !r.key.answers(aws.ToString(out.KeyId)):
		return nil, c.wrongAnswer("it is from another key")
	case len(out.CiphertextBlob) == 0 || len(out.CiphertextBlob) > maxCiphertextBytes:
		return nil, c.wrongAnswer(fmt.Sprintf("it has %d bytes of ciphertext", len(out.CiphertextBlob)))
	}
	return out.CiphertextBlob, nil
}

func (s *Service) decrypt(ctx context.Context, r request, key KeyARN, blob []byte, limit time.Duration) ([]byte, error) {
	c, client, err := s.prepare(ctx, "kms:Decrypt", r, key)
	if err != nil {
		return nil, err
	}
	var out *kms.DecryptOutput
	err = c.send(ctx, limit, func(ctx context.Context, o func(*kms.Options)) error {
		out, err = client.Decrypt(ctx, &kms.DecryptInput{
			KeyId:               aws.String(key.String()),
			CiphertextBlob:      blob,
			EncryptionContext:   r.entry.Context,
			EncryptionAlgorithm: types.EncryptionAlgorithmSpecSymmetricDefault,
		}, o)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !key.answers(aws.ToString(out.KeyId)):
		return nil, c.wrongAnswer("it is from another key")
	case keys.CheckSecret(out.Plaintext) != nil:
		return nil, c.wrongAnswer(fmt.Sprintf("it has %d bytes of plaintext", len(out.Plaintext)))
	}
	return out.Plaintext, nil
}

// malformed is the failure when an entry is not fit to make a call for.
func malformed(err error) error { return &failure{text: err.Error(), permanent: true} }
