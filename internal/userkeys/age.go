// SPDX-License-Identifier: Apache-2.0

package userkeys

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"filippo.io/age/plugin"
	"golang.org/x/term"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys/agekey"
)

// KeyCommandVariable tells a command that gives age identities, as in
// SOPS_AGE_KEY_CMD, that Signet runs it. If that command is itself Signet's and
// opens SealingKeys, it gives none: Signet opens them without it, and then holds
// to what their namespaces are, which it could not do with an identity from a
// command.
const KeyCommandVariable = "SIGNET_KEY_COMMAND"

// age says where age identities are. Only an interactive program asks for
// passphrases and runs plugins.
func (s Sources) age() agekey.Sources {
	sources := agekey.FromEnvironment()
	sources.Files = s.AgeKeyFiles
	sources.Stderr = s.stderr()
	sources.CommandEnv = []string{KeyCommandVariable + "=1"}
	if s.Interactive {
		sources.Prompt = s.promptPassphrase
		sources.Plugins = s.plugins()
	}
	if s.NoCommands {
		return sources.WithoutCommands()
	}
	return sources
}

// checkAgeKeyFiles refuses files of the flag that cannot be read. What is in
// them is not looked at, and what is no regular file may be read only once.
func (s Sources) checkAgeKeyFiles() error {
	for _, path := range s.AgeKeyFiles {
		info, err := os.Stat(path)
		if err == nil && info.IsDir() {
			err = errors.New("is a directory")
		}
		if err == nil && info.Mode().IsRegular() {
			var f *os.File
			if f, err = os.Open(path); err == nil {
				f.Close()
			}
		}
		if err != nil {
			return &SettingError{ageKeyFlag, fmt.Errorf("%q: %w", path, report.Cause(err))}
		}
	}
	return nil
}

// ageKeyFlag is the flag of AgeKeyFiles.
const ageKeyFlag = "--age-key-file"

// defaultKeyFile is where an identity may be put for all runs: "" if there is
// no directory for settings.
func defaultKeyFile() string {
	dir := agekey.FromEnvironment().ConfigDir
	if dir == "" {
		return ""
	}
	return homely(filepath.Join(dir, "sops", "age", "keys.txt"))
}

// homely is a path as somebody would write it in a shell.
func homely(path string) string {
	home, err := os.UserHomeDir()
	if err != nil {
		return report.Quoted(path)
	}
	rel, err := filepath.Rel(home, path)
	if err != nil || !filepath.IsLocal(rel) {
		return report.Quoted(path)
	}
	return "~/" + report.Quoted(filepath.ToSlash(rel))
}

// plugins is how age plugins talk to the user: on the terminal. It is nil where
// there is none, and so no plugin is run.
func (s Sources) plugins() *plugin.ClientUI {
	if !s.Interactive {
		return nil
	}
	say := func(format string, v ...any) {
		fmt.Fprintf(s.stderr(), s.Program+": "+format+"\n", v...)
	}
	return plugin.NewTerminalUI(say, say)
}

// promptPassphrase reads a passphrase from the terminal, not from stdin, which
// may hold documents.
func (s Sources) promptPassphrase(prompt string) ([]byte, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, errors.New("there is no terminal to ask on")
	}
	defer tty.Close()
	fmt.Fprintf(tty, "%s: %s ", s.Program, prompt)
	passphrase, err := term.ReadPassword(int(tty.Fd()))
	fmt.Fprintln(tty)
	return passphrase, err
}
