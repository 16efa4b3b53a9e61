// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/unseal"
)

// initState is what init finds in a repository, a clone, and a home.
type initState struct {
	root        string
	files       map[string]initFile // by path relative to the root, with slashes
	rules       *keys.Rules         // nil if there are none
	config      map[string]string   // what is set of initVariables
	hooks       initHooks
	identities  initIdentities
	sealingKeys []unseal.Key
}

// initFile is a file that init looks at.
type initFile struct {
	at              string // absolute path
	exists, regular bool   // a symbolic link is not regular
	mode            fs.FileMode
	data            []byte
}

// initHooks is the folder of Git's hooks.
type initHooks struct {
	shown   string // relative to the root, if it is in there
	outside bool   // neither in the work tree nor in Git's own folder
	files   map[string]initFile
}

// at is the absolute path of a file of the repository.
func (there *initState) at(name string) string {
	return filepath.Join(there.root, filepath.FromSlash(name))
}

// look finds out how things stand. Nothing is changed, and no key service called.
func (k *initCommand) look(ctx context.Context, repo *gitrepo.Repo) (*initState, error) {
	there := &initState{root: repo.Root(), files: map[string]initFile{}, config: map[string]string{}}
	for _, name := range []string{keys.RulesFile, attributesFile, ignoreFile, preCommitFile, userkeys.SealingKeyDir + "/" + k.keyName + ".yaml"} {
		f, err := lookAt(there.at(name))
		if err != nil {
			return nil, err
		}
		there.files[name] = f
	}
	if err := there.readRules(); err != nil {
		return nil, err
	}
	for _, v := range initVariables("") {
		value, ok, err := repo.Config(ctx, v.name)
		if err != nil {
			return nil, &initError{there.root, err}
		}
		if ok {
			there.config[v.name] = value
		}
	}
	if err := there.readHooks(ctx, repo); err != nil {
		return nil, err
	}
	there.identities = findIdentities()
	var err error
	there.sealingKeys, err = k.sources(k.err, false).SealingKeys(there.at(keys.RulesFile))
	return there, err
}

// lookAt reads a file that need not be there.
func lookAt(path string) (initFile, error) {
	f := initFile{at: path}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, &report.PlacedError{File: report.ShortPath(path), Operation: "read", Err: report.Cause(err)}
	}
	f.exists, f.regular, f.mode = true, info.Mode().IsRegular(), info.Mode()
	if !f.regular {
		return f, nil
	}
	if f.data, err = os.ReadFile(path); err != nil {
		return f, &report.PlacedError{File: report.ShortPath(path), Operation: "read", Err: report.Cause(err)}
	}
	return f, nil
}

// misnamedRulesError says that rules would be written beside some that nobody
// reads.
type misnamedRulesError struct{ path string }

func (e *misnamedRulesError) Error() string {
	return fmt.Sprintf("make %s: there is %s, which neither sops nor signet reads", keys.RulesFile, e.path)
}

// readRules reads the rules, if there are any, and looks at everything in them.
func (there *initState) readRules() error {
	path := report.ShortPath(there.at(keys.RulesFile))
	if !there.files[keys.RulesFile].exists {
		const misnamed = ".sops.yml"
		if _, err := os.Lstat(there.at(misnamed)); err == nil {
			return &misnamedRulesError{report.ShortPath(there.at(misnamed))}
		}
		return nil
	}
	rules, err := keys.LoadRules(path)
	if err != nil {
		return err
	}
	for _, rule := range rules.Rules {
		err := checkRecipients(fmt.Sprintf("%s: creation_rules[%d]", path, rule.Index), rule.Recipients)
		if err != nil && !errors.As(err, new(*keys.UnsupportedError)) { // of another program
			return err
		}
	}
	there.rules = rules
	return nil
}

// readHooks reads the hooks that init would make.
func (there *initState) readHooks(ctx context.Context, repo *gitrepo.Repo) error {
	dir, err := repo.HooksDir(ctx)
	if err != nil {
		return &initError{there.root, err}
	}
	dir = ownHooks(dir)
	real := resolved(dir)
	hooks := initHooks{shown: dir, files: map[string]initFile{}}
	hooks.outside = !isBelow(resolved(repo.Root()), real) && !isBelow(resolved(repo.CommonDir()), real)
	if rel, err := filepath.Rel(there.root, dir); err == nil && filepath.IsLocal(rel) {
		hooks.shown = filepath.ToSlash(rel)
	}
	for _, name := range hookNames() {
		if hooks.files[name], err = lookAt(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	there.hooks = hooks
	return nil
}

// ownHooks is where people put hooks of theirs. Husky makes those in its folder "_"
// anew at each install; they run the ones beside it.
func ownHooks(dir string) string {
	if parent := filepath.Dir(dir); filepath.Base(dir) == "_" && filepath.Base(parent) == ".husky" {
		return parent
	}
	return dir
}

// resolved follows the links in a path, as far as it is there.
func resolved(path string) string {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		return real
	}
	dir, name := filepath.Split(filepath.Clean(path))
	if dir == path || dir == "" {
		return path
	}
	return filepath.Join(resolved(filepath.Clean(dir)), name)
}

// directoryOf is a directory, absolute, without links.
func directoryOf(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}
