// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
)

// gitSource are the files of the index, or of a revision.
type gitSource struct {
	repo    *gitrepo.Repo
	blobs   *gitrepo.BlobReader
	content map[string]string // what each path holds, by its hexadecimal name
	changed []gitrepo.Blob    // that are to be checked, nil for all
}

// checkGitError says what check could not get from Git.
type checkGitError struct {
	operation string
	err       error
}

func (e *checkGitError) Error() string { return e.operation + ": " + e.err.Error() }
func (e *checkGitError) Unwrap() error { return e.err }

// newIndexSource returns the index as a source: what a commit would make of it.
// With all, files count that are as in HEAD, too.
func newIndexSource(ctx context.Context, all bool) (*gitSource, error) {
	repo, err := gitrepo.Open(ctx, ".")
	if err != nil {
		return nil, &checkGitError{"read the index", err}
	}
	index, err := repo.Index(ctx)
	if err != nil {
		return nil, &checkGitError{"read the index", err}
	}
	s, err := newGitSource(ctx, repo, index)
	if err != nil || all {
		return s, err
	}
	if s.changed, err = repo.Staged(ctx); err != nil {
		s.close()
		return nil, &checkGitError{"read the index", err}
	}
	s.changed = slices.Clip(append([]gitrepo.Blob{}, s.changed...)) // not nil
	return s, nil
}

// newCommitSource returns a revision as a source.
func newCommitSource(ctx context.Context, rev string) (*gitSource, error) {
	repo, err := gitrepo.Open(ctx, ".")
	if err != nil {
		return nil, &checkGitError{"read the revision", err}
	}
	tree, err := repo.Tree(ctx, rev)
	if err != nil {
		return nil, &checkGitError{"read the revision", err}
	}
	return newGitSource(ctx, repo, tree)
}

func newGitSource(ctx context.Context, repo *gitrepo.Repo, all []gitrepo.Blob) (*gitSource, error) {
	blobs, err := repo.Blobs(ctx)
	if err != nil {
		return nil, &checkGitError{"read the repository", err}
	}
	s := &gitSource{repo: repo, blobs: blobs, content: make(map[string]string, len(all))}
	for _, b := range all {
		s.content[s.at(b.Path)] = b.OID
	}
	return s, nil
}

func (s *gitSource) close() error { return s.blobs.Close() }

// at is the path of a file of the repository.
func (s *gitSource) at(path string) string {
	return filepath.Join(s.repo.Root(), filepath.FromSlash(path))
}

func (s *gitSource) list(_ context.Context, args []string) (*listing, error) {
	l := &listing{known: make(map[string]bool, len(s.content)), repo: s.repo}
	below, err := s.below(args)
	if err != nil {
		return nil, err
	}
	paths := make([]string, 0, len(s.content))
	for at := range s.content {
		l.known[at] = true
		if s.changed == nil {
			paths = append(paths, at)
		}
	}
	for _, b := range s.changed {
		paths = append(paths, s.at(b.Path))
	}
	slices.Sort(paths)
	for _, at := range paths {
		if !slices.ContainsFunc(below, func(dir string) bool { return isBelow(dir, at) }) {
			continue
		}
		f := checkFile{name: report.ShortPath(at), at: at, walked: !slices.Contains(below, at)}
		if f.walked {
			l.add(f)
		} else {
			l.files = append(l.files, f)
		}
	}
	if l.changed = s.changed != nil; !l.changed {
		l.whole = below
	}
	return l, nil
}

// below returns the paths that arguments name, all of the repository if there
// are none.
func (s *gitSource) below(args []string) ([]string, error) {
	if len(args) == 0 {
		return []string{s.repo.Root()}, nil
	}
	var below []string
	for _, arg := range args {
		rel, err := s.repo.Rel(arg)
		if err != nil {
			return nil, &report.PlacedError{File: arg, Operation: "read", Err: report.Cause(err)}
		}
		below = append(below, s.at(rel))
	}
	return below, nil
}

// isBelow reports whether a path is that of a directory or leads to what is in
// it.
func isBelow(dir, at string) bool {
	rel, err := filepath.Rel(dir, at)
	return err == nil && filepath.IsLocal(rel)
}

func (s *gitSource) read(at string) ([]byte, error) { return s.readUpTo(at, manifest.MaxStreamBytes) }

func (s *gitSource) readUpTo(at string, limit int64) ([]byte, error) {
	oid, ok := s.content[at]
	if !ok {
		return nil, fs.ErrNotExist
	}
	text, err := s.blobs.Read(oid, limit)
	if errors.Is(err, gitrepo.ErrTooLarge) {
		return nil, manifest.ErrTooLarge
	}
	return text, err
}
