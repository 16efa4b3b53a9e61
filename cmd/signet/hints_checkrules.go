// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/internal/report"
)

// checkRulesHint is about the rules of check, what it asks Git, and what rules of
// documents forbid.
func checkRulesHint(err error) string {
	if e, ok := report.As[*classicError](err); ok {
		return classicHint(e)
	}
	if _, ok := report.As[*checkGitError](err); !ok {
		return ""
	}
	switch {
	case errors.Is(err, gitrepo.ErrNoRepository):
		return "--staged and --base ask Git: run it in the work tree of a repository, or name files and directories"
	case errors.Is(err, gitrepo.ErrNoGit):
		return "--staged and --base ask Git: install it, or name files and directories"
	}
	if e, ok := report.As[*gitrepo.RevisionError](err); ok {
		return "name a commit, a branch or a tag that `git rev-parse --verify " + report.Quoted(e.Revision) + "` knows; a shallow clone may not have it: git fetch"
	}
	return ""
}
