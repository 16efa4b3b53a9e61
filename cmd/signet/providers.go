// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age/plugin"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
)

// identityFlags say where the keys are that open documents.
type identityFlags struct {
	ageKeyFiles []string
}

func (f *identityFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.ageKeyFiles, "age-key-file", nil,
		"`FILE` with age identities or an SSH private key, beside the places that SOPS looks in")
}

// wrappers lists the key services for which this program seals.
func wrappers(stderr io.Writer) keys.Wrappers {
	return keys.Wrappers{
		keys.Age: agekey.NewWrapper(pluginUI(stderr)),
	}
}

// unwrappers lists the key services with which this program opens. Only an
// interactive one asks for passphrases and runs plugins.
func (f *identityFlags) unwrappers(stderr io.Writer, interactive bool) keys.Unwrappers {
	sources := agekey.FromEnvironment()
	sources.Files = f.ageKeyFiles
	sources.Stderr = stderr
	if interactive {
		sources.Prompt = promptPassphrase
		sources.Plugins = pluginUI(stderr)
	}
	return keys.Unwrappers{
		keys.Age: agekey.NewUnwrapper(sources),
	}
}

// pluginUI is how age plugins talk to the user: on the terminal.
func pluginUI(stderr io.Writer) *plugin.ClientUI {
	say := func(format string, v ...any) {
		fmt.Fprintf(stderr, "signet: "+format+"\n", v...)
	}
	return plugin.NewTerminalUI(say, say)
}

// promptPassphrase reads a passphrase from the terminal, not from stdin, which
// may hold documents.
func promptPassphrase(prompt string) ([]byte, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, errors.New("there is no terminal to ask on")
	}
	defer tty.Close()
	fmt.Fprintf(tty, "signet: %s ", prompt)
	passphrase, err := term.ReadPassword(int(tty.Fd()))
	fmt.Fprintln(tty)
	return passphrase, err
}

// isTerminal reports whether f is a terminal.
func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
