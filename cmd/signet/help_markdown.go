// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signet-secrets/signet/internal/exitcode"
)

const referenceIntro = `<!-- Written by "make docs" from the help of signet. Change that. -->

# Commands

`

// writeReference writes the help of all commands as Markdown. It is the same on
// every machine and for every version.
func writeReference(w io.Writer, root *cobra.Command) error {
	commands, topics := inOrder(root)
	out := new(strings.Builder)
	out.WriteString(referenceIntro)
	intro := strings.TrimSuffix(root.Long, exitcode.Help) // a topic says more
	writeProse(out, intro)
	for _, g := range commandGroups() {
		fmt.Fprintf(out, "**%s**\n\n", strings.TrimSuffix(g.title, ":"))
		for _, cmd := range commands {
			if groupOf(cmd) == g.title {
				writeEntry(out, cmd)
			}
		}
		out.WriteString("\n")
	}
	out.WriteString("**Topics**\n\n")
	for _, t := range topics {
		writeEntry(out, t)
	}
	for _, cmd := range commands {
		writeCommand(out, cmd)
	}
	for _, t := range topics {
		fmt.Fprintf(out, "\n## %s\n\n%s.\n\n", heading(t), escape(t.Short))
		writeProse(out, t.Long)
	}
	text := strings.ReplaceAll(out.String(), "\n\n\n", "\n\n")
	_, err := io.WriteString(w, strings.TrimRight(text, "\n")+"\n")
	return err
}

// inOrder returns all commands that help lists, those of a group together and
// with what is below each, and all topics.
func inOrder(root *cobra.Command) (commands, topics []*cobra.Command) {
	var add func(cmd *cobra.Command)
	add = func(cmd *cobra.Command) {
		commands = append(commands, cmd)
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				add(sub)
			}
		}
	}
	for _, g := range commandGroups() {
		for _, name := range g.commands {
			i := slices.IndexFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == name })
			if i >= 0 {
				add(root.Commands()[i])
			}
		}
	}
	for _, cmd := range root.Commands() {
		if cmd.IsAdditionalHelpTopicCommand() {
			topics = append(topics, cmd)
		}
	}
	return commands, topics
}

func groupOf(cmd *cobra.Command) string {
	for cmd.Parent().HasParent() {
		cmd = cmd.Parent()
	}
	return cmd.GroupID
}

// heading is the name of a command or topic below "signet".
func heading(cmd *cobra.Command) string {
	if cmd.IsAdditionalHelpTopicCommand() {
		return "Topic: " + cmd.Name()
	}
	return cmd.CommandPath()
}

func writeEntry(out *strings.Builder, cmd *cobra.Command) {
	anchor := strings.NewReplacer(" ", "-", ":", "").Replace(strings.ToLower(heading(cmd)))
	fmt.Fprintf(out, "- [%s](#%s): %s\n", strings.TrimPrefix(heading(cmd), "Topic: "), anchor, escape(cmd.Short))
}

func writeCommand(out *strings.Builder, cmd *cobra.Command) {
	cmd.InitDefaultHelpFlag() // it shows in the usage line, as in the help
	fmt.Fprintf(out, "\n## %s\n\n", heading(cmd))
	if cmd.Runnable() {
		fmt.Fprintf(out, "```text\n%s\n```\n\n", cmd.UseLine())
	}
	writeProse(out, cmd.Long)
	if cmd.HasExample() {
		fmt.Fprintf(out, "```sh\n%s\n```\n\n", outdented(cmd.Example))
	}
	rows := flagRows(cmd.LocalFlags())
	if len(rows) > 0 {
		fmt.Fprintf(out, "| Flag | Meaning |\n|---|---|\n%s\n", strings.Join(rows, ""))
	}
}

// flagRows returns a row of a table for each flag but --help, with the words of
// the help.
func flagRows(flags *pflag.FlagSet) []string {
	var rows []string
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		one := pflag.NewFlagSet("", pflag.ContinueOnError)
		one.AddFlag(f)
		names, meaning, _ := strings.Cut(strings.TrimSpace(one.FlagUsages()), "   ")
		rows = append(rows, fmt.Sprintf("| `%s` | %s |\n", strings.ReplaceAll(names, "|", `\|`), escape(meaning)))
	})
	return rows
}

// writeProse writes a text as paragraphs; those that are indented stay as they are.
func writeProse(out *strings.Builder, text string) {
	for paragraph := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		lines := strings.Split(paragraph, "\n")
		if slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "  ") }) {
			fmt.Fprintf(out, "```text\n%s\n```\n\n", outdented(paragraph))
			continue
		}
		fmt.Fprintf(out, "%s\n\n", escape(strings.Join(lines, " ")))
	}
}

// outdented takes the two spaces off with which help begins its lines.
func outdented(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "  ")
	}
	return strings.Join(lines, "\n")
}

// escape keeps Markdown from reading more into a text than it says.
func escape(text string) string {
	return strings.NewReplacer(
		`\`, `\\`, "*", `\*`, "<", "&lt;", "[", `\[`, "]", `\]`, "|", `\|`, "`", "\\`", "#", `\#`,
	).Replace(text)
}
