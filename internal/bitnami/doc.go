// SPDX-License-Identifier: Apache-2.0

// Package bitnami opens the SealedSecrets of Bitnami's Sealed Secrets
// (bitnami.com/v1alpha1) with a backup of the controller's private keys, for
// moving them to Signet.
//
// It follows Sealed Secrets 0.40.0: a value is sealed with a random AES key
// under RSA-OAEP, whose label is the place that the value was sealed for (see
// open.go), and spec.template.data is rendered as a text/template with sprig's
// functions. Of these, the ones that make values of values are evaluated here,
// over the parse tree and over a closed set of types, within fixed limits. A
// template that uses anything else is refused, with the name of it: the result
// is what Sealed Secrets makes of a document, or nothing.
//
// Documents and key files are foreign: their size, the work they cause and the
// depth of their nesting are bounded. No error and no note holds a key, a
// decrypted value, ciphertext or a piece of a template; they name keys of
// Secrets, annotations, functions and lines.
//
// All functions are safe for concurrent use on different nodes.
//
// This package doesn't seal, reads no files and talks to no cluster.
package bitnami
