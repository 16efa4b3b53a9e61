// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/tree"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

var (
	errNothingToDo   = errors.New("there is nothing to open: it has no files, and gets no resources")
	errNotRegular    = errors.New("is not a regular file")
	errDirectory     = errors.New("is a directory")
	errNothingSealed = errors.New("nothing in it is sealed")
	errNotObject     = errors.New("is no Kubernetes object: apiVersion or kind is missing")
	errOurs          = errors.New("is a document of signet.dev, which a ksops configuration does not open")
)

// RenamedError says that an object in a transformer's input was given another
// name or namespace than the one that it was sealed for, before it could be
// opened.
type RenamedError struct {
	Old, New string // namespace/name of the object
	Err      *unseal.ScopeError
}

func (e *RenamedError) Error() string {
	return fmt.Sprintf("kustomize has made %s of %s before it could be opened: %v", e.New, e.Old, e.Err)
}

// Unwrap returns the cause.
func (e *RenamedError) Unwrap() error { return e.Err }

// UntriedError says how many documents were left alone because the run was
// interrupted, or had failed too often already.
type UntriedError struct{ Documents int }

func (e *UntriedError) Error() string { return fmt.Sprintf("%d more were not tried", e.Documents) }

// unknownObjectError says that an object of Signet's API cannot be handled.
type unknownObjectError struct{ apiVersion, kind string }

func (e *unknownObjectError) Error() string {
	return "unknown object " + report.Visible(e.apiVersion) + " " + report.Visible(e.kind)
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

// tooMuchError says that a stream would take too much time and memory.
type tooMuchError struct{ documents, nodes int }

func (e *tooMuchError) Error() string {
	return fmt.Sprintf("too much of it has to be parsed: %d documents with up to %d nodes, the limit is %d", e.documents, e.nodes, maxParsedNodes)
}

// panicError stands for a panic, whose value and stack may hold anything.
type panicError struct{ where string }

func (e *panicError) Error() string { return "internal error: a panic in " + e.where }

// recovered turns a panic of the caller into an error. It is to be deferred.
func recovered(err *error) {
	if recover() != nil {
		*err = &panicError{where: panicPlace()}
	}
}

// panicPlace names the function of this module that was running when the panic
// began, or that called what did.
func panicPlace() string {
	const module = "github.com/signet-secrets/signet/"
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	panicking := false
	for {
		frame, more := frames.Next()
		name, ours := strings.CutPrefix(frame.Function, module)
		switch {
		case strings.HasPrefix(frame.Function, "runtime.") && strings.Contains(frame.Function, "anic"):
			panicking = true
		case panicking && ours:
			return name
		case !more:
			return "an unknown place"
		}
	}
}

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
		return "list it in the files of a configuration of " + sopsdoc.APIVersion + " " + unsealKind
	case errors.Is(err, errNotUTF8):
		return "list the file under binaryFiles"
	}
	return ""
}

func fileHint(err error) string {
	switch {
	case errors.Is(err, tree.ErrOutside):
		return "a function reads only below the kustomization that lists it, also through symlinks: move the file there, " +
			"or list the function in a kustomization in the folder of the file and that folder under resources:"
	case errors.Is(err, tree.ErrNoMatch), isMissing(err):
		return "paths and patterns are relative to the folder of the kustomization; * does not match /, and there is no **"
	case errors.Is(err, tree.ErrTooMuch):
		return "name the files by narrower patterns, and fewer of them"
	case errors.Is(err, errDirectory):
		return "name the files in it, as in FOLDER/*.yaml"
	case errors.Is(err, errNothingSealed):
		return "list it under resources: instead, or seal it first: signet seal -i " + report.FileOf(err)
	}
	return ""
}

func openHint(err error) string {
	switch {
	case errors.As(err, new(*RenamedError)):
		return "list the document under generators: (signet seal --kustomize writes what that takes), where it is opened before anything is renamed; " +
			"or seal it for more places, with --scope namespace or --scope cluster"
	case errors.As(err, new(*changedError)):
		return "kustomize sorts the fields of what goes through a transformer, and other transformers change them, which SOPS does not allow: " +
			"open the file with files: of a configuration of " + sopsdoc.APIVersion + " " + unsealKind + " under generators:"
	case hasNamespace(err):
		return "a document opens only where it was sealed for: put it back, or seal the Secret again for the new place"
	case errors.As(err, new(*unknownObjectError)):
		return "a newer version may know it; this one knows " + sopsdoc.APIVersion + " " + sopsdoc.Kind
	}
	return ""
}

// hasNamespace reports whether a *unseal.ScopeError is about a document whose
// namespace is known. Where none is, something else helps.
func hasNamespace(err error) bool {
	e, ok := report.As[*unseal.ScopeError](err)
	return ok && e.Namespace != ""
}

// changedError says that a SOPS document from a transformer's input does not
// authenticate.
type changedError struct{ err error }

func (e *changedError) Error() string { return e.err.Error() }
func (e *changedError) Unwrap() error { return e.err }
