// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal"
)

// sealedSecrets are those of a file that are edited.
type sealedSecrets struct {
	*editCommand
	cmd     *cobra.Command
	file    string
	options seal.Options
	raw     []byte    // the file as it was read
	opened  []*target // as they were
	taken   []byte    // what the user has saved
}

// take reads what the user has saved.
func (s *sealedSecrets) take(text []byte) (changed bool, err error) {
	edited, _, err := s.read(text)
	if err != nil {
		return false, err
	}
	s.taken = text
	for _, t := range edited {
		changed = changed || t.changed()
	}
	return changed, nil
}

// errEmptied says that nothing was left of the text.
var errEmptied = errors.New("the text was emptied, and nothing was written")

// read returns the targets as the user wants them, in a stream of their own, with
// what there is to remark.
func (s *sealedSecrets) read(text []byte) (edited []*target, notes []string, err error) {
	objects, err := readView(text)
	if err != nil {
		return nil, nil, err
	}
	if len(objects) == 0 {
		return nil, nil, &report.PlacedError{File: s.file, Operation: "edit", Err: errEmptied}
	}
	if edited, err = s.anew(); err != nil {
		return nil, nil, err
	}
	of, err := match(edited, objects)
	if err != nil {
		return nil, nil, err
	}
	var errs []error
	for i, t := range edited {
		more, err := t.adopt(of[i])
		notes, errs = append(notes, more...), append(errs, err)
	}
	return edited, notes, errors.Join(errs...)
}

// anew returns the targets as they were opened, in a stream that was read again:
// sealing changes it.
func (s *sealedSecrets) anew() ([]*target, error) {
	in, err := readTarget("-", bytes.NewReader(s.raw))
	if err != nil {
		return nil, err
	}
	in.name = s.file
	all, err := in.targets(s.name)
	if err != nil {
		return nil, err
	}
	for i, t := range all {
		t.opened, t.file, t.change = s.opened[i].opened, s.opened[i].file, s.opened[i].change.Clone()
	}
	ownDocs(all)
	return all, nil
}

// seal seals what was taken and writes the file.
func (s *sealedSecrets) seal(ctx context.Context) error {
	edited, notes, err := s.read(s.taken)
	if err != nil {
		return err
	}
	o := s.options
	o.Now = time.Now()
	var errs []error
	for i, t := range edited {
		if sameFile(edited, i) || !t.changed() && !s.freshKey {
			continue // sealed with another of its file, or as it was
		}
		_, err := s.apply(ctx, s.cmd, s.console, t, o)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, text := range notes {
		note(s.err, s.file, text)
	}
	err = save(s.console, s.file, s.raw, edited[0].bytes())
	if errors.Is(err, errMeanwhile) || errors.Is(err, fs.ErrNotExist) {
		return s.elsewhere(ctx, edited, o)
	}
	return err
}
