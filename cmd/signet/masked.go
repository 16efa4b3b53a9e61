// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/fingerprint"
	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// maskedValue is what may be shown of a value. Equal values of one Secret have equal
// marks.
type maskedValue struct {
	Form   string  `json:"form"`             // text or binary
	Bytes  int     `json:"bytes"`            // 0 if Sealed
	Mark   string  `json:"mark"`             // of the value or, if Sealed, of its ciphertext
	Sealed bool    `json:"sealed,omitempty"` // it was not opened
	Value  *string `json:"value,omitempty"`  // base64 if it is binary; only where values are to be shown

	same string // is equal for equal values of all Secrets, and not for showing
}

// equals reports whether two values are the same, also of a Secret and what it was
// under another name.
func (v maskedValue) equals(other maskedValue) bool {
	return v.same == other.same && v.Sealed == other.Sealed
}

func (v maskedValue) String() string {
	switch {
	case v.Value != nil:
		return v.Form + " " + fmt.Sprintf("%q", *v.Value)
	case v.Mark == fingerprint.Empty:
		return v.Form + ", empty"
	case v.Sealed:
		return v.Form + ", ciphertext " + v.Mark
	}
	return v.Form + ", " + plural(v.Bytes, "byte") + ", " + v.Mark
}

// maskedDocument is a sealed document, or a Secret in clear, as it may be shown.
type maskedDocument struct {
	found
	values  map[string]maskedValue // by the key, or the path in what is no Secret
	cause   error                  // why it was not opened; nil also where nobody tried
	opened  bool
	dataKey keys.DataKey
}

// place is the namespace and name of the Secret that a document is, or makes, as far
// as it says so in clear.
func (d *maskedDocument) place() string {
	name := d.Name()
	if d.Group() == sopsdoc.Group {
		name = cmp.Or(manifest.GetString(d.Node, "spec", "secretName"), name)
	}
	return d.Namespace() + "/" + name
}

// masker makes documents fit to be shown.
type masker struct {
	marks fingerprint.Key
	open  *unseal.Options // nil: nothing is opened
	show  bool            // the values, too
	// unlisted says that the user has no allow-list, without which open uses no key
	// service.
	unlisted bool
}

// newMarks returns the key for marks: that of the repository that the working
// directory is in, else that of the user. stable is false if it is one for this run
// only.
func newMarks(ctx context.Context) (k fingerprint.Key, stable bool) {
	folder := ""
	repo, err := gitrepo.Open(ctx, ".")
	if err == nil {
		folder = filepath.Join(repo.CommonDir(), "signet")
	} else {
		folder, err = stateFolder()
	}
	if err == nil {
		k, err = fingerprint.Load(folder)
	}
	if err != nil {
		return fingerprint.New(), false
	}
	return k, true
}

// stateFolder is where programs keep what they remember of the user.
func stateFolder() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "signet"), nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "state", "signet"), err
}

// documents returns what is sealed in an input. What cannot be parsed, or is not
// known, is left out.
func (m *masker) documents(ctx context.Context, in input) []*maskedDocument {
	objects, _ := in.objects(func(f found) (bool, error) {
		sealed, err := toInspect(f)
		return err == nil && sealed, nil
	}, sopsdoc.Group, sopsdoc.MetadataKey)
	var all []*maskedDocument
	for _, f := range objects {
		all = append(all, &maskedDocument{found: f})
	}
	jobs := unseal.Jobs(all, func(d *maskedDocument) (string, *manifest.Object) { return in.name, d.Object })
	parallel.Do(len(jobs), func(i int) error {
		m.job(ctx, jobs[i])
		return nil
	})
	return all
}

// job masks one SealedSecret, or the documents of one SOPS file.
func (m *masker) job(ctx context.Context, job []*maskedDocument) {
	switch first := job[0]; {
	case first.Group() == sopsdoc.Group && first.Kind() == sopsdoc.KeyKind:
		first.values = map[string]maskedValue{}
	case first.Group() == sopsdoc.Group:
		m.secret(ctx, first)
	case first.mac() == "":
		for _, d := range job {
			d.opened = true
			m.tree(d, d.Node)
		}
	default:
		m.sops(ctx, job)
	}
}

func (m *masker) secret(ctx context.Context, d *maskedDocument) {
	d.values = map[string]maskedValue{}
	if m.open != nil {
		opened, err := unseal.Open(ctx, d.Node, *m.open)
		if err == nil {
			d.opened, d.dataKey = true, opened.DataKey
			for key, data := range opened.Secret.Data {
				d.values[key] = m.value(d.place(), data, true)
			}
			for key, text := range opened.Secret.StringData {
				d.values[key] = m.value(d.place(), []byte(text), false)
			}
			return
		}
		d.cause = err
	}
	for _, field := range []string{"data", "stringData"} {
		sealed := manifest.Get(d.Node, "spec", "sealed", "signet", field)
		for _, key := range manifest.Keys(sealed) {
			d.values[key] = m.sealed(d.place(), manifest.Get(sealed, key), field == "data")
		}
	}
}

func (m *masker) sops(ctx context.Context, job []*maskedDocument) {
	clear := make([]*yaml.Node, len(job))
	if m.open != nil {
		nodes := make([]*yaml.Node, len(job))
		for i, d := range job {
			nodes[i] = d.Tree()
		}
		opened, err := unseal.OpenFile(ctx, nodes, *m.open)
		for i, d := range job {
			if d.cause = err; err == nil {
				clear[i], d.opened, d.dataKey = manifest.Root(opened.Documents[i]), true, opened.DataKey
			}
		}
	}
	for i, d := range job {
		m.tree(d, clear[i])
	}
}

// tree masks the values of a document that SOPS has encrypted, or of a Secret in
// clear. clear is the document without encryption, or nil.
func (m *masker) tree(d *maskedDocument, clear *yaml.Node) {
	d.values = map[string]maskedValue{}
	eachScalar(d.Node, clear, nil, func(path []string, n, plain *yaml.Node) {
		field := ""
		if d.IsSecret() && len(path) == 2 && (path[0] == "data" || path[0] == "stringData") {
			field = path[0]
		}
		if field == "" && !sopsdoc.LooksEncrypted(n.Value) {
			return
		}
		key := manifest.JoinPath(path)
		if field != "" {
			key = path[1]
		}
		d.values[key] = m.scalar(d.place(), n, plain, field == "data")
	})
}

func (m *masker) scalar(place string, n, plain *yaml.Node, binary bool) maskedValue {
	if plain == nil {
		return m.sealed(place, n, binary)
	}
	data := []byte(plain.Value)
	if binary {
		decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(plain.Value), ""))
		if err == nil {
			data = decoded
		}
	}
	return m.value(place, data, binary)
}

func (m *masker) value(place string, data []byte, binary bool) maskedValue {
	v := maskedValue{Form: formOf(binary), Bytes: len(data), Mark: m.marks.Mark(place, data), same: m.marks.Mark("", data)}
	if m.show {
		text := string(data)
		if binary {
			text = base64.StdEncoding.EncodeToString(data)
		}
		v.Value = &text
	}
	return v
}

// sealed marks the ciphertext of a value.
func (m *masker) sealed(place string, n *yaml.Node, binary bool) maskedValue {
	text := []byte(n.Value)
	return maskedValue{Form: formOf(binary), Mark: m.marks.Mark(place, text), Sealed: true, same: m.marks.Mark("", text)}
}

func formOf(binary bool) string {
	if binary {
		return "binary"
	}
	return "text"
}

// eachScalar calls f for each scalar below n but those of the SOPS metadata, with
// what stands in its place in other, which may be nil.
func eachScalar(n, other *yaml.Node, path []string, f func(path []string, n, other *yaml.Node)) {
	switch n.Kind {
	case yaml.MappingNode:
		for _, key := range manifest.Keys(n) {
			if len(path) > 0 || key != sopsdoc.MetadataKey {
				eachScalar(manifest.Get(n, key), manifest.Get(other, key), append(path[:len(path):len(path)], key), f)
			}
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			var counterpart *yaml.Node
			if other != nil && other.Kind == yaml.SequenceNode && i < len(other.Content) {
				counterpart = other.Content[i]
			}
			eachScalar(item, counterpart, append(path[:len(path):len(path)], fmt.Sprint(i)), f)
		}
	case yaml.ScalarNode:
		f(path, n, other)
	}
}

// recipientsOf returns who can open a document, by what it says.
func recipientsOf(f found) keys.Recipients {
	switch {
	case f.Group() == sopsdoc.Group && f.Kind() == sopsdoc.KeyKind:
		if doc, err := sopsdoc.ParseSealingKey(f.Node); err == nil {
			return doc.Metadata.Recipients
		}
	case f.Group() == sopsdoc.Group:
		if doc, err := sopsdoc.ParseSealedSecret(f.Node); err == nil {
			return doc.Envelope.Metadata.Recipients
		}
	case sopsdoc.FileMAC(f.Node) != "":
		if file, err := sopsdoc.ParseFile(f.Tree()); err == nil {
			return file.Metadata.Recipients
		}
	}
	return keys.Recipients{}
}

// recipientNames returns them in words, in the order of the document.
func recipientNames(r keys.Recipients) []string {
	var names []string
	for i, group := range r.Groups {
		for _, e := range group {
			d := describe(e)
			if len(r.Groups) > 1 {
				d.Group = i + 1
			}
			names = append(names, d.String())
		}
	}
	return names
}

// quietly opens without asking and without a word on stderr. listed says that the
// user has an allow-list: else only age identities are used.
func (f *keyFlags) quietly(watch *userkeys.Watch) (o unseal.Options, listed bool, err error) {
	sources := f.sources(io.Discard, false)
	sources.Watch, sources.OnlyListed = watch, true
	if listed, err = sources.HasAllowList(); err != nil {
		return o, listed, err
	}
	o, err = sources.Options("-")
	return o, listed, err
}
