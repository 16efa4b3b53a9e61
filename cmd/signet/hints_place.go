// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

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
