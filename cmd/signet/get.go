// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
)

const getLong = `Print one value of a sealed Secret: its bytes, with nothing added. On a terminal
a line break follows it. The document is opened and verified as a whole before
anything is printed.

A value that is binary, or holds control characters other than tabs and line
breaks, which can steer a terminal, is not printed on one: -o writes it to a file
that only you can read, --base64 prints it as text.`

const getExample = `  signet get sealed.yaml password
  signet get sealed.yaml password -o password.txt
  cat sealed.yaml | signet get --name prod/db - password | wc -c`

// getCommand holds the flags of `signet get`.
type getCommand struct {
	console
	secretFlags
	output string
	base64 bool
}

func newGet(c console) *cobra.Command {
	g := &getCommand{console: c}
	cmd := &cobra.Command{
		Use:               "get [flags] FILE|- KEY",
		Short:             "Print one value of a sealed Secret",
		Long:              getLong,
		Example:           getExample,
		RunE:              g.run,
		ValidArgsFunction: completeKeys(1),
	}
	g.secretFlags.add(cmd)
	cmd.Flags().StringVarP(&g.output, "output", "o", "", "write the value to `FILE`, which only you can read")
	cmd.Flags().BoolVar(&g.base64, "base64", false, "print the value in base64")
	return cmd
}

func (g *getCommand) run(cmd *cobra.Command, args []string) error {
	if len(args) != 2 {
		return usagef(cmd, "name a file, or - for stdin, and a key")
	}
	if err := errors.Join(checkKey(cmd, args[1]), g.check(cmd, g.console)); err != nil {
		return err
	}
	t, err := g.one(cmd, g.console, args[0])
	if err != nil {
		return err
	}
	v, ok, err := t.get(args[1])
	switch {
	case err != nil:
		return t.wrap("read", err)
	case !ok:
		return t.wrap("read", &noKeyError{[]string{args[1]}, t.keys()})
	}
	return g.print(t, v)
}

// Errors about values that would confuse a terminal, or make it do what whoever
// has sealed them wants.
var (
	errBinary  = errors.New("is binary, and stdout is a terminal")
	errControl = errors.New("holds control characters, and stdout is a terminal")
)

func (g *getCommand) print(t *target, v value) error {
	data := v.data
	if g.base64 {
		data = []byte(base64.StdEncoding.EncodeToString(data))
	}
	if g.output != "" {
		return writeFile(g.output, data, modePlain)
	}
	if onTerminal(g.out) {
		switch {
		case g.base64:
		case v.binary || !isText(v.data):
			return t.wrap("print "+v.key, errBinary)
		case bytes.ContainsFunc(v.data, steersTerminal):
			return t.wrap("print "+v.key, errControl)
		}
		data = append(data[:len(data):len(data)], '\n')
	}
	if _, err := g.out.Write(data); err != nil {
		return fmt.Errorf("write stdout: %w", report.Cause(err))
	}
	return nil
}

// steersTerminal reports whether a terminal may do something else with a character
// than show it, go to the next line or the next tab stop.
func steersTerminal(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }

// onTerminal reports whether what is written to a stream, or read from it, is on a
// terminal.
func onTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && isTerminal(f)
}

// completeKeys completes the names of keys, which a sealed document shows to
// everybody, behind a file. most is how many keys there may be, 0 for any number.
func completeKeys(most int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return nil, cobra.ShellCompDirectiveDefault
		}
		if most > 0 && len(args) > most || args[0] == "-" {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return keysInFile(args[0], cmd.Flag("name").Value.String()), cobra.ShellCompDirectiveNoFileComp
	}
}

// keysInFile returns the names of the keys of the Secret that is meant, or none.
func keysInFile(file, name string) []string {
	in, err := readTarget(file, nil)
	if err != nil {
		return nil
	}
	t, err := in.target(name)
	if err != nil {
		return nil
	}
	return t.clearKeys()
}
