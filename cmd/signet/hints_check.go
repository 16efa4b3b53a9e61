// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/tree"
)

// checkHint is about kustomizations that are looked into, and their output.
func checkHint(err error) string {
	if _, ok := report.As[*emptyBuildError](err); ok {
		return "the command that should have written it may have failed, or all of it is made by functions: " + skippedHint + "; --allow-empty accepts it"
	}
	switch {
	case errors.Is(err, errNoKustomization), errors.Is(err, errNoFolder):
		return "name the folder that kustomize builds: --kustomization DIR"
	case errors.Is(err, tree.ErrTooMuch):
		return "name the files by narrower patterns, and fewer of them, or that kustomization and the others one by one, each with --kustomization"
	case errors.Is(err, errBuildTooLarge):
		return "name the kustomizations that it is made of one by one, each with --kustomization"
	}
	return ""
}
