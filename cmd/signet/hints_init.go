// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/keys"
)

// initHint is about setting a repository up.
func initHint(err error) string {
	if e, ok := report.As[*initError](err); ok {
		switch {
		case errors.Is(err, gitrepo.ErrNoRepository) && e.dir == ".":
			return "make it a repository first: git init"
		case errors.Is(err, gitrepo.ErrNoRepository):
			return "make it a repository first: git init " + report.Quoted(e.dir)
		case errors.Is(err, fs.ErrNotExist):
			return "correct the path, or make it a repository first: git init " + report.Quoted(e.dir)
		}
		failed, ok := report.As[*gitrepo.Error](err)
		switch {
		case ok && strings.Contains(failed.Text, "dubious ownership"):
			return "somebody else owns it; if you trust them: git config --global --add safe.directory DIR, with the path in the error"
		case ok:
			return "see that .git can be written, and that no other git is at work there"
		}
		return ""
	}
	if e, ok := report.As[*keyInWayError](err); ok {
		return "leave the keys out to keep " + report.Visible(e.path) + ", or make another one with --key-name NAME; who opens a SealingKey is changed by signet key rotate " + e.name
	}
	if e, ok := report.As[*misnamedRulesError](err); ok {
		return "rename it: mv " + report.Quoted(e.path) + " " + keys.RulesFile
	}
	switch {
	case errors.As(err, new(*noIdentityError)) && errors.Is(err, errNoConfigDir):
		return "name a recipient with --age, or who opens a SealingKey, as with --kms; or set HOME"
	case errors.As(err, new(*noIdentityError)):
		return "name its public key with --age, or who opens a SealingKey, as with --kms"
	case errors.As(err, new(*initLeftError)):
		return "signet init does what is not by hand, after a question"
	case errors.Is(err, errInitUnasked), errors.Is(err, errInitUnaskedJSON):
		return "--dry-run shows what would be done, --yes does it"
	case errors.Is(err, errInitDeclined):
		return "for other keys, files or hooks see signet init --help"
	case errors.Is(err, errInitChanged):
		return "run it again: it looks at everything anew"
	case errors.Is(err, errLeadsOut):
		return "look at where " + userkeys.SealingKeyDir + " and its like lead to, and remove the link"
	}
	return ""
}
