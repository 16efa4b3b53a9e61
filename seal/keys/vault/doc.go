// SPDX-License-Identifier: Apache-2.0

// Package vault wraps and unwraps secrets with the Transit engine of HashiCorp
// Vault or OpenBao. Its entries are those of SOPS: vault_address, engine_path
// and key_name say where the key is, enc is Vault's ciphertext.
//
//	s := vault.New(vault.Options{Address: os.Getenv("VAULT_ADDR")})
//	entry, err := s.Wrap(ctx, keys.VaultEntry{Address: "https://...", EnginePath: "transit", KeyName: "app"}, secret)
//
// An entry is checked before anything else happens (Check): its parts become
// the path of a request. The request goes to the Address of the entry with the
// user's token, and nowhere else: redirects are not followed, nor are
// VAULT_ADDR, VAULT_AGENT_ADDR and VAULT_SRV_LOOKUP. Which addresses may have
// the token is decided by an allow-list before this package;
// SOPS_HC_VAULT_ALLOWLIST, if set, holds here as it does for sops.
//
// The token is VAULT_TOKEN or that of ~/.vault-token, read for each call. What
// surrounds a request is as for Vault's own clients: VAULT_NAMESPACE,
// VAULT_HEADERS, VAULT_CACERT, VAULT_CACERT_BYTES, VAULT_CAPATH,
// VAULT_CLIENT_CERT, VAULT_CLIENT_KEY, VAULT_TLS_SERVER_NAME,
// VAULT_SKIP_VERIFY, VAULT_PROXY_ADDR, VAULT_HTTP_PROXY; these are read once.
//
// Each Wrap and Unwrap is one request, repeated while the server is busy or out
// of order, and ends within Options.Timeout. Errors are *keys.CallError. No
// error holds a token, a secret or ciphertext, not even where a server repeats
// what it was sent, and nothing is logged.
//
// The requests are made here, and not by the hcvault package of SOPS, for its
// price (1.7 MB, 1 ms for each start of a program) and its habits: it sends the
// token wherever VAULT_AGENT_ADDR or a redirect leads, joins engine_path and
// key_name so that a document can name any path of the server, and reads
// answers of any size.
//
// This package does not decide which keys may be used, does not log in or renew
// tokens, and runs no token helper.
package vault
