// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// misnamedRules is a name that people give rules files by mistake. SOPS does
// not read it either (sops: config/config.go, LookupConfigFile).
const misnamedRules = ".sops.yml"

// FindRules returns the absolute path of the rules file for a document: the
// nearest .sops.yaml in its directory and those above it, up to the root of
// its Git repository, which is the nearest directory that holds .git, whether
// directory or file (worktree, submodule). Outside a repository only the
// document's own directory counts, so that no rules file that somebody left in
// a shared directory such as /tmp decides who can read.
//
// The document and its directory need not exist. Symlinks are followed first,
// the document's own included: what counts is the place where the file is. A
// symlink that leads nowhere is an error.
//
// Where there is none the error is a *NoRulesError. A .sops.yml without a
// .sops.yaml beside it ends the search: its author thinks that it applies, and
// rules from further up might name other readers.
func FindRules(document string) (string, error) {
	path, err := resolve(document)
	if err != nil {
		return "", fmt.Errorf("find rules for %q: %w", document, err)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return "", fmt.Errorf("find rules for %q: is a directory", document)
	}
	dirs, repository, err := searchPath(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("find rules for %q: %w", document, err)
	}
	none := &NoRulesError{Document: document, Repository: repository}
	for _, dir := range dirs {
		none.Searched = append(none.Searched, dir)
		for _, name := range []string{RulesFile, misnamedRules} {
			candidate := filepath.Join(dir, name)
			switch found, err := exists(candidate); {
			case err != nil:
				return "", fmt.Errorf("find rules for %q: %w", document, err)
			case found && name == RulesFile:
				return candidate, nil
			case found:
				none.Misnamed = candidate
				return "", none
			}
		}
	}
	return "", none
}

// SearchPath returns the directories in which FindRules looks for the rules of
// a document, nearest first.
func SearchPath(document string) ([]string, error) {
	path, err := resolve(document)
	if err != nil {
		return nil, fmt.Errorf("find what belongs to %q: %w", document, err)
	}
	dirs, _, err := searchPath(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("find what belongs to %q: %w", document, err)
	}
	return dirs, nil
}

// searchPath returns the directories from dir to the root of its repository,
// and that root; or dir alone and "".
func searchPath(dir string) (dirs []string, repository string, err error) {
	for at := dir; ; at = filepath.Dir(at) {
		dirs = append(dirs, at)
		switch found, err := exists(filepath.Join(at, ".git")); {
		case err != nil:
			return nil, "", err
		case found:
			return dirs, at, nil
		case at == filepath.Dir(at):
			return dirs[:1], "", nil
		}
	}
}

func exists(path string) (bool, error) {
	switch _, err := os.Lstat(path); {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	default:
		return false, err
	}
}

// resolve returns the absolute path with all symlinks followed. The part that
// does not exist yet stays as it is written.
func resolve(path string) (string, error) {
	if !filepath.IsAbs(path) {
		wd, err := os.Getwd()
		if err != nil {
			return "", err
		}
		path = wd + string(filepath.Separator) + path // filepath.Join would cut "link/.." as if link were none
	}
	missing := ""
	for {
		real, err := filepath.EvalSymlinks(path)
		if err == nil {
			return filepath.Join(real, missing), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		path = strings.TrimRight(path, string(filepath.Separator))
		if found, _ := exists(path); found {
			return "", fmt.Errorf("%q is a symlink that leads nowhere", path)
		}
		dir, base := filepath.Split(path)
		if base == "" || base == ".." {
			return "", err
		}
		path, missing = dir, filepath.Join(base, missing)
	}
}
