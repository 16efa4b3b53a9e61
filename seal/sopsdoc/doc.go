// SPDX-License-Identifier: Apache-2.0

// Package sopsdoc reads and writes the three kinds of document that Signet
// knows: the envelope of a SealedSecret, a strict profile of the SOPS format
// (Envelope); the same around the private half of an age key pair
// (SealingKey); and SOPS-encrypted manifests by SOPS's own rules (File). All
// follow seal/FORMAT.md, which specifies every field; SOPS files and lines in
// comments refer to getsops/sops v3.13.3.
//
// The package turns trees and data keys into trees. It has no state: a Cipher
// and everything parsed may be used by any number of goroutines, and nothing
// that was parsed is changed afterwards. Selectors are compiled once per
// document.
//
// Errors are an *InvalidError for a document that breaks the format, a
// *TamperedError for one that does not authenticate under its data key, and a
// *DeniedError for one that may not be sealed or opened whatever it holds.
// Each names the place; none holds a value.
//
// Wrapping data keys, finding rules and producing Secrets are elsewhere: this
// package calls no key service, reads no files, and does no more with an
// identity than to keep its text.
package sopsdoc
