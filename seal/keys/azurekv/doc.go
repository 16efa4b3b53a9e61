// SPDX-License-Identifier: Apache-2.0

// Package azurekv wraps and unwraps secrets with RSA keys of Azure Key Vault
// and managed HSMs. Its entries are those of SOPS: vault_url, name and version
// of the key, enc the ciphertext of RSA-OAEP-256 in URL base64 without padding.
//
//	s := azurekv.New(azurekv.Options{})
//	entry, err := s.Wrap(ctx, keys.AzureKVEntry{VaultURL: "https://...", Name: "..."}, secret)
//
// An entry is checked before anything else happens (Check). Then credentials
// are looked for where SOPS does, by azidentity.DefaultAzureCredential:
// environment, workload identity, managed identity, az, azd, PowerShell.
//
// A token goes to no server but that of the vault's own name, and is one for
// the service that the name belongs to: a challenge that asks for another one
// is not answered. Calls end within Options.Timeout, the search for credentials
// included, and are repeated while a server is busy or out of order. Errors are
// *keys.CallError. No error holds a token, a secret or ciphertext, not even
// where a server repeats what it was sent, and nothing is logged.
//
// The calls are made with Azure's own client, azkeys, and not by the azkv
// package of SOPS around it. That one looks the newest version up only in
// constructors that take no context, no credential and no transport, so that
// nothing bounds the search. It also makes a client for each call, which then
// has to learn the vault's challenge anew: two requests for each secret instead
// of one.
//
// This package does not decide which vaults may be used, and does not encrypt
// on its own with a vault's public key, so that Key Vault decides who may seal.
package azurekv
