// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"

	"github.com/spf13/cobra"
)

// newHelp differs from cobra's own in that an unknown command is an error.
func newHelp() *cobra.Command {
	markdown := false
	cmd := &cobra.Command{
		Use:               "help [COMMAND|TOPIC]...",
		Short:             "Show what a command does",
		Long:              "Show what a command does, its flags and an example, as --help after it does; or\nwhat there is to know about a topic.",
		Example:           "  signet help seal\n  signet help key generate\n  signet help rules",
		ValidArgsFunction: completeHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			if markdown {
				return writeReference(cmd.OutOrStdout(), cmd.Root())
			}
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
	cmd.Flags().BoolVar(&markdown, "markdown", false, "print the reference of all commands, for docs/commands.md")
	_ = cmd.Flags().MarkHidden("markdown") // fails only for a flag that is not there
	return cmd
}

func completeHelp(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	if found, rest, err := cmd.Root().Find(args); err == nil && len(rest) == 0 {
		for _, sub := range found.Commands() {
			names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// commandGroup is a part of the list of commands.
type commandGroup struct {
	title    string
	commands []string
}

// commandGroups are in the order in which somebody comes to need them.
func commandGroups() []commandGroup {
	return []commandGroup{
		{"Set up:", []string{"init", "key", "convert"}},
		{"Seal and open:", []string{"seal", "unseal", "inspect", "verify"}},
		{"Change and use values:", []string{"edit", "get", "set", "unset", "exec"}},
		{"Change who can open:", []string{"rewrap", "rotate"}},
		{"In Git and CI:", []string{"check", "diff", "textconv", "merge-driver"}},
		{"More:", []string{"completion", "help", "version"}},
	}
}

// arrange puts the commands of root, which have been added, into their groups.
func arrange(root *cobra.Command) {
	for _, g := range commandGroups() {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, cmd := range root.Commands() {
			if slices.Contains(g.commands, cmd.Name()) {
				cmd.GroupID = g.title
			}
		}
		if slices.Contains(g.commands, "help") {
			root.SetHelpCommandGroupID(g.title)
		}
	}
}
