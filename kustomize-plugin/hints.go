// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/signet-secrets/signet/internal/krm"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/tree"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// Hint tells what helps against an error of this package, "" if it does not
// know. It knows nothing of keys.
func Hint(err error) string {
	for _, find := range []func(error) string{configHint, fileHint, openHint} {
		if hint := find(err); hint != "" {
			return hint
		}
	}
	return ""
}

func configHint(err error) string {
	switch {
	case errors.Is(err, errNothingToDo):
		return "list it under transformers: to open what is in the resources, or give it files: to open those"
	case errors.As(err, new(*unknownConfigError)):
		return "this function knows " + strings.Join(knownConfigs(), ", ")
	case errors.Is(err, errOurs):
		return "list it in the files of a configuration of " + sopsdoc.APIVersion + " " + krm.UnsealKind
	case errors.Is(err, errNotUTF8):
		return "list the file under binaryFiles"
	}
	return ""
}

func fileHint(err error) string {
	switch {
	case errors.Is(err, tree.ErrOutside):
		return "a function reads only below the kustomization that lists it, also through symlinks: move the file there, " +
			"or list the function in a kustomization in the directory of the file and that directory under resources:"
	case errors.Is(err, fs.ErrNotExist):
		return tree.Hint(tree.ErrNoMatch)
	case errors.Is(err, errNothingSealed):
		return "list it under resources: instead, or seal it first: signet seal -i " + report.FileOf(err)
	}
	return tree.Hint(err)
}

func openHint(err error) string {
	switch {
	case errors.As(err, new(*renamedError)):
		return "list the document under generators: (signet seal --kustomize writes what that takes), where it is opened before anything is renamed; " +
			"or seal it for more places, with --scope namespace or --scope cluster"
	case errors.As(err, new(*changedError)):
		return "kustomize sorts the fields of what goes through a transformer, and other transformers change them, which SOPS does not allow: " +
			"open the file with files: of a configuration of " + sopsdoc.APIVersion + " " + krm.UnsealKind + " under generators:"
	case errors.As(err, new(*clearError)):
		file := report.FileOf(err)
		return "encrypt it: sops encrypt -i " + file + ", or, if it is a Secret, signet seal --as sops -i " + file
	case errors.As(err, new(*unseal.UnknownObjectError)):
		return "a newer version may know it; this one knows " + sopsdoc.APIVersion + " " + sopsdoc.Kind
	}
	return ""
}
