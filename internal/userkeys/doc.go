// SPDX-License-Identifier: Apache-2.0

// Package userkeys gives a program the keys of whoever runs it, to open
// documents and to seal them: identities of age where SOPS looks for them, key
// services with the credentials of the environment, and the SealingKeys of the
// repository that a document lies in. Which of them may be used is said by an
// allow-list, which is the user's own and never comes out of a repository.
//
// It also has the hints about opening that every such program gives.
//
// Nothing is read or called before it is needed, other than the allow-list and
// the files of SealingKeys. This package has no flags and opens no documents.
package userkeys
