// SPDX-License-Identifier: Apache-2.0

// Package agekey wraps and unwraps secrets for age recipients the way SOPS
// does: each `age` entry is an armored age file for exactly one recipient.
//
//	NewWrapper(nil).Wrap(ctx, keys.AgeEntry{Recipient: "age1..."}, secret)
//	NewUnwrapper(Sources{Files: []string{"key.txt"}}).Unwrap(ctx, entry)
//
// A recipient is checked before anything is done with it (ParseRecipient), and
// so is the header of an entry before any identity is loaded: one stanza, of
// the type that the recipient implies, and for recipients that leave a mark in
// the stanza (SSH, tag) with that mark. Stock SOPS and age write nothing else;
// rage adds grease stanzas to its files, and those are refused.
//
// Identities come from a Sources value, which names the same places as SOPS.
// They are read at the first Unwrap that could use them, once, and tried in an
// order that bothers the user least: keys in the clear, then commands
// (SOPS_AGE_KEY_CMD), then keys that need a passphrase, then plugins. Broken
// places stay out of the way when another identity works; files named in
// Sources.Files must work.
//
// No type here prints an identity, and no error holds any part of one, nor of
// a file that might hold one.
//
// This package does not open entries for a passphrase (scrypt), does not run
// plugins unless it is handed a plugin.ClientUI, does not decide which
// recipients or plugins an operator allows, and never reads the environment,
// the home directory or a terminal on its own: FromEnvironment fills Sources
// for command line programs, and a controller sets Files alone. age is not
// available in FIPS-only mode (GODEBUG=fips140=only): recipients can be checked
// there, and everything else returns ErrFIPS.
package agekey
