// SPDX-License-Identifier: Apache-2.0

// Package kustomizeplugin opens sealed documents inside a kustomize build.
//
// A Function is what kustomize calls a KRM function: it reads a ResourceList on
// stdin and writes one on stdout (Run). The older protocol of exec plugins, the
// only one that kubectl has, is RunLegacy. What is to be done stands in the
// function's configuration, which is one of
//
//	signet.dev/v1alpha1 SealedSecret   the document itself: a generator of its Secret
//	signet.dev/v1alpha1 Unseal         with files a generator, without a transformer
//	viaduct.ai/v1 ksops                what KSOPS reads, for SOPS-encrypted files
//
// README.md beside this file is the manual. The rules that the code keeps:
//
//   - Nothing is written unless everything has been opened and verified, and then
//     with one Write. kustomize ignores errors in the results of a ResourceList,
//     so errors are only ever returned.
//   - Files are read below Function.Root and nowhere else, but for the
//     configuration of RunLegacy.
//   - What is not sealed goes through as it came, byte for byte.
//   - Secrets leave with data and without stringData: kustomize merges and hashes
//     the two as different things. Only ksops configurations do as KSOPS does.
//
// A Function is no boundary between tenants: whatever runs after it in the same
// build sees the Secrets and can move them.
//
// The package links neither kustomize nor a key service, reads no environment
// and no configuration of its own, and prints nothing but notes.
package kustomizeplugin
