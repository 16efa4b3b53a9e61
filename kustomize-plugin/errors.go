// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"errors"
	"fmt"
	"strings"

	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/unseal"
)

var (
	errNothingToDo   = errors.New("there is nothing to open: it has no files, and gets no resources")
	errNothingSealed = errors.New("nothing in it is sealed")
	errNotObject     = errors.New("is no Kubernetes object: apiVersion or kind is missing")
	errOurs          = errors.New("is a document of signet.dev, which a ksops configuration does not open")
)

// renamedError says that an object in a transformer's input was given another
// name or namespace than the one that it was sealed for, before it could be
// opened.
type renamedError struct {
	Old, New string // namespace/name of the object
	Err      *unseal.ScopeError
}

func (e *renamedError) Error() string {
	return fmt.Sprintf("kustomize has made %s of %s before it could be opened: %v", e.New, e.Old, e.Err)
}

// Unwrap returns the cause.
func (e *renamedError) Unwrap() error { return e.Err }

// changedError says that a SOPS document from a transformer's input does not
// authenticate.
type changedError struct{ err error }

func (e *changedError) Error() string { return e.err.Error() }
func (e *changedError) Unwrap() error { return e.err }

// clearError says that a file which ksops lists is not encrypted.
type clearError struct{ err error }

func (e *clearError) Error() string { return e.err.Error() }
func (e *clearError) Unwrap() error { return e.err }

// UntriedError says how many files or documents were left alone because the run
// was interrupted, or had failed too often already.
type UntriedError struct{ Count int }

func (e *UntriedError) Error() string {
	return fmt.Sprintf("%d more files or documents were not tried", e.Count)
}

// joined joins errors in order, with an *UntriedError at the end for all that
// say that something was not tried.
func joined(errs []error) error {
	var all []error
	for _, err := range errs {
		all = append(all, report.Split(err)...)
	}
	all, untried := parallel.Tried(all)
	if untried > 0 {
		all = append(all, &UntriedError{Count: untried})
	}
	return errors.Join(all...)
}

// unknownConfigError says that there is no such configuration.
type unknownConfigError struct{ apiVersion, kind string }

func (e *unknownConfigError) Error() string {
	return fmt.Sprintf("unknown configuration %s %s", report.Visible(e.apiVersion), report.Visible(e.kind))
}

// fieldError says that a configuration has a field that its kind has not.
type fieldError struct {
	path  string
	known []string
}

func (e *fieldError) Error() string {
	return fmt.Sprintf("unknown field %s; there are %s", e.path, strings.Join(e.known, ", "))
}
