// SPDX-License-Identifier: Apache-2.0

// Package gcpkms wraps and unwraps secrets with symmetric keys of Google Cloud
// KMS. Its entries are those of SOPS: resource_id is that of the key, enc the
// ciphertext in standard base64.
//
//	s := gcpkms.New(gcpkms.Options{})
//	entry, err := s.Wrap(ctx, keys.GCPKMSEntry{ResourceID: "projects/..."}, secret)
//
// An entry is checked before anything else happens (Check). Then credentials
// are looked for where SOPS does: GOOGLE_CREDENTIALS (a path or JSON),
// GOOGLE_OAUTH_ACCESS_TOKEN, GOOGLE_APPLICATION_CREDENTIALS, the login of
// gcloud, the metadata server. The first ones found are used for all calls, and
// no others when they fail. SOPS_GCP_KMS_ENDPOINT and
// SOPS_GCP_KMS_UNIVERSE_DOMAIN choose another Cloud KMS; a document never does.
//
// Each Wrap and Unwrap is one request, repeated while the server is busy or out
// of order, and ends within Options.Timeout. Checksums go along in both
// directions, because a secret damaged before it is wrapped could never be
// unwrapped. Errors are *keys.CallError. No error holds a token, a secret or
// ciphertext, not even where a server repeats what it was sent, and nothing is
// logged.
//
// The requests are made here, and not by the gcpkms package of SOPS, for its
// price and its habits. It links gRPC, also for its REST mode: 13 MB, and
// 3 ms for each start of a program whose start takes 3 ms without it. It builds
// a client and connects for each call, leaves the choice of credentials and
// server to variables that it reads itself, bounds no retries, and sends no
// checksums. Credentials come from the library beneath it,
// cloud.google.com/go/auth.
//
// This package does not decide which keys may be used, does not use asymmetric
// keys, and does not present client certificates (context-aware access).
package gcpkms
