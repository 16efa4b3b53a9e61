// SPDX-License-Identifier: Apache-2.0

package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/signet-secrets/signet/seal/manifest"
)

// PlacedError says in which document something went wrong.
type PlacedError struct {
	File      string // as the user named it, "-" for stdin
	Document  int    // 1-based, 0 if it is about the whole file
	Item      int    // 1-based item of a List, or 0
	Object    string // as ObjectName gives it, or ""
	Operation string // what was tried, as in "seal", or the rule that was broken
	Err       error
}

func (e *PlacedError) Error() string {
	place := Visible(Source(e.File))
	if e.Document > 0 {
		place += fmt.Sprintf(", document %d", e.Document)
	}
	if e.Item > 0 {
		place += fmt.Sprintf(", item %d", e.Item)
	}
	if e.Object != "" {
		place += ", " + e.Object
	}
	return place + ": " + e.Operation + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *PlacedError) Unwrap() error { return e.Err }

// At places an error at an object in a document of a file.
func At(file string, doc *manifest.Document, o *manifest.Object, operation string, err error) error {
	return &PlacedError{File: file, Document: doc.Index, Item: o.Item, Object: ObjectName(o), Operation: operation, Err: err}
}

// Source names a source of input for people: stdin for "-".
func Source(path string) string {
	if path == "-" {
		return "stdin"
	}
	return path
}

// ObjectName names an object, as namespace/name if it has a namespace. It is ""
// if there is no name, or one that no object can have.
func ObjectName(o *manifest.Object) string {
	name := o.Name()
	if name == "" || len(name) > 253 {
		return ""
	}
	if ns := o.Namespace(); ns != "" {
		name = ns + "/" + name
	}
	return Visible(name)
}

// FileOf names the file that an error is about, for a command to be pasted:
// FILE if it is about none.
func FileOf(err error) string {
	placed, ok := As[*PlacedError](err)
	if !ok || placed.File == "-" {
		return "FILE"
	}
	return Quoted(placed.File)
}

// Cause takes the path out of an error about a file: the place names it already.
func Cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// ShortPath is a path as somebody in the working directory would write it.
func ShortPath(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}
