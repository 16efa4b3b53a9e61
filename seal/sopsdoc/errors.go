// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import "fmt"

// InvalidError says that a document breaks the format, which only a change of
// the document can mend. Nearly all of it is found out before a key is used.
type InvalidError struct {
	Path   string // key path within the document, "" for the document itself
	Reason string
}

func (e *InvalidError) Error() string {
	if e.Path == "" {
		return e.Reason
	}
	return e.Path + ": " + e.Reason
}

// TamperedError says that a document does not authenticate under the data key
// that it carries: it was changed after sealing, or put together from parts of
// others.
type TamperedError struct {
	Path   string // key path within the document
	Reason string
}

func (e *TamperedError) Error() string { return e.Path + ": " + e.Reason }

// DeniedError says that a type, label or annotation may neither be sealed nor
// come out of a document.
type DeniedError struct {
	Path   string // of the type, label or annotation
	Reason string
}

func (e *DeniedError) Error() string { return e.Path + ": " + e.Reason }

func invalid(path, format string, args ...any) error {
	return &InvalidError{Path: path, Reason: fmt.Sprintf(format, args...)}
}
