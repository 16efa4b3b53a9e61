// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io/fs"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/tree"
)

// checkHint is about kustomizations that are looked into, and their output.
func checkHint(err error) string {
	if _, ok := report.As[*emptyBuildError](err); ok {
		return "the command that should have written it may have failed, or all of it is made by functions: " + skippedHint + "; --allow-empty accepts it"
	}
	if e, ok := report.As[*unreadError](err); ok {
		return "copy it into the repository; or, if the Secrets that it may make are not to be looked for: --allow-unread " + report.Quoted(e.entry)
	}
	if _, ok := report.As[*entryError](err); ok && errors.Is(err, fs.ErrNotExist) {
		return "correct the path: it is relative to the directory of the kustomization"
	}
	switch {
	case errors.Is(err, errNoKustomization), errors.Is(err, errNoFolder):
		return "name the directory that kustomize builds: --kustomization DIR"
	case errors.Is(err, tree.ErrTooMuch):
		return tree.Hint(err) + ", or that kustomization and the others one by one, each with --kustomization"
	case errors.Is(err, errBuildTooLarge):
		return "name the kustomizations that it is made of one by one, each with --kustomization"
	case errors.Is(err, tree.ErrOutside):
		return "the files of a function lie below the kustomization that lists it, those of ksops in its repository, also through symlinks: move the file there"
	case errors.Is(err, errAbsolute):
		return "write the path relative to the directory of the kustomization"
	}
	return tree.Hint(err)
}
