// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/seal/keys"
)

// keyFlags say which keys may open documents, and where they are.
type keyFlags struct {
	ageKeyFiles []string
	sealingKeys []string
	allowKeys   []string
}

func (f *keyFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.ageKeyFiles, "age-key-file", nil,
		"`FILE` with age identities or an SSH private key, beside the places that SOPS looks in")
	flags.StringArrayVar(&f.sealingKeys, "sealing-key", nil,
		"`FILE` with SealingKeys, beside "+sealingKeyDir+" in the repository")
	f.addAllow(cmd)
}

func (f *keyFlags) addAllow(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.allowKeys, "allow-keys", nil,
		"use only keys that match these `PATTERNS`, as in kms=arn:aws:kms:*:111122223333:key/* (see signet unseal --help)")
}

// allowVariable names the environment variable that holds an allow-list.
const allowVariable = "SIGNET_ALLOW_KEYS"

// maxAllowBytes is how much of an allow-list file is read.
const maxAllowBytes = 1 << 20

// allowError says that an allow-list cannot be used.
type allowError struct {
	where string // flag, variable or file
	err   error
}

func (e *allowError) Error() string { return e.where + ": " + e.err.Error() }
func (e *allowError) Unwrap() error { return e.err }

// allowList returns the allow-list of the flag, or else of the environment, or
// else of the user's configuration, or else the defaults. It is never read
// from the repository.
func (f *keyFlags) allowList(defaults keys.AllowList) (keys.AllowList, error) {
	where, text := "--allow-keys", strings.Join(f.allowKeys, "\n")
	if len(f.allowKeys) == 0 {
		var err error
		if where, text, err = configuredAllowList(); err != nil {
			return keys.AllowList{}, err
		}
	}
	if where == "" {
		return defaults, nil
	}
	list, err := keys.ParseAllowList(text, defaults)
	if err == nil {
		return list, nil
	}
	err = &allowError{where, err}
	if len(f.allowKeys) > 0 || where == "$"+allowVariable {
		err = &usageError{command: "signet", err: err}
	}
	return keys.AllowList{}, err
}

// wrapper returns what seals for the keys that the allow-list names.
func (f *keyFlags) wrapper(stderr io.Writer) (keys.Wrapper, error) {
	allow, err := f.allowList(keys.AllowForSealing(os.Getenv("VAULT_ADDR")))
	if err != nil {
		return nil, err
	}
	return newServices(stderr, allow).wrapper(), nil
}

// configuredAllowList returns the text of the allow-list and where it stands;
// where is "" if there is none.
func configuredAllowList() (where, text string, err error) {
	if text, ok := os.LookupEnv(allowVariable); ok {
		return "$" + allowVariable, text, nil
	}
	path, err := allowFile()
	if path == "" || err != nil {
		return "", "", err
	}
	file, err := os.Open(path)
	if _, missing := os.Lstat(path); errors.Is(err, fs.ErrNotExist) && missing != nil {
		return "", "", nil // a link that leads nowhere is an error: somebody wanted a list
	}
	if err != nil {
		return "", "", &allowError{path, cause(err)}
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxAllowBytes+1))
	switch {
	case err != nil:
		return "", "", &allowError{path, cause(err)}
	case len(content) > maxAllowBytes:
		return "", "", &allowError{path, fmt.Errorf("has more than %d bytes", maxAllowBytes)}
	}
	return path, string(content), nil
}

// allowFile is where the allow-list is in the user's configuration: "" if there
// is neither a home nor a configuration folder, an error if what the variables
// say is of no use.
func allowFile() (string, error) {
	xdg, home := os.Getenv("XDG_CONFIG_HOME"), os.Getenv("HOME")
	dir, err := os.UserConfigDir()
	switch {
	case xdg != "" && runtime.GOOS == "darwin":
		dir, err = xdg, nil
	case err != nil && xdg == "" && home == "":
		return "", nil
	}
	if err == nil && !filepath.IsAbs(dir) {
		err = errors.New("is not an absolute path")
	}
	if err != nil {
		return "", &allowError{"configuration folder", err}
	}
	return filepath.Join(dir, "signet", "allow-keys"), nil
}
