// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/unseal"
)

// keyFlags say which keys may open documents, and where they are.
type keyFlags struct {
	ageKeyFiles []string
	sealingKeys []string
	allowKeys   []string
}

func (f *keyFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.ageKeyFiles, "age-key-file", nil,
		"`FILE` with age identities or an SSH private key, beside the places that SOPS looks in")
	flags.StringArrayVar(&f.sealingKeys, "sealing-key", nil,
		"`FILE` with SealingKeys, beside "+userkeys.SealingKeyDir+" in the repository")
	f.addAllow(cmd)
}

func (f *keyFlags) addAllow(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.allowKeys, "allow-keys", nil,
		"use only keys that match these `PATTERNS`, as in kms=arn:aws:kms:*:111122223333:key/*")
}

// sources says where the keys of a run come from.
func (f *keyFlags) sources(stderr io.Writer, interactive bool) userkeys.Sources {
	return userkeys.Sources{
		Program:         program,
		Stderr:          stderr,
		AgeKeyFiles:     f.ageKeyFiles,
		SealingKeyFiles: f.sealingKeys,
		AllowKeys:       f.allowKeys,
		Flags:           true,
		Interactive:     interactive,
	}
}

// options returns with which keys to open the inputs.
func (f *keyFlags) options(stderr io.Writer, inputs []input, interactive bool) (unseal.Options, error) {
	return f.sources(stderr, interactive).Options(documentPaths(inputs)...)
}

// keyOptions returns with which keys to open a SealingKey. Commands that print
// age identities are left out: this program may be the one that they run.
func (f *keyFlags) keyOptions(stderr io.Writer) (unseal.KeyOptions, error) {
	sources := f.sources(stderr, true)
	sources.NoCommands = true
	return sources.KeyOptions()
}

// wrapper returns what seals for the keys that the allow-list names.
func (f *keyFlags) wrapper(stderr io.Writer) (keys.Wrapper, error) {
	return f.sources(stderr, true).Wrapper()
}

// findSealingKeys returns the SealingKeys of --sealing-key, and those in the
// directories for it from where the inputs lie up to the root of the repository.
func (f *keyFlags) findSealingKeys(stderr io.Writer, inputs []input) ([]unseal.Key, error) {
	return f.sources(stderr, false).SealingKeys(documentPaths(inputs)...)
}

// documentPaths are those that tell to which repositories inputs belong: the
// working directory's for what is no file.
func documentPaths(inputs []input) []string {
	paths := make([]string, len(inputs))
	for i, in := range inputs {
		paths[i] = in.name
		if in.fromCommand {
			paths[i] = "-"
		}
	}
	return paths
}
