// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"path/filepath"

	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/internal/merge3"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
)

// noteConflict says that a file is not compared because the merge driver has left
// a conflict in it.
func (d *diffCommand) noteConflict(name string) {
	note(d.err, name, "is a file in conflict, and is not compared; settle it first: signet edit "+report.Quoted(name))
}

// noteUnmerged names the files with something sealed whose merge is not finished,
// which are in no listing of files that differ.
func (d *diffCommand) noteUnmerged(ctx context.Context, repo *gitrepo.Repo, paths []string) error {
	unmerged, err := repo.Unmerged(ctx, paths...)
	for _, path := range unmerged {
		text, err := repo.ReadFile(path, manifest.MaxStreamBytes)
		if err != nil || !concernsDiff(text) {
			continue
		}
		name := report.ShortPath(filepath.Join(repo.Root(), filepath.FromSlash(path)))
		if _, conflict := merge3.ParseConflict(text); conflict {
			d.noteConflict(name)
		} else {
			note(d.err, name, "is not compared: its merge is not finished, as git status says")
		}
	}
	return err
}
