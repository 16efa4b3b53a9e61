// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// target is one sealed Secret of a file: a SealedSecret, or a Secret in a SOPS
// file. open opens it, then its values can be read and changed, and apply puts
// the changed document back into the stream of its file.
type target struct {
	in     input
	job    []found // what has to be opened together: itself, or all of a SOPS file
	at     int     // which of the job it is
	opened *unseal.Opened
	file   *unseal.OpenedFile
	change seal.Change  // of a SealedSecret
	docs   []*yaml.Node // of a SOPS file, decrypted
}

// readTarget reads the file, or stdin, in which a target is looked for.
func readTarget(name string, stdin io.Reader) (input, error) {
	in := input{name: name, notes: new(bytes.Buffer)}
	return in, in.read(stdin)
}

// Errors about which document is meant.
var (
	errInClear  = errors.New("is not sealed")
	errNoTarget = errors.New("holds no sealed Secret")
)

// severalError says that a name is needed, or that one is not enough.
type severalError struct {
	names []string // that name one each
	given string
}

func (e *severalError) Error() string {
	if e.given != "" {
		return "holds several Secrets with the name " + report.Visible(e.given) + ": " + strings.Join(e.names, ", ")
	}
	return "holds several sealed Secrets: " + strings.Join(e.names, ", ")
}

// noSuchError says that no sealed Secret has the name that was given.
type noSuchError struct {
	names []string
	given string
}

func (e *noSuchError) Error() string {
	return "holds no sealed Secret with the name " + report.Visible(e.given) + ", but " + strings.Join(e.names, ", ")
}

// targets returns the sealed Secrets of the input, those with the given name or,
// if it is "", all. A name is that of the Secret, or else of its object, with or
// without NAMESPACE/ before it. There is at least one, or the error is
// errInClear, errNoTarget, a *noSuchError, or that of reading the input.
func (in input) targets(name string) ([]*target, error) {
	all, clear, err := in.sealedSecrets()
	if err != nil {
		return nil, err
	}
	selected := selectBy(all, name)
	isClear := func(f found) bool { return name == "" || answersTo(f, name) }
	switch {
	case len(selected) > 0:
		return selected, nil
	case slices.ContainsFunc(clear, isClear):
		return nil, in.cannotSelect(errInClear)
	case len(all) == 0:
		return nil, in.cannotSelect(errNoTarget)
	}
	return nil, in.cannotSelect(&noSuchError{names: labels(all), given: name})
}

// target returns the one sealed Secret of the input that has the given name, or
// the only one. Errors are those of targets, or a *severalError.
func (in input) target(name string) (*target, error) {
	selected, err := in.targets(name)
	if err != nil {
		return nil, err
	}
	if len(selected) > 1 {
		return nil, in.cannotSelect(&severalError{names: labels(selected), given: name})
	}
	return selected[0], nil
}

func (in input) cannotSelect(err error) error {
	return &report.PlacedError{File: in.name, Operation: "read", Err: err}
}

// sealedSecrets returns what is sealed in the input and can be a Secret, and the
// Secrets in clear.
func (in input) sealedSecrets() (all []*target, clear []found, err error) {
	unopened := in.unopened()
	objects, err := in.objects(func(f found) (bool, error) {
		sealed, err := in.toOpen(f)
		if !sealed && err == nil && f.IsSecret() {
			clear = append(clear, f)
		}
		return sealed, err
	}, "Secret", sopsdoc.Group, sopsdoc.MetadataKey)
	if err := errors.Join(append(report.Split(unopened), report.Split(err)...)...); err != nil {
		return nil, nil, err
	}
	for _, job := range unseal.Jobs(objects, func(f found) (string, *manifest.Object) { return in.name, f.Object }) {
		for i, f := range job {
			if f.Group() == sopsdoc.Group || f.IsSecret() || sopsdoc.LooksEncrypted(f.Kind()) {
				all = append(all, &target{in: in, job: job, at: i})
			}
		}
	}
	return all, clear, nil
}

// selectBy returns the targets of a name: by the name of the Secret, or if there is
// none by that of the object.
func selectBy(all []*target, name string) []*target {
	if name == "" {
		return all
	}
	match := func(places func(found) []string) []*target {
		return slices.DeleteFunc(slices.Clone(all), func(t *target) bool { return !slices.Contains(places(t.object()), name) })
	}
	if selected := match(namesOfSecret); len(selected) > 0 {
		return selected
	}
	return match(namesOfObject)
}

func answersTo(f found, name string) bool {
	return slices.Contains(slices.Concat(namesOfSecret(f), namesOfObject(f)), name)
}

// namesOfSecret are what the Secret of an object is called.
func namesOfSecret(f found) []string {
	place := placeOf(f, "")
	return []string{place.name, place.namespace + "/" + place.name}
}

func namesOfObject(f found) []string {
	return []string{f.Name(), placeOf(f, "").namespace + "/" + f.Name()}
}

// labels names targets so that each name selects one, if there is such a name.
func labels(all []*target) []string {
	names := make([]string, len(all))
	for i, t := range all {
		place := placeOf(t.object(), "")
		name := place.name
		if place.namespace != "" {
			name = place.namespace + "/" + name
		}
		if sopsdoc.LooksEncrypted(place.name) {
			name = "(encrypted)"
		}
		if len(selectBy(all, name)) > 1 { // several objects for one Secret
			name = strings.TrimPrefix(place.namespace+"/", "/") + t.object().Name()
		}
		names[i] = report.Visible(name)
	}
	return names
}

func (t *target) object() found { return t.job[t.at] }

// isSOPS reports whether the target is a document of a SOPS file.
func (t *target) isSOPS() bool { return t.object().Group() != sopsdoc.Group }

// wrap places an error at the document.
func (t *target) wrap(operation string, err error) error {
	return t.object().at(t.in.name, operation, err)
}

// errNotSecret says that a SOPS document turned out to be something else.
var errNotSecret = errors.New("is no Secret")

// open opens and verifies the document. The error is one of exitcode.Opening.
func (t *target) open(ctx context.Context, o unseal.Options) error {
	err := t.openOne(ctx, o)
	if err != nil {
		return exitcode.Opening(t.wrap("open", err))
	}
	return nil
}

func (t *target) openOne(ctx context.Context, o unseal.Options) (err error) {
	if !t.isSOPS() {
		if t.opened, err = unseal.Open(ctx, t.object().Node, o); err != nil {
			return err
		}
		t.change = seal.Change{Clear: t.opened.Document.Envelope.Clear, Content: t.opened.Content}.Clone()
		return nil
	}
	nodes := make([]*yaml.Node, len(t.job))
	for i, f := range t.job {
		nodes[i] = f.Tree()
	}
	if t.file, err = unseal.OpenFile(ctx, nodes, o); err != nil {
		return err
	}
	t.docs = t.file.Documents
	if !(&manifest.Object{Node: manifest.Root(t.docs[t.at])}).IsSecret() {
		return errNotSecret
	}
	return nil
}
