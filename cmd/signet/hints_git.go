// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/internal/report"
)

// gitHint is about the git program, and what it calls.
func gitHint(err error) string {
	if e, ok := report.As[*gitrepo.TooOldError](err); ok {
		return "install a newer git than " + report.Visible(e.Version)
	}
	if _, ok := report.As[*gitrepo.RevisionError](err); ok {
		return "git log --oneline lists commits; paths stand behind --"
	}
	switch {
	case errors.Is(err, gitrepo.ErrNoGit):
		return "install git, or add its directory to PATH"
	case errors.Is(err, gitrepo.ErrNoRepository):
		return "run it in a Git work tree, or compare two files: signet diff --no-index OLD NEW"
	case errors.Is(err, gitrepo.ErrOutside):
		return "name a path in the work tree"
	case errors.Is(err, errShown):
		return "to write values into a file or a pipe all the same: --show=always"
	}
	return ""
}
