// SPDX-License-Identifier: Apache-2.0

package userkeys

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys"
)

// AllowVariable names the environment variable that holds an allow-list.
const AllowVariable = "SIGNET_ALLOW_KEYS"

// maxAllowBytes is how much of an allow-list file is read.
const maxAllowBytes = 1 << 20

// allowList returns the allow-list of s, or else of the environment, or else of
// the user's configuration, or else the defaults, and where it stands: "" for
// the defaults. It is never read from the repository.
func (s Sources) allowList(defaults keys.AllowList) (list keys.AllowList, where string, err error) {
	where, text := "--allow-keys", strings.Join(s.AllowKeys, "\n")
	if len(s.AllowKeys) == 0 {
		where, text, err = configuredAllowList()
		if err == nil && where == "" && s.Legacy {
			err = checkMoved()
		}
		if err != nil {
			return keys.AllowList{}, "", err
		}
	}
	if where == "" {
		return defaults, "", nil
	}
	list, err = keys.ParseAllowList(text, defaults)
	if err != nil {
		return keys.AllowList{}, "", &SettingError{where, err}
	}
	return list, where, nil
}

// HasAllowList reports whether the user has an allow-list. The error is a
// *SettingError.
func (s Sources) HasAllowList() (bool, error) {
	_, where, err := s.allowList(keys.AllowList{})
	return where != "", err
}

// configuredAllowList returns the text of the allow-list and where it stands;
// where is "" if there is none.
func configuredAllowList() (where, text string, err error) {
	if text, ok := os.LookupEnv(AllowVariable); ok {
		return "$" + AllowVariable, text, nil
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
		return "", "", &SettingError{path, report.Cause(err)}
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxAllowBytes+1))
	switch {
	case err != nil:
		return "", "", &SettingError{path, report.Cause(err)}
	case len(content) > maxAllowBytes:
		return "", "", &SettingError{path, fmt.Errorf("has more than %d bytes", maxAllowBytes)}
	}
	return path, string(content), nil
}

// allowFile is where the allow-list is in the user's configuration: "" if there
// is neither a home nor a configuration directory, an error if what the variables
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
	if err == nil && filepath.IsAbs(dir) {
		return filepath.Join(dir, "signet", "allow-keys"), nil
	}
	where := "$HOME"
	if xdg != "" {
		where = "$XDG_CONFIG_HOME"
	}
	return "", &SettingError{where, errNotAbsolute}
}
