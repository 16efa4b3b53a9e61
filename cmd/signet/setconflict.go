// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/merge3"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/unseal"
)

// leftError says what would still be in conflict.
type leftError struct {
	file     string
	left     []undecidedDocument
	editable bool // in an editor
}

func (e *leftError) Error() string {
	texts := make([]string, len(e.left))
	for i, d := range e.left {
		texts[i] = merge3.Describe(d.conflicts)
		if name := objectOf(d.doc); name != "" {
			texts[i] = name + ": " + texts[i]
		}
	}
	return report.Visible(e.file) + ": is a file in conflict, and this would leave: " + strings.Join(texts, "; ")
}

// inConflictTarget is a Secret of a file in conflict, of which values are set.
type inConflictTarget struct {
	*target
	file      *conflictedFile
	doc       *merge3.Document
	conflicts []merge3.Conflict
}

// conflictTarget merges a file in conflict and selects the Secret that is meant: of
// several, the one in which there is something to decide.
func (f *sealFlags) conflictTarget(cmd *cobra.Command, c console, file string, raw []byte, versions *merge3.ConflictFile) (*inConflictTarget, error) {
	conflict, err := openConflict(cmd, c, f, file, "", raw, versions)
	if err != nil {
		return nil, err
	}
	all := conflict.targets()
	selected := slices.DeleteFunc(slices.Clone(all), func(t *inConflictTarget) bool { return f.name != "" && !t.isCalled(f.name) })
	if f.name == "" && len(selected) > 1 {
		selected = slices.DeleteFunc(selected, func(t *inConflictTarget) bool { return len(t.conflicts) == 0 })
	}
	switch {
	case len(selected) == 1:
		return selected[0], nil
	case len(selected) == 0 && len(conflict.undecided()) > 0: // of others
		return nil, conflict.leaves(nil, nil)
	case len(selected) == 0:
		selected = all
	}
	var names []string
	for _, t := range selected {
		names = append(names, report.Visible(t.doc.ID.String()))
	}
	if len(names) == 0 || f.name != "" {
		return nil, &report.PlacedError{File: file, Operation: "read", Err: errInConflict}
	}
	return nil, &report.PlacedError{File: file, Operation: "read", Err: &severalError{names: names}}
}

// wrap places an error at the document.
func (t *inConflictTarget) wrap(operation string, err error) error {
	return &report.PlacedError{File: t.file.file, Object: objectOf(t.doc), Operation: operation, Err: err}
}

// isCalled reports whether a name that a user gives is that of the Secret.
func (t *inConflictTarget) isCalled(name string) bool {
	id := t.doc.ID
	return slices.Contains([]string{id.Name, id.String(), id.Namespace + "/" + id.Name}, name)
}

// targets are the Secrets that were merged.
func (f *conflictedFile) targets() []*inConflictTarget {
	var all []*inConflictTarget
	for _, s := range f.secrets {
		s.edited = s.target(f.file)
		all = append(all, &inConflictTarget{s.edited, f, s.doc, s.conflicts})
	}
	for _, s := range f.files {
		job := make([]found, len(s.docs))
		for i, n := range s.docs {
			job[i] = found{Object: &manifest.Object{Node: manifest.Root(n)}}
		}
		for i, d := range s.all {
			if job[i].IsSecret() {
				t := &target{in: input{name: f.file}, job: job, at: i, file: &unseal.OpenedFile{Documents: s.docs}, docs: s.docs}
				all = append(all, &inConflictTarget{t, f, d, s.conflicts[i]})
			}
		}
	}
	return all
}

// leaves returns an error if anything would be left to decide after some keys of a
// document were settled.
func (f *conflictedFile) leaves(d *merge3.Document, keys []string) error {
	e := &leftError{file: f.file, editable: f.editable() == nil}
	for _, u := range f.undecided() {
		left := slices.DeleteFunc(slices.Clone(u.conflicts), func(c merge3.Conflict) bool {
			return u.doc == d && c.Key != "" && slices.Contains(keys, c.Key)
		})
		if len(left) > 0 {
			e.left = append(e.left, undecidedDocument{u.doc, left})
		}
	}
	if len(e.left) == 0 {
		return nil
	}
	return e
}

// has reports whether a key is there, on any side.
func (t *inConflictTarget) has(key string) bool {
	return slices.Contains(t.keys(), key) || slices.ContainsFunc(t.conflicts, func(c merge3.Conflict) bool { return c.Key == key })
}

// settle sets the value that was the last in conflict, and writes the file.
func (s *setCommand) settle(cmd *cobra.Command, args []string, raw []byte, versions *merge3.ConflictFile) error {
	t, err := s.conflictTarget(cmd, s.console, args[0], raw, versions)
	if err != nil {
		return err
	}
	key := args[1]
	switch had := t.has(key); {
	case had && s.createOnly:
		return t.wrap("set "+key, errHasKey)
	case !had && s.replaceOnly:
		return t.wrap("set "+key, &noKeyError{[]string{key}, t.keys()})
	}
	if err := t.file.leaves(t.doc, []string{key}); err != nil {
		return err
	}
	data, err := s.value(cmd.Context(), args)
	if err != nil {
		return err
	}
	if err := t.set(key, data, s.binary); err != nil {
		return t.wrap("set "+key, err)
	}
	return t.file.seal(cmd.Context())
}

// settle removes the values that were the last in conflict, and writes the file.
func (u *unsetCommand) settle(cmd *cobra.Command, file string, names []string, raw []byte, versions *merge3.ConflictFile) error {
	t, err := u.conflictTarget(cmd, u.console, file, raw, versions)
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(slices.Clone(names), t.has)
	if len(missing) > 0 && !u.allowMissing {
		return t.wrap("read", &noKeyError{missing, t.keys()})
	}
	if err := t.file.leaves(t.doc, names); err != nil {
		return err
	}
	for _, key := range names {
		t.unset(key)
	}
	return t.file.seal(cmd.Context())
}
