// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// builtHint is about documents that a build has changed or moved, and no longer
// open for that.
func builtHint(err error) string {
	e, ok := report.As[*builtError](err)
	if !ok {
		return ""
	}
	if scope, ok := report.As[*unseal.ScopeError](e.err); ok {
		if scope.Namespace == "" {
			return ""
		}
		return "a document opens only where it was sealed for; if a kustomization has moved or renamed it, list it under generators: " +
			"(signet seal --kustomize writes what that takes), where it is opened before; or seal it for more places, with --scope namespace or --scope cluster"
	}
	return "kustomize sorts the fields of what it builds, and may change them, which SOPS does not allow: open the file in the build, " +
		"with files: of a generator (kind: Unseal, or ksops), or before kustomize; if nothing has built it, restore it from Git"
}

// placeHint is about --only-namespace, and about what it leaves out.
func placeHint(err error) string {
	if e, ok := report.As[*twoFlagsError](err); ok {
		return e.hint()
	}
	if e, ok := report.As[*namespaceFlagError](err); ok {
		if e.name == "" {
			return "a variable in it may not be set; --only-namespace '*' is every namespace"
		}
		return "name namespaces as in --only-namespace prod,stage; '*' is every one"
	}
	if errors.As(err, new(*unseal.UnscopedError)) {
		return "no key was used; seal it as a SealedSecret, which is bound to its namespace; or, only where whoever writes the repository " +
			"may have all that its keys open, permit it with --allow-unscoped or " + userkeys.UnscopedVariable + "=true"
	}
	e, ok := report.As[*unseal.ForbiddenNamespaceError](err)
	switch {
	case !ok:
		return ""
	case e.Namespace == "":
		return "no key was used; the manifest needs its metadata.namespace, in clear: encrypt it again so, or seal it as a SealedSecret, which is bound to its namespace"
	}
	const hint = "no key was used; it is refused whatever the keys open"
	if !sopsdoc.ValidNamespace(e.Namespace) {
		return hint
	}
	return hint + "; if whoever wrote it may have Secrets there, add --only-namespace " + e.Namespace
}
