// SPDX-License-Identifier: Apache-2.0

// Package unseal opens what package seal and stock SOPS have sealed: a
// document becomes the Secret that went in, verified, or an error and nothing.
//
// Open reads SealedSecrets. Before any key is used it checks the shape of the
// document, that its scope allows the namespace and name of the object it came
// in, and that its type and metadata may come out. Then the first key that
// gives a data key decides: either everything authenticates under it, or the
// document is refused.
//
// OpenFile reads SOPS-encrypted documents by SOPS's own rules. They have no
// scope: whoever can place one anywhere can have it opened there. What is no
// object of Kubernetes, or not YAML, is for package unseal/sopsfile.
//
// Options.Namespaces is a limit to some namespaces, for callers that open what
// others have written: a *ForbiddenNamespaceError, or for SOPS documents, which
// nothing binds to a namespace, an *UnscopedError, before any key is used.
//
// OpenKey reads SealingKeys, age key pairs under seal. A Keyring of them is one
// more source of identities for the other two: it opens a SealingKey when the
// first document needs it, and lets it open only documents of the namespaces
// that it is meant for.
//
// Errors tell callers what to do next: *ScopeError, *sopsdoc.InvalidError,
// *sopsdoc.DeniedError and *sopsdoc.TamperedError can only be mended by
// changing the document; a *keys.NoKeyError may pass. None holds a value.
//
// This package never seals, keeps nothing but what a Keyring holds, and writes
// nothing.
package unseal
