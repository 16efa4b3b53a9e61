// SPDX-License-Identifier: Apache-2.0

// Package awskms wraps and unwraps secrets with AWS KMS the way SOPS does: each
// `kms` entry holds the base64 of the ciphertext that Encrypt returned for a
// key, with an encryption context that is authenticated but not secret.
//
//	s := awskms.New(awskms.Options{})
//	e, err := s.Wrap(ctx, keys.KMSEntry{ARN: "arn:aws:kms:..."}, secret)
//	secret, err = s.Unwrap(ctx, e)
//
// Credentials are those of the SDK's default chain: environment, web identity
// (IRSA), AWS configuration with AWS SSO, container (EKS Pod Identity), EC2
// instance. An entry's profile takes the place of the chain, and its role is
// assumed on top. There is one session for each such identity, so that STS is
// called once and not for every document, and one client for each identity and
// Region. Both are made on first use, by one of those who wait.
//
// A call is bounded four ways. An attempt ends after Options.AttemptTimeout,
// because only then a server that hangs can be tried again. Attempts are made,
// with exponential backoff and full jitter, up to MaxAttempts and CallTimeout,
// and all of them queue for Options.Rate. The token bucket of the SDK is off: it
// fails calls when many of them are throttled, which is when retries are needed.
// What fails for everybody (no credentials, no configuration) fails once, and
// for some seconds all others get the same error without waiting.
//
// Decrypt always names the key: without that, KMS would use whichever key the
// ciphertext names. The replica of a multi-Region key in the local Region comes
// before the key itself, unless Options.AllowReplica objects.
//
// Errors are *keys.CallError. Their text has the error code, the Region, the
// caller and the request id, and nothing of the request's secrets; their hint is
// the permission, command or setting that helps.
//
// This package does not decide which keys, roles and profiles a document may
// use, does not make up or check encryption contexts, caches nothing that was
// unwrapped, and manages no keys. The EC2 instance metadata service is asked for
// credentials only, never for the Region.
package awskms
