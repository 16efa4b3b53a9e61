// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/unseal"
)

// placeHint is about --only-namespace.
func placeHint(err error) string {
	if e, ok := report.As[*namespaceFlagError](err); ok {
		if e.name == "" {
			return "a variable in it may not be set; --only-namespace '*' is every namespace"
		}
		return "name namespaces as in --only-namespace prod,stage; '*' is every one"
	}
	e, ok := report.As[*unseal.ForbiddenNamespaceError](err)
	switch {
	case !ok:
		return ""
	case e.Namespace == "":
		return "put metadata.namespace into the manifest and encrypt it again, or seal it as a SealedSecret, which is bound to its namespace; no key was used"
	}
	return "no key was used; if whoever this comes from may have Secrets there: --only-namespace " + e.Namespace + ", in addition to those allowed"
}
