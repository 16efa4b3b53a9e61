// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signet-secrets/signet/internal/buildinfo"
	"github.com/signet-secrets/signet/internal/exitcode"
)

const rootLong = `Signet seals Kubernetes Secrets so that they can live in Git.

"signet init" sets a Git repository up. "signet seal" encrypts the values of a
Secret for the keys that the rules file .sops.yaml names, without any right to
decrypt: age key pairs, keys of AWS KMS and other key services, and SealingKeys.
"signet edit" changes what is sealed. "signet unseal" gives the Secret back to
whoever can use one of the keys, or fails and prints nothing.

` + exitcode.Help

const rootExample = `  signet init --yes
  signet seal secret.yaml -o sealed.yaml
  signet edit sealed.yaml
  signet unseal sealed.yaml | kubectl apply --server-side -f -`

// newRoot returns the whole command tree for one console.
func newRoot(c console) *cobra.Command {
	root := &cobra.Command{
		Use:           "signet",
		Short:         "Seal Kubernetes Secrets for Git",
		Version:       buildinfo.Version(),
		Long:          rootLong,
		Example:       rootExample,
		Args:          noCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, flagError(err)) })
	for _, newCommand := range constructors() {
		root.AddCommand(newCommand(c))
	}
	root.AddCommand(newTopics(c)...)
	root.SetHelpCommand(newHelp())
	arrange(root)
	root.InitDefaultVersionFlag()
	return root
}

// constructors are those of all commands but help.
func constructors() []func(console) *cobra.Command {
	return []func(console) *cobra.Command{
		newInit,
		newSeal,
		newUnseal,
		newInspect,
		newCheck,
		newConvert,
		newRotate,
		newRewrap,
		newVerify,
		newGet,
		newSet,
		newUnset,
		newExec,
		newEdit,
		newKey,
		newCompletion,
		newDiff,
		newTextconv,
		newMergeDriver,
		newVersion,
	}
}

// flagError cuts the message about a flag like -pPASSWORD, which repeats it.
func flagError(err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "" {
		name := unknown.GetSpecifiedName()
		return fmt.Errorf("unknown shorthand flag: '%s' in -%s", name, name)
	}
	return err
}

// noCommand rejects words after a command that only has subcommands.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2 // letters; cobra sets it for its own messages only
	err := &unknownCommandError{Command: args[0], Similar: cmd.SuggestionsFor(args[0])}
	return usage(cmd, err)
}
