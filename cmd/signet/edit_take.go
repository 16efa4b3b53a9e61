// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
)

// readView returns the Secrets in a text that the user has saved. Errors are
// mistakes.
func readView(text []byte) ([]*manifest.Object, error) {
	stream, err := manifest.Split(withoutMarked(text))
	if err != nil {
		return nil, err
	}
	if err := manifest.CheckNodes(stream.Documents); err != nil {
		return nil, err
	}
	var all []*manifest.Object
	for _, doc := range stream.Documents {
		n, err := doc.Node()
		if err != nil {
			return nil, err
		}
		if n == nil {
			continue
		}
		objects, err := manifest.Objects(n)
		if err != nil {
			return nil, err
		}
		if len(objects) != 1 || objects[0].Item > 0 || !objects[0].IsSecret() {
			return nil, &manifest.SyntaxError{Line: max(manifest.Root(n).Line, doc.Line), Reason: "is no Secret: apiVersion: v1, kind: Secret"}
		}
		all = append(all, objects[0])
	}
	return all, nil
}

// otherSecretsError says that the user has saved other Secrets than those that
// were shown.
type otherSecretsError struct{ missing, added []string }

func (e *otherSecretsError) Error() string {
	var parts []string
	if len(e.missing) > 0 {
		parts = append(parts, strings.Join(e.missing, ", ")+" must stay, under this name")
	}
	if len(e.added) > 0 {
		parts = append(parts, strings.Join(e.added, ", ")+" was not there before")
	}
	return strings.Join(parts, "; ")
}

// match finds the object of each target: the first that has its name and
// namespace and is nobody else's.
func match(targets []*target, objects []*manifest.Object) ([]*manifest.Object, error) {
	of := make([]*manifest.Object, len(targets))
	var e otherSecretsError
	for _, o := range objects {
		place := secretPlace{o.Namespace(), o.Name()}
		i := slices.IndexFunc(targets, func(t *target) bool { return t.openedPlace() == place })
		for i >= 0 && of[i] != nil {
			next := slices.IndexFunc(targets[i+1:], func(t *target) bool { return t.openedPlace() == place })
			if next < 0 {
				i = next
				break
			}
			i += 1 + next
		}
		if i < 0 {
			e.added = append(e.added, place.String())
			continue
		}
		of[i] = o
	}
	for i, t := range targets {
		if of[i] == nil {
			e.missing = append(e.missing, t.openedPlace().String())
		}
	}
	if len(e.missing)+len(e.added) > 0 {
		return nil, &e
	}
	return of, nil
}

// String returns namespace and name, fit for a terminal.
func (p secretPlace) String() string {
	return report.Visible(strings.TrimPrefix(p.namespace+"/"+p.name, "/"))
}

// openedPlace is where the Secret is that was opened.
func (t *target) openedPlace() secretPlace {
	if t.isSOPS() {
		o := manifest.Object{Node: manifest.Root(t.file.Documents[t.at])}
		return secretPlace{o.Namespace(), o.Name()}
	}
	return secretPlace{t.opened.Secret.Namespace, t.opened.Secret.Name}
}

// adopt changes a target that is as it was opened to what the user has saved.
func (t *target) adopt(o *manifest.Object) (notes []string, err error) {
	if t.isSOPS() {
		return nil, t.adoptDocument(o)
	}
	secret, dropped, err := manifest.ParseSecret(o.Node)
	if err != nil {
		return nil, err
	}
	if hasComment(o.Tree()) {
		notes = append(notes, "comments are not kept: nothing of them can be sealed")
	}
	if len(dropped) > 0 {
		notes = append(notes, "left out, since a cluster sets it: "+strings.Join(dropped, ", "))
	}
	clear := &t.change.Clear
	clear.Type, clear.Immutable = cmp.Or(secret.Type, "Opaque"), secret.Immutable
	if !maps.Equal(clear.Labels, secret.Labels) {
		clear.Labels = secret.Labels
	}
	if !maps.Equal(clear.Annotations, secret.Annotations) {
		clear.Annotations = secret.Annotations
	}
	return notes, t.adoptValues(o, secret)
}

// adoptDocument is adopt for a document of a SOPS file, which is taken as it is. New
// fields must be those of a Secret: others may not be encrypted.
func (t *target) adoptDocument(o *manifest.Object) error {
	old := manifest.Root(t.file.Documents[t.at])
	for i := 0; i < len(o.Node.Content); i += 2 {
		key := o.Node.Content[i]
		if !slices.Contains([]string{"apiVersion", "kind", "metadata", "type", "immutable", "data", "stringData"}, key.Value) && manifest.Get(old, key.Value) == nil {
			return &manifest.SyntaxError{Line: key.Line, Path: manifest.ChildPath("", key.Value), Reason: "a Secret has no such field"}
		}
	}
	t.docs[t.at] = o.Tree()
	return nil
}

func (t *target) adoptValues(o *manifest.Object, secret *manifest.Secret) error {
	old, err := t.values()
	if err != nil {
		return err
	}
	for _, v := range old {
		_, binary := secret.Data[v.key]
		_, text := secret.StringData[v.key]
		if !binary && !text || text && !isText(v.data) { // binary data has become text
			t.unset(v.key)
		}
	}
	set := func(field, key string, data []byte) error {
		err := t.set(key, data, field == "data")
		if syntax, ok := report.As[*manifest.SyntaxError](err); ok {
			return &manifest.SyntaxError{Line: manifest.Get(o.Node, field, key).Line, Path: manifest.ChildPath(field, key), Reason: syntax.Reason}
		}
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(secret.Data)) {
		if err := set("data", key, secret.Data[key]); err != nil {
			return err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(secret.StringData)) {
		if err := set("stringData", key, []byte(secret.StringData[key])); err != nil {
			return err
		}
	}
	return nil
}

func hasComment(n *yaml.Node) bool {
	return n.HeadComment+n.LineComment+n.FootComment != "" || slices.ContainsFunc(n.Content, hasComment)
}

// changed reports whether a target is other than it was opened: with SOPS, any
// document of its file.
func (t *target) changed() bool {
	if t.isSOPS() {
		return !slices.EqualFunc(t.docs, t.file.Documents, writtenAlike)
	}
	was, now := t.opened.Document.Envelope.Clear, t.change.Clear
	return !t.change.Content.Equal(t.opened.Content) || was.Type != now.Type || was.Immutable != now.Immutable ||
		!maps.Equal(was.Labels, now.Labels) || !maps.Equal(was.Annotations, now.Annotations)
}

// writtenAlike reports whether two documents are the same, comments included.
func writtenAlike(a, b *yaml.Node) bool {
	x, errX := manifest.EncodeYAML(a)
	y, errY := manifest.EncodeYAML(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
