// SPDX-License-Identifier: Apache-2.0

// Package kmstest is an AWS KMS server for tests, with the part of STS that
// signing in to it takes. It speaks the wire protocols, so that any program
// that uses an AWS SDK can be pointed at it by environment variables alone
// ([Server.Env]); stock sops is one.
//
// It checks signatures, binds ciphertext to its key and its encryption
// context, has key states, aliases, accounts and multi-Region keys, and
// answers with AWS's error codes, HTTP statuses and texts where those are
// known from recordings of the real service. It counts and logs calls, and
// injects delay, throttling, failures, resets and hangs.
//
// All is in memory and gone with the server, keys too: what it encrypts is
// lost when it stops. It is for tests and demonstrations only and has nothing
// to protect; it must not listen beyond loopback.
//
// It does not emulate key policies (beyond [Server.Deny]), grants, asymmetric
// and HMAC operations, key rotation and import, custom key stores, paging of
// lists, quotas, or AWS's eventual consistency.
package kmstest
