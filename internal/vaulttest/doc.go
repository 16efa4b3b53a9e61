// SPDX-License-Identifier: Apache-2.0

// Package vaulttest is a HashiCorp Vault server for tests, as far as its
// Transit engine goes. It speaks Vault's HTTP API, so that any program that
// uses a Vault client can be pointed at it by VAULT_ADDR and VAULT_TOKEN; stock
// sops is one.
//
//	s := vaulttest.Start(t)
//	s.CreateKey("transit", "app")
//	token := s.NewToken(map[string][]string{"transit/decrypt/app": {"update"}})
//
// It has Transit engines with aes256-gcm96 keys, their versions and
// min_decryption_version, key/value engines that store whatever they are sent,
// tokens with capabilities on paths, namespaces, sealing, and answers made up by
// a test. Statuses and texts are those of Vault 1.21.4, of which testdata holds
// recordings; a test holds the server to them.
//
// All is in memory and gone with the server. It is for tests only and has
// nothing to protect.
//
// It does not emulate policies with globs, leases, batches, derived keys, other
// key types, or anything of Vault's own management but what a test needs.
package vaulttest
