// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/merge3"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
)

// input is one file or stdin.
type input struct {
	name   string // as the user knows it, "-" for stdin
	walked bool   // found in a directory, not named
	stream *manifest.Stream
	// fromCommand says that the input is the output of a command of that name.
	fromCommand bool
	// skips says that the command has kustomize leave functions out.
	skips bool
	notes *bytes.Buffer // remarks, which are printed in the order of the inputs
}

var errEmpty = errors.New("the input is empty")

// collect lists the files that arguments name, directories recursively.
// Hidden files and directories, symbolic links and other files within them are
// left out.
// The same file named twice is an error: it would be written twice.
func collect(args []string) ([]input, error) {
	var inputs []input
	for _, arg := range args {
		if arg == "-" {
			inputs = append(inputs, input{name: arg})
			continue
		}
		info, err := os.Stat(arg)
		switch {
		case err != nil:
			return nil, &report.PlacedError{File: arg, Operation: "read", Err: report.Cause(err)}
		case !info.IsDir():
			inputs = append(inputs, input{name: arg})
			continue
		}
		found, err := walk(arg)
		if err == nil && len(found) == 0 {
			err = errNoFiles
		}
		if err != nil {
			return nil, &report.PlacedError{File: arg, Operation: "read", Err: report.Cause(err)}
		}
		inputs = append(inputs, found...)
	}
	return inputs, noDuplicates(inputs)
}

// errNoFiles says that a directory that was named holds nothing to read, which
// must not pass for having nothing to do.
var errNoFiles = errors.New("holds no .yaml, .yml or .json file (hidden files and symbolic links are left out)")

func walk(dir string) ([]input, error) {
	var inputs []input
	dir += string(filepath.Separator) + "." // follows a symbolic link to a directory that was named
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != dir && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return filepath.SkipDir
			}
		case d.Type().IsRegular() && manifest.IsFile(path):
			inputs = append(inputs, input{name: path, walked: true})
		}
		return nil
	})
	return inputs, err
}

func noDuplicates(inputs []input) error {
	seen := map[string]bool{}
	for _, in := range inputs {
		name := filepath.Clean(in.name)
		if seen[name] {
			return &report.PlacedError{File: in.name, Operation: "read", Err: errors.New("named twice")}
		}
		seen[name] = true
	}
	return nil
}

// read reads the input as a stream of documents.
func (in *input) read(stdin io.Reader) error {
	r := stdin
	if in.name != "-" {
		f, err := os.Open(in.name)
		if err != nil {
			return &report.PlacedError{File: in.name, Operation: "read", Err: report.Cause(err)}
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.IsDir() {
			return &report.PlacedError{File: in.name, Operation: "read", Err: errDirectory}
		}
		r = f
	}
	stream, err := manifest.Read(r)
	if err != nil {
		return &report.PlacedError{File: in.name, Operation: "read", Err: report.Cause(err)}
	}
	in.stream = stream
	return nil
}

// readSettled is read for an operation on a file in which no conflict may be left.
func (in *input) readSettled(stdin io.Reader, operation string) error {
	if err := in.read(stdin); err != nil {
		return err
	}
	return in.settled(operation)
}

// settled returns an error if the merge driver has left a conflict in the input.
func (in *input) settled(operation string) error {
	if _, conflict := merge3.ParseConflict(in.stream.Bytes()); conflict {
		return exitcode.Opening(&report.PlacedError{File: in.name, Operation: operation, Err: errInConflict})
	}
	return nil
}

// join writes streams one after the other, with a document marker between them
// where there is none, unless all of them are JSON.
func join(outputs [][]byte) []byte {
	if len(outputs) == 1 {
		return outputs[0]
	}
	var pieces [][]byte
	yaml := false
	for _, out := range outputs {
		documents := jsonDocuments(out)
		yaml = yaml || len(out) > 0 && documents == nil
		pieces = append(pieces, documents...)
		if documents == nil && len(out) > 0 {
			pieces = append(pieces, out)
		}
	}
	var all []byte
	for _, piece := range pieces {
		piece = bytes.TrimPrefix(piece, []byte("\uFEFF"))
		if len(piece) == 0 {
			continue
		}
		if len(all) > 0 && all[len(all)-1] != '\n' {
			all = append(all, '\n')
		}
		if len(all) > 0 && yaml && !beginsWithMarker(piece) {
			all = append(all, "---\n"...)
		}
		all = append(all, piece...)
	}
	return all
}

// beginsWithMarker reports whether the first line of a piece is a document
// marker for every reader: some do not see one that has content behind it, and
// "---x" is none.
func beginsWithMarker(piece []byte) bool {
	line, _, _ := bytes.Cut(piece, []byte("\n"))
	return string(bytes.TrimRight(line, " \t\r")) == "---"
}

// disguises are what can spell a word in YAML and JSON without its letters
// standing there: escapes, escaped line breaks, binary tags.
var disguises = []string{`\x`, `\u`, `\U`, "\\\n", "\\\r", "binary"}

// mentions is a quick look that keeps files that were only found in a folder,
// have nothing to do with us and perhaps are not even YAML, out of the way.
func (in input) mentions(words ...string) bool {
	return slices.ContainsFunc(in.stream.Documents, func(d *manifest.Document) bool {
		return manifest.Mentions(d.Raw(), words...) || manifest.Mentions(d.Raw(), disguises...)
	})
}

// jsonDocuments returns the documents of a stream of JSON, nil of any other.
func jsonDocuments(out []byte) [][]byte {
	stream, err := manifest.Split(out)
	if err != nil {
		return nil
	}
	var documents [][]byte
	for _, doc := range stream.Documents {
		if !doc.JSON() {
			return nil
		}
		documents = append(documents, doc.Raw())
	}
	return documents
}

func plural(n int, what string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s", what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
