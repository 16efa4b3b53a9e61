// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// fileVersions are two versions of a file, nil where there is none.
type fileVersions struct {
	name     string // for people
	place    string // a path, for the SealingKeys that belong to it
	old, new []byte
}

// files returns the files that differ and could hold something sealed.
func (d *diffCommand) files(cmd *cobra.Command, args []string) ([]fileVersions, error) {
	var all []fileVersions
	var err error
	if d.noIndex {
		all, err = twoFiles(args)
	} else {
		all, err = d.changed(cmd, args)
	}
	var concern []fileVersions
	for _, f := range all {
		if !sameLines(f.old, f.new) && (concernsDiff(f.old) || concernsDiff(f.new)) {
			concern = append(concern, f)
		}
	}
	return concern, err
}

// sameLines compares texts but for how lines end, which Git may change in a work tree.
func sameLines(a, b []byte) bool {
	unix := func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) }
	return bytes.Equal(a, b) || (a == nil) == (b == nil) && bytes.Equal(unix(a), unix(b))
}

func concernsDiff(data []byte) bool {
	return manifest.MightConcern(data, "Secret", sopsdoc.Group, sopsdoc.MetadataKey)
}

func twoFiles(names []string) ([]fileVersions, error) {
	f := fileVersions{name: names[1], place: names[1]}
	for i, data := range []*[]byte{&f.old, &f.new} {
		var err error
		if *data, err = readBounded(names[i]); err != nil {
			return nil, &report.PlacedError{File: names[i], Operation: "read", Err: report.Cause(err)}
		}
	}
	return []fileVersions{f}, nil
}

// changed finds out which files differ, and reads them.
func (d *diffCommand) changed(cmd *cobra.Command, args []string) ([]fileVersions, error) {
	ctx := cmd.Context()
	repo, err := gitrepo.Open(ctx, ".")
	if errors.Is(err, gitrepo.ErrNoRepository) {
		return nil, fmt.Errorf("diff: this folder %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("diff: %w", err)
	}
	revisions, paths, err := d.arguments(cmd, repo, args)
	if err != nil {
		return nil, err
	}
	changes, onDisk, err := changesIn(ctx, repo, revisions, d.staged, paths)
	if err != nil {
		return nil, fmt.Errorf("diff: %w", err)
	}
	if len(revisions) < 2 {
		if err := d.noteUnmerged(ctx, repo, paths); err != nil {
			return nil, fmt.Errorf("diff: %w", err)
		}
	}
	blobs, err := repo.Blobs(ctx)
	if err != nil {
		return nil, fmt.Errorf("diff: %w", err)
	}
	defer blobs.Close()
	r := changeReader{repo: repo, blobs: blobs, onDisk: onDisk}
	var all []fileVersions
	for _, c := range changes {
		f, err := r.read(c)
		switch {
		case errors.Is(err, gitrepo.ErrTooLarge) && manifest.IsFile(c.Path):
			note(d.err, f.name, "is not compared: "+err.Error())
		case errors.Is(err, gitrepo.ErrTooLarge):
		case err != nil:
			return nil, &report.PlacedError{File: f.name, Operation: "read", Err: report.Cause(err)}
		default:
			all = append(all, f)
		}
	}
	return all, nil
}

// arguments tells revisions from paths.
func (d *diffCommand) arguments(cmd *cobra.Command, repo *gitrepo.Repo, args []string) (revisions, paths []string, err error) {
	names := args
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		names, paths = args[:dash], args[dash:]
	}
	if len(names) == 1 && strings.Contains(names[0], "..") && !strings.Contains(names[0], "...") {
		from, to, _ := strings.Cut(names[0], "..")
		names = []string{orHead(from), orHead(to)}
	}
	if len(names) > 2 || d.staged && len(names) > 1 {
		return nil, nil, usagef(cmd, "too many revisions; paths stand behind --")
	}
	for _, name := range names {
		commit, err := repo.Resolve(cmd.Context(), name)
		if err != nil {
			return nil, nil, fmt.Errorf("diff: %w", err)
		}
		revisions = append(revisions, commit)
	}
	for i, path := range paths {
		if paths[i], err = repo.Rel(path); err != nil {
			return nil, nil, &report.PlacedError{File: path, Operation: "diff", Err: err}
		}
	}
	return revisions, paths, nil
}

func orHead(revision string) string {
	if revision == "" {
		return "HEAD"
	}
	return revision
}

// changesIn lists what differs. onDisk says that the later versions are those of the
// work tree.
func changesIn(ctx context.Context, repo *gitrepo.Repo, revisions []string, staged bool, paths []string) (changes []gitrepo.Change, onDisk bool, err error) {
	older, later := repo.Index, repo.OnDisk
	tree := func(revision string) func(context.Context, ...string) ([]gitrepo.Blob, error) {
		return func(ctx context.Context, paths ...string) ([]gitrepo.Blob, error) {
			return repo.Tree(ctx, revision, paths...)
		}
	}
	switch {
	case len(revisions) == 2:
		older, later = tree(revisions[0]), tree(revisions[1])
	case len(revisions) == 1:
		older = tree(revisions[0])
	case staged:
		older = tree("HEAD")
	}
	if staged {
		later = repo.Index
	}
	old, err := older(ctx, paths...)
	if staged && len(revisions) == 0 && errors.As(err, new(*gitrepo.RevisionError)) {
		err = nil // there is no commit yet
	}
	if err != nil {
		return nil, false, err
	}
	now, err := later(ctx, paths...)
	return gitrepo.Changes(old, now), !staged && len(revisions) < 2, err
}

// changeReader reads both versions of files.
type changeReader struct {
	repo   *gitrepo.Repo
	blobs  *gitrepo.BlobReader
	onDisk bool
}

func (r *changeReader) read(c gitrepo.Change) (f fileVersions, err error) {
	f.place = filepath.Join(r.repo.Root(), filepath.FromSlash(c.Path))
	f.name = report.ShortPath(f.place)
	if c.HadOld {
		if f.old, err = r.blobs.Read(c.Old, manifest.MaxStreamBytes); err != nil {
			return f, err
		}
	}
	if c.HasNew && r.onDisk {
		f.new, err = r.repo.ReadFile(c.Path, manifest.MaxStreamBytes)
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	if c.HasNew {
		f.new, err = r.blobs.Read(c.New, manifest.MaxStreamBytes)
		if r.onDisk && errors.Is(err, gitrepo.ErrMissing) { // removed just now
			f.new, err = nil, nil
		}
	}
	return f, err
}
