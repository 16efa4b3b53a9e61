// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/unseal"
)

// target is the Secret as it was merged, as far as that went, to be edited.
func (s *mergedSecret) target(file string) *target {
	object := &manifest.Object{Node: manifest.Root(s.ours.part.Node)}
	change := seal.Change{Clear: s.version.Clear, Content: s.version.Content}.Clone()
	secret := &manifest.Secret{
		Name: s.doc.ID.Name, Namespace: s.doc.ID.Namespace, Type: change.Clear.Type, Immutable: change.Clear.Immutable,
		Labels: change.Clear.Labels, Annotations: change.Clear.Annotations,
	}
	return &target{in: input{name: file}, job: []found{{Object: object}}, opened: &unseal.Opened{Secret: secret}, change: change}
}

// secret is what is shown: with a mark where the user has to decide.
func (s *mergedSecret) secret() (*manifest.Secret, error) {
	t := s.target("")
	values, err := t.values()
	if err != nil {
		return nil, err
	}
	secret := *t.opened.Secret
	secret.Data, secret.StringData = map[string][]byte{}, map[string]string{}
	for _, v := range values {
		if isText(v.data) {
			secret.StringData[v.key] = string(v.data)
		} else {
			secret.Data[v.key] = v.data
		}
	}
	for _, c := range s.conflicts {
		switch {
		case c.Key != "":
			delete(secret.Data, c.Key)
			secret.StringData[c.Key] = toDecide
		case c.At[0] == "labels":
			secret.Labels = with(secret.Labels, c.At[len(c.At)-1])
		case c.At[0] == "annotations":
			secret.Annotations = with(secret.Annotations, c.At[len(c.At)-1])
		default:
			secret.Type = toDecide
		}
	}
	return &secret, nil
}

func with(m map[string]string, key string) map[string]string {
	all := map[string]string{key: toDecide}
	for k, v := range m {
		if k != key {
			all[k] = v
		}
	}
	return all
}

// undecidedError says what the user has not decided.
type undecidedError struct{ names []string }

func (e *undecidedError) Error() string {
	return strings.Join(e.names, ", ") + ": still is " + toDecide + ": put in what is right"
}

func (f *conflictedFile) take(text []byte) (changed bool, err error) {
	objects, err := readView(text)
	if err != nil {
		return false, err
	}
	if len(objects) == 0 {
		return false, &report.PlacedError{File: f.file, Operation: "edit", Err: errEmptied}
	}
	var targets []*target
	for _, s := range f.secrets {
		s.edited = s.target(f.file)
		targets = append(targets, s.edited)
	}
	of, err := match(targets, objects)
	if err != nil {
		return false, err
	}
	var errs []error
	var open []string
	for i, t := range targets {
		_, err := t.adopt(of[i])
		errs = append(errs, err)
		open = append(open, undecidedIn(t)...)
	}
	if len(open) > 0 {
		errs = append(errs, &undecidedError{open})
	}
	return true, errors.Join(errs...)
}

// stillOpenError says that the user has decided nothing.
type stillOpenError struct {
	file  string
	names []string
}

func (e *stillOpenError) Error() string {
	return report.Visible(e.file) + ": edit: the conflict is still there: " + strings.Join(e.names, ", ")
}

// stillOpen is the error if the text was left as it was shown.
func (f *conflictedFile) stillOpen() error {
	e := &stillOpenError{file: f.file}
	for _, u := range f.undecided() {
		for _, c := range u.conflicts {
			e.names = append(e.names, report.Visible(cmp.Or(c.Key, c.Path)))
		}
	}
	return e
}

// undecidedIn returns the names of items that still are the mark.
func undecidedIn(t *target) []string {
	var names []string
	values, _ := t.values() // which were just set
	for _, v := range values {
		if string(v.data) == toDecide {
			names = append(names, report.Visible(v.key))
		}
	}
	clear := t.change.Clear
	for _, m := range []map[string]string{clear.Labels, clear.Annotations, {"type": clear.Type}} {
		for key, text := range m {
			if text == toDecide {
				names = append(names, report.Visible(key))
			}
		}
	}
	slices.Sort(names)
	return names
}

// seal seals what was decided, and writes the file as if it had been merged.
func (f *conflictedFile) seal(ctx context.Context) error {
	err := f.within(ctx, f.cmd, f.console, func(ctx context.Context, sources userkeys.Sources) (err error) {
		if f.merge.wrapper, err = sources.Wrapper(); err != nil {
			return err
		}
		f.merge.now = time.Now()
		var errs []error
		for _, s := range f.secrets {
			errs = append(errs, f.sealOne(ctx, s))
		}
		for _, s := range f.files {
			if err := f.merge.placeFile(ctx, s); err != nil {
				errs = append(errs, f.merge.at(s.all[0], err))
			}
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return err
	}
	data, err := f.merged.Bytes()
	if err != nil {
		return &report.PlacedError{File: f.file, Operation: "merge", Err: err}
	}
	if err := save(f.console, f.file, f.raw, data); err != nil {
		return err
	}
	note(f.err, f.file, "the conflict is settled; tell Git: git add "+report.Quoted(f.file))
	return nil
}

func (f *conflictedFile) sealOne(ctx context.Context, s *mergedSecret) error {
	version := s.version
	if s.edited != nil {
		version.Clear, version.Content = s.edited.change.Clear, s.edited.change.Content
	}
	if err := f.merge.placeSecret(ctx, s, version); err != nil {
		return f.merge.at(s.doc, err)
	}
	return nil
}
