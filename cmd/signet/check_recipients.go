// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/seal/keys"
)

// sourceRules finds the rule for each file of a source. It looks once for each
// directory and reads each rules file once. It is safe for concurrent use.
type sourceRules struct {
	src   source
	mu    sync.Mutex
	found map[string]*foundRules // by directory
	files map[string]*foundRules // by rules file
}

// foundRules is what a directory has for rules: neither where there are none.
type foundRules struct {
	rules *keys.Rules
	path  string
	err   error // of the rules file
}

func newSourceRules(src source) *sourceRules {
	return &sourceRules{src: src, found: map[string]*foundRules{}, files: map[string]*foundRules{}}
}

// rule returns the rule for a file, nil where there is no rules file. The error
// is a *keys.NoRuleError if none matches. What is wrong with the rules file
// itself is for broken to say.
func (r *sourceRules) rule(at string) (*keys.Rule, error) {
	found := r.folder(filepath.Dir(at))
	if found.rules == nil {
		return nil, nil
	}
	return found.rules.For(at)
}

// broken returns the rules files that cannot be read, with the reason.
func (r *sourceRules) broken() map[string]error {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string]error{}
	for path, found := range r.files {
		if found.err != nil {
			all[path] = found.err
		}
	}
	return all
}

func (r *sourceRules) folder(dir string) *foundRules {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found, ok := r.found[dir]; ok {
		return found
	}
	found := &foundRules{}
	if path := r.path(dir); path != "" {
		found = r.load(path)
	}
	r.found[dir] = found
	return found
}

// path returns the rules file for the documents in a directory, "" if there is
// none.
func (r *sourceRules) path(dir string) string {
	git, ok := r.src.(*gitSource)
	if !ok {
		path, err := keys.FindRules(filepath.Join(dir, "-"))
		if err != nil {
			return ""
		}
		return path
	}
	for isBelow(git.repo.Root(), dir) {
		path := filepath.Join(dir, keys.RulesFile)
		if _, ok := git.content[path]; ok {
			return path
		}
		if _, misnamed := git.content[filepath.Join(dir, ".sops.yml")]; misnamed {
			return ""
		}
		if dir == git.repo.Root() {
			break
		}
		dir = filepath.Dir(dir)
	}
	return ""
}

// look reads a rules file, so that broken tells if it cannot be read.
func (r *sourceRules) look(path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.load(path)
}

// load reads a rules file. The caller holds the lock.
func (r *sourceRules) load(path string) *foundRules {
	if found, ok := r.files[path]; ok {
		return found
	}
	found := &foundRules{path: path}
	found.rules, found.err = readRules(r.src, path)
	if found.err == nil && found.rules != nil {
		for _, rule := range found.rules.Rules {
			where := fmt.Sprintf("creation_rules[%d]", rule.Index)
			if err := checkRecipients(where, rule.Recipients); err != nil {
				found.rules, found.err = nil, err
				break
			}
		}
	}
	r.files[path] = found
	return found
}

func readRules(src source, path string) (*keys.Rules, error) {
	text, err := src.read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, gitrepo.ErrMissing):
		return nil, nil
	case err != nil:
		return nil, err
	case len(text) > keys.MaxRulesBytes:
		return nil, fmt.Errorf("is larger than %d bytes", keys.MaxRulesBytes)
	}
	return keys.ParseRules(path, text)
}
