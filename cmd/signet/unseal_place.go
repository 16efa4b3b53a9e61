// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"slices"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// twoFlagsError is an error about the place of a document where both -n and
// --only-namespace were given: what helps against one may break the other.
type twoFlagsError struct {
	given   string   // -n
	allowed []string // --only-namespace
	err     error
}

func (e *twoFlagsError) Error() string { return e.err.Error() }
func (e *twoFlagsError) Unwrap() error { return e.err }

// withFlags marks errors about places, each part of err by itself.
func (u *unsealCommand) withFlags(namespaces []string, err error) error {
	if u.namespace == "" || namespaces == nil || err == nil {
		return err
	}
	var errs []error
	for _, e := range report.Split(err) {
		if errors.As(e, new(*unseal.NamespaceError)) || errors.As(e, new(*unseal.ForbiddenNamespaceError)) {
			e = &twoFlagsError{given: u.namespace, allowed: namespaces, err: e}
		}
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

func (e *twoFlagsError) allows(namespace string) bool {
	return slices.Contains(e.allowed, namespace) || slices.Contains(e.allowed, sopsdoc.Any)
}

func (e *twoFlagsError) hint() string {
	named := ""
	if other, ok := report.As[*unseal.NamespaceError](e.err); ok {
		named = other.Object
	} else if other, ok := report.As[*unseal.ForbiddenNamespaceError](e.err); ok {
		named = other.Namespace
	}
	switch {
	case !e.allows(e.given):
		return "no key was used; --only-namespace does not list the namespace of -n, so that nothing can be opened: name it in both, or leave -n out"
	case named == "" || !sopsdoc.ValidNamespace(named):
		return placeHint(e.err)
	case e.allows(named):
		return "leave -n out: --only-namespace allows " + named + " already, and -n refuses every document that names another namespace than its own"
	}
	return "no key was used; neither -n nor --only-namespace names " + named + ": if whoever wrote it may have Secrets there, add --only-namespace " + named + " and leave -n out"
}
