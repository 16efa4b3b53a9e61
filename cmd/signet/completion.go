// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

const completionLong = `Print a script that makes a shell complete commands and flags of signet: bash,
zsh, fish or powershell.

The example is for the running bash; put the line into ~/.bashrc to keep it. For
zsh, write the script to a file _signet in a directory of $fpath; for fish, to
~/.config/fish/completions/signet.fish.`

// newCompletion differs from cobra's own in that an unknown shell is an error.
func newCompletion(c console) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:       "completion SHELL",
		Short:     "Print a script for completion in a shell",
		Long:      completionLong,
		Example:   "  source <(signet completion bash)",
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shells, args[0]) {
				return usagef(cmd, "name one shell: %s", strings.Join(shells, ", "))
			}
			return writeCompletion(cmd.Root(), c.out, args[0])
		},
	}
}

func writeCompletion(root *cobra.Command, w io.Writer, shell string) error {
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(w, true)
	case "zsh":
		return root.GenZshCompletion(w)
	case "fish":
		return root.GenFishCompletion(w, true)
	default:
		return root.GenPowerShellCompletionWithDesc(w)
	}
}
