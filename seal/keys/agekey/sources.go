// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"io"
	"os"
	"path/filepath"
	"runtime"

	"filippo.io/age/plugin"
)

// The variables and the file that SOPS looks at (sops: age/keysource.go).
const (
	envKey        = "SOPS_AGE_KEY"
	envKeyFile    = "SOPS_AGE_KEY_FILE"
	envKeyCmd     = "SOPS_AGE_KEY_CMD"
	envSSHKeyFile = "SOPS_AGE_SSH_PRIVATE_KEY_FILE"
	envSSHKeyCmd  = "SOPS_AGE_SSH_PRIVATE_KEY_CMD"
)

// RecipientVariable tells a command that prints identities which one is wanted.
// SOPS sets it too.
const RecipientVariable = "SOPS_AGE_RECIPIENT"

// Sources names every place where identities may come from. The zero value has
// none. A controller sets Files only.
type Sources struct {
	// Identities are tried first.
	Identities []Identity
	// Files are identity files as `age -i` takes them: native and plugin
	// identities, one a line; the same encrypted with a passphrase; or an SSH
	// private key. One that is missing, unreadable, malformed or empty is an
	// error of every Unwrap, whatever else is at hand.
	Files []string
	// LookupEnv gives the variables SOPS_AGE_KEY (identities, separated by
	// white space), SOPS_AGE_KEY_FILE, SOPS_AGE_KEY_CMD,
	// SOPS_AGE_SSH_PRIVATE_KEY_FILE and SOPS_AGE_SSH_PRIVATE_KEY_CMD. Empty
	// counts as not set. What cannot be used is told only when nothing else
	// fits. Commands are split like shell words but run without a shell, with
	// the environment of the process and SOPS_AGE_RECIPIENT, once for each
	// recipient, and for 64 recipients at most. Nil: no variable is looked at and no command is run.
	LookupEnv func(name string) (value string, set bool)
	// CommandEnv are variables, as in "KEY=value", that the commands get beside
	// those of the process.
	CommandEnv []string
	// ConfigDir is where sops/age/keys.txt is looked for. "": nowhere.
	ConfigDir string
	// HomeDir is where .ssh/id_ed25519 and .ssh/id_rsa are looked for, for SSH
	// recipients only. "": nowhere.
	HomeDir string
	// Prompt asks the user for a passphrase; prompt ends in a colon. It is
	// called only when the key asked for is needed, once for each key, and
	// never twice at a time for the same key. Nil: nobody can be asked.
	Prompt func(prompt string) ([]byte, error)
	// Plugins lets AGE-PLUGIN-... identities run age-plugin-<name> from PATH,
	// and is how those talk to the user. Nil: such identities are left out.
	Plugins *plugin.ClientUI
	// Stderr receives what the commands print there. Nil: it is dropped.
	Stderr io.Writer
}

// FromEnvironment returns the Sources that stock SOPS uses, for command line
// programs: LookupEnv, ConfigDir ($XDG_CONFIG_HOME on macOS too) and HomeDir of
// the process, and Stderr. Prompt and Plugins are nil: they are the program's
// to give. No file is read. A directory that the system cannot tell is left out.
func FromEnvironment() Sources {
	s := Sources{LookupEnv: os.LookupEnv, Stderr: os.Stderr}
	if home, err := os.UserHomeDir(); err == nil {
		s.HomeDir = home
	}
	if dir, err := os.UserConfigDir(); err == nil {
		s.ConfigDir = dir
	}
	if dir := os.Getenv("XDG_CONFIG_HOME"); dir != "" && runtime.GOOS == "darwin" {
		s.ConfigDir = dir
	}
	return s
}

// WithoutCommands returns s without the commands that print identities: for a
// program that may be such a command, which otherwise would run itself.
func (s Sources) WithoutCommands() Sources {
	lookup := s.LookupEnv
	if lookup == nil {
		return s
	}
	s.LookupEnv = func(name string) (string, bool) {
		if name == envKeyCmd || name == envSSHKeyCmd {
			return "", false
		}
		return lookup(name)
	}
	return s
}

func (s Sources) defaultKeyFile() string {
	return filepath.Join(s.ConfigDir, "sops", "age", "keys.txt")
}

func (s Sources) lookup(name string) string {
	if s.LookupEnv == nil {
		return ""
	}
	v, _ := s.LookupEnv(name)
	return v
}
