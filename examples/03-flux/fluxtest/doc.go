// SPDX-License-Identifier: Apache-2.0

// Package fluxtest gives what Signet seals to the code of Flux: to its variable
// substitution and its decryption. It also reads the manifests of the example
// with Flux's own types.
//
// It starts no cluster and no controller of Flux: how Flux judges the health of
// SealedSecrets is tested in controller/config/test.
package fluxtest
