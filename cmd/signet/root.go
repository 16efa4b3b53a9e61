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

"signet seal" encrypts the values of a Secret for the keys that the rules file
.sops.yaml names, without any right to decrypt: age key pairs, keys of AWS KMS
and other key services, and SealingKeys. "signet unseal" gives the Secret back
to whoever can use one of the keys, or fails and prints nothing.

` + exitcode.Help

const rootExample = `  signet key generate -o ~/.config/sops/age/keys.txt
  signet seal -i secret.yaml
  signet unseal secret.yaml | kubectl apply --server-side -f -`

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
	root.AddCommand(newSeal(c), newUnseal(c), newInspect(c), newCheck(c), newKey(c), newCompletion(c), newVersion(c))
	root.SetHelpCommand(newHelp())
	root.InitDefaultVersionFlag()
	return root
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

// newHelp differs from cobra's own in that an unknown command is an error.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]...",
		Short:   "Show what a command does",
		Long:    "Show what a command does, its flags and an example, as --help after it does.",
		Example: "  signet help seal\n  signet help key generate",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []cobra.Completion
			if found, rest, err := cmd.Root().Find(args); err == nil && len(rest) == 0 {
				for _, sub := range found.Commands() {
					names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil {
				return usage(cmd, err)
			}
			if err := noCommand(found, rest); err != nil {
				return err
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}
