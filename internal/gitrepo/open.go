// SPDX-License-Identifier: Apache-2.0

package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Errors of Open, to be tested with errors.Is.
var (
	// ErrNoGit says that there is no git program in PATH.
	ErrNoGit = errors.New("git is not in PATH")
	// ErrNoRepository says that a directory is in no work tree. A bare repository
	// has none, and the inside of .git is not in one.
	ErrNoRepository = errors.New("is in no Git work tree")
)

// The oldest git that is supported: it knows --end-of-options everywhere.
const oldestMajor, oldestMinor = 2, 30

// TooOldError says that git is older than this package needs.
type TooOldError struct{ Version string }

func (e *TooOldError) Error() string {
	return fmt.Sprintf("git %s is too old, at least %d.%d is needed", e.Version, oldestMajor, oldestMinor)
}

// Repo is a repository with a work tree.
type Repo struct {
	program           string
	root, dir, common string
}

// Open finds the repository that dir is in, or the one that GIT_DIR names. Errors
// are ErrNoGit, a *TooOldError, ErrNoRepository, or an *Error.
func Open(ctx context.Context, dir string) (*Repo, error) {
	program, err := exec.LookPath("git")
	if err != nil {
		return nil, ErrNoGit
	}
	r := &Repo{program: program}
	if err := r.checkVersion(ctx); err != nil {
		return nil, err
	}
	if os.Getenv("GIT_DIR") != "" {
		dir = "." // git takes the working directory for the top of the work tree
	}
	if r.root, err = directory(dir); err != nil {
		return nil, err
	}
	places := []string{"--git-common-dir", "--absolute-git-dir", "--show-toplevel"}
	out, err := r.output(ctx, append([]string{"rev-parse", "--is-inside-work-tree"}, places...)...)
	if failed := new(Error); errors.As(err, &failed) && failed.Code == 128 && !failed.unsafe() {
		return nil, ErrNoRepository // also in a bare one, which has no top
	}
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")[1:]
	if len(lines) != len(places) { // line breaks in a path: ask for one after the other
		lines = nil
		for _, arg := range places {
			if out, err = r.output(ctx, "rev-parse", arg); err != nil {
				return nil, err
			}
			lines = append(lines, strings.TrimSuffix(out, "\n"))
		}
	}
	if err := r.at(lines); err != nil {
		return nil, err
	}
	return r, nil
}

// at sets the common folder, that of git, and the top.
func (r *Repo) at(lines []string) error {
	paths := make([]string, len(lines))
	for i, line := range lines {
		var err error
		if paths[i], err = r.abs(line); err != nil {
			return err
		}
	}
	r.common, r.dir, r.root = paths[0], paths[1], paths[2]
	return nil
}

// directory returns the absolute path of a folder without links in it: git prints
// paths that are relative to that.
func directory(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", err
	}
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = ErrNoRepository
	}
	return dir, err
}

// abs makes a path absolute that git has printed.
func (r *Repo) abs(path string) (string, error) {
	path = filepath.FromSlash(path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.root, path)
	}
	return filepath.Abs(path)
}

func (r *Repo) checkVersion(ctx context.Context) error {
	out, err := r.output(ctx, "version")
	if err != nil {
		return err
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(out), "git version "), " ")
	parts := append(strings.Split(version, "."), "", "")
	major, err := strconv.Atoi(parts[0])
	if err != nil {
		return &TooOldError{Version: printable(version)}
	}
	minor, _ := strconv.Atoi(parts[1])
	if major < oldestMajor || major == oldestMajor && minor < oldestMinor {
		return &TooOldError{Version: printable(version)}
	}
	return nil
}

// Root is the top of the work tree, absolute.
func (r *Repo) Root() string { return r.root }

// GitDir is the folder of this work tree's index and HEAD, absolute.
func (r *Repo) GitDir() string { return r.dir }

// CommonDir is the folder that all work trees of the repository share, absolute.
func (r *Repo) CommonDir() string { return r.common }

// ErrOutside says that a path is not in the work tree.
var ErrOutside = errors.New("is outside of the Git work tree")

// Rel returns name, a path of the file system that need not exist, as the other
// methods take paths: relative to Root, with slashes, "." for Root itself. Links
// on the way to it are followed, a link that it is itself is not. The error is
// ErrOutside or that of finding the folder.
func (r *Repo) Rel(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	root, err := filepath.EvalSymlinks(r.root)
	if err != nil {
		return "", err
	}
	if resolved, err := filepath.EvalSymlinks(abs); err == nil && resolved == root {
		return ".", nil
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(root, filepath.Join(folder, filepath.Base(abs)))
	if err != nil || !filepath.IsLocal(rel) {
		return "", ErrOutside
	}
	return filepath.ToSlash(rel), nil
}
