// SPDX-License-Identifier: Apache-2.0

package controllertest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// files are what a controller starts from, as it sees their paths.
type files struct {
	program, kubeconfig, identity string
}

// startFiles makes the files for a controller, with a token of its own.
func (l *Lab) startFiles(ctx context.Context, c *Controller, o Launch) (*files, error) {
	if o.Account == "" {
		o.Account = AccountName
	}
	cfg, err := l.Cluster.ServiceAccount(ctx, AccountNamespace, o.Account)
	if err != nil {
		return nil, err
	}
	if c.Credential, err = credentialID(cfg.BearerToken); err != nil {
		return nil, err
	}
	dir := l.Dir
	if o.Root != "" {
		dir = o.Root
	}
	kubeconfig, err := os.CreateTemp(dir, "kubeconfig-")
	if err != nil {
		return nil, err
	}
	if err := kubeconfig.Close(); err != nil {
		return nil, err
	}
	if err := l.Cluster.WriteKubeconfig(kubeconfig.Name(), cfg); err != nil {
		return nil, err
	}
	f := &files{program: l.Program, kubeconfig: kubeconfig.Name(), identity: l.KeyFile}
	if o.Root != "" {
		return f.within(dir)
	}
	return f, nil
}

// within copies the files to a folder, and returns their paths as they are for
// a process that has it for its root.
func (f *files) within(dir string) (*files, error) {
	for path, mode := range map[string]os.FileMode{f.program: 0o700, f.identity: 0o600} {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), content, mode); err != nil {
			return nil, err
		}
	}
	inside := func(path string) string { return "/" + filepath.Base(path) }
	return &files{program: inside(f.program), kubeconfig: inside(f.kubeconfig), identity: inside(f.identity)}, nil
}

// credentialID is how the API server calls a token of a service account in the
// audit log (kubernetes: serviceaccount/jwt.go, CredentialIDForJTI).
func credentialID(token string) (string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", errors.New("the token of the account is no JWT")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", errors.New("the token of the account is no JWT")
	}
	var claims struct {
		JTI string `json:"jti"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil || claims.JTI == "" {
		return "", fmt.Errorf("the token of the account has no id")
	}
	return "JTI=" + claims.JTI, nil
}
