// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	envToken = "VAULT_TOKEN"
	// maxTokenBytes bounds what is read of a token file.
	maxTokenBytes = 64 << 10
)

// token authorizes requests. It is read for each call, because somebody who
// logs in again wants the next call to know.
type token struct {
	text  string // "" if there is none
	place string // where it is from, or where it was looked for
}

// readToken looks where SOPS does: VAULT_TOKEN, then ~/.vault-token, which
// `vault login` writes. That there is none is no error: an agent that stands
// before the server may add its own. The error is a *settingError.
func readToken() (token, error) {
	if text := os.Getenv(envToken); text != "" {
		return checkToken(token{text, envToken})
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return token{place: envToken + " (not set)"}, nil
	}
	path := filepath.Join(home, ".vault-token")
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return token{place: envToken + " (not set), ~/.vault-token (not there)"}, nil
	}
	if err != nil {
		return token{}, &settingError{"~/.vault-token", pathCause(err)}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxTokenBytes+1))
	switch {
	case err != nil:
		return token{}, &settingError{"~/.vault-token", pathCause(err)}
	case len(text) > maxTokenBytes:
		return token{}, &settingError{"~/.vault-token", fmt.Errorf("is larger than %d bytes", maxTokenBytes)}
	}
	return checkToken(token{strings.TrimSpace(string(text)), "~/.vault-token"})
}

// checkToken keeps what is no token out of a request, whose error would show it.
func checkToken(t token) (token, error) {
	if strings.ContainsFunc(t.text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return token{}, &settingError{t.place, errors.New("holds a character that is in no token")}
	}
	if t.text == "" {
		t.place += " (empty)"
	}
	return t, nil
}

// pathCause is the cause of a file error without the path.
func pathCause(err error) error {
	if e := new(fs.PathError); errors.As(err, &e) {
		return e.Err
	}
	return err
}
