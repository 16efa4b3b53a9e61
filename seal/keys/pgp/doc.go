// SPDX-License-Identifier: Apache-2.0

// Package pgp wraps and unwraps secrets with the user's own GnuPG. Its entries
// are those of SOPS: fp is the fingerprint, enc an armored message.
//
//	s := pgp.New(pgp.Options{})
//	entry, err := s.Wrap(ctx, keys.PGPEntry{Fingerprint: "D7229043384BCC60326C6FB9D8720D957C3D3074"}, secret)
//
// Each Wrap and Unwrap runs gpg once: the program in $SOPS_GPG_EXEC, else gpg
// in PATH, with the key ring of $GNUPGHOME and the configuration that is there.
// Passphrases are between gpg-agent, its pinentry and the user; a pinentry on a
// terminal needs GPG_TTY. gpg fetches no key from anywhere.
//
// What comes from a document is checked before gpg is run. A fingerprint is
// whole and hex where gpg gets it, which is when something is wrapped. A
// message to unwrap is taken out of its armor, must be encrypted for public
// keys and nothing else, and may hold no more than a few kilobytes, however it
// is compressed. Errors are *keys.CallError and hold no secret and no message;
// the words of gpg in them are filtered.
//
// gpg is run here, and not by the pgp package of SOPS, because that one keeps
// whatever gpg writes in memory (a message of 64 KiB can hold gigabytes), gives
// it any packets, so that a document can have a passphrase asked for, learns
// about failures from words in the user's language, and hangs when it kills a
// gpg that is a script. It would also read old key rings (pubring.gpg,
// secring.gpg) itself before it runs gpg, which is left out here: what gpg
// opens is what opens.
//
// This package does not decide which keys may be used, never asks for a
// passphrase itself, verifies no signature and imports no key.
package pgp
