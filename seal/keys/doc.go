// SPDX-License-Identifier: Apache-2.0

// Package keys holds what sealing and opening know about keys without knowing
// any key service: the data key of a document, the entries that wrap it for
// each recipient, the two interfaces Wrapper and Unwrapper that a key service
// implements, key groups that share a data key among them, and the rules
// (.sops.yaml) that say which recipients a document gets.
//
// AllowList, Cache, Limit and Counters go before a Wrapper or an Unwrapper, in
// this order. Failures of key services are *CallError.
//
// Key services live in packages below this one, each with at most one SDK. A program
// lists those it wants in a Wrappers or Unwrappers value; nothing registers
// itself.
//
// This package makes no network calls, reads no environment and never sees
// the values of a Secret.
package keys
