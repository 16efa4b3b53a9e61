// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys/agekey"
)

// initIdentities are the age keys of whoever runs init.
type initIdentities struct {
	file, shown string   // where they lie, or a new one goes; "" if there is no place
	recipients  []string // their public keys, post-quantum ones first
	command     bool     // a command prints others
	err         error    // why the file cannot be used
}

// Reasons why nobody can tell which age key somebody has.
var (
	errIdentityCommand   = errors.New("age keys come from the command in $SOPS_AGE_KEY_CMD, which is not run for that")
	errNoConfigDir       = errors.New("there is no folder for settings: neither $HOME nor $XDG_CONFIG_HOME is set")
	errIdentityEncrypted = errors.New("is encrypted, so that its public key is not known")
	errNoNativeIdentity  = errors.New("holds no age key that is not one of a plugin or of SSH")
)

// findIdentities looks where sops does.
func findIdentities() initIdentities {
	var ids initIdentities
	ids.command = os.Getenv("SOPS_AGE_KEY_CMD") != ""
	if dir := agekey.FromEnvironment().ConfigDir; dir != "" {
		ids.file = filepath.Join(dir, "sops", "age", "keys.txt")
	}
	if file := os.Getenv("SOPS_AGE_KEY_FILE"); file != "" {
		ids.file = file
	}
	ids.shown = inHome(ids.file)
	if text := os.Getenv("SOPS_AGE_KEY"); text != "" {
		ids.read([]byte(strings.Join(strings.Fields(text), "\n")))
		ids.shown = "$SOPS_AGE_KEY"
		return ids
	}
	if ids.file == "" {
		return ids
	}
	data, err := readIdentityFile(ids.file)
	if err != nil || data == nil {
		ids.err = err
		return ids
	}
	ids.read(data)
	return ids
}

// readIdentityFile returns nil if there is no file.
func readIdentityFile(path string) ([]byte, error) {
	const most = 1 << 20
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if _, err := os.Lstat(path); err == nil {
			return nil, errors.New("is a symbolic link that leads nowhere")
		}
		return nil, nil
	case err != nil:
		return nil, report.Cause(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, report.Cause(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most))
	if data == nil {
		data = []byte{}
	}
	return data, err
}

// read derives the public keys of the identities in a text. What comments say of
// them is not looked at.
func (ids *initIdentities) read(data []byte) {
	if bytes.HasPrefix(data, []byte("age-encryption.org/")) || bytes.HasPrefix(data, []byte("-----BEGIN AGE ENCRYPTED FILE-----")) {
		ids.err = errIdentityEncrypted
		return
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || strings.HasPrefix(line, "AGE-PLUGIN-") {
			continue
		}
		id, err := agekey.ParseIdentity(strings.Repeat("\n", n-1) + line) // for the number in its error
		if err != nil {
			ids.err = err
			return
		}
		ids.recipients = append(ids.recipients, id.Recipient())
	}
	if len(ids.recipients) == 0 {
		ids.err = errNoNativeIdentity
	}
	slices.SortStableFunc(ids.recipients, func(a, b string) int { return classicLast(a) - classicLast(b) })
}

// classicLast is 1 for a recipient that a quantum computer could break, else 0.
func classicLast(recipient string) int {
	if r, err := agekey.ParseRecipient(recipient); err == nil && r.Kind() == agekey.Hybrid {
		return 0
	}
	return 1
}

// inHome is a path as somebody would write it in a shell.
func inHome(path string) string {
	home, err := os.UserHomeDir()
	if err != nil || path == "" {
		return path
	}
	if rel, err := filepath.Rel(home, path); err == nil && filepath.IsLocal(rel) {
		return "~/" + filepath.ToSlash(rel)
	}
	return path
}
