// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import "fmt"

// InvalidError says that a document breaks the format. Only a changed document
// can mend it; no key was or would be needed to find out.
type InvalidError struct {
	Path   string // key path within the document, "" for the document itself
	Line   int    // 1-based line, 0 if unknown
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
	Path   string // "type", "labels[...]" or "annotations[...]"
	Reason string
}

func (e *DeniedError) Error() string { return e.Path + ": " + e.Reason }

func invalid(path, format string, args ...any) error {
	return &InvalidError{Path: path, Reason: fmt.Sprintf(format, args...)}
}
