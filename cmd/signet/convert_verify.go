// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// differsError says that a result is not what it was made of. It is a mistake of
// this program, found before anything was written.
type differsError struct{ fields []string }

func (e *differsError) Error() string {
	return "opened again, the result is another Secret than the source: " + strings.Join(e.fields, ", ") + "; nothing was written"
}

// errMissingAgain says that what was made is not in the result.
var errMissingAgain = errors.New("the result does not hold what was made; nothing was written")

// verify opens a result again, as bytes and with the data keys that it was sealed
// with, and compares it with what it was made of.
func (c *conversionRun) verify(one *conversion, out []byte) error {
	stream, err := manifest.Split(out)
	if err != nil {
		return one.pieces[0].at(one.name, "verify", err)
	}
	again := input{name: one.name, stream: stream}
	at := map[[2]int]found{}
	_, err = again.objects(func(f found) (bool, error) {
		at[[2]int{f.doc.Index, f.Item}] = f
		return true, nil
	}, "Secret", sopsdoc.Group, sopsdoc.MetadataKey)
	if err != nil {
		return err
	}
	var errs []error
	var roots []*yaml.Node
	for _, p := range one.pieces {
		var err error
		f, ok := at[[2]int{p.doc.Index, p.Item}]
		switch {
		case !ok:
			err = errMissingAgain
		case c.toSOPS():
			roots = append(roots, f.root)
		default:
			err = p.verify(f, c.keepMetadata)
		}
		if err != nil {
			errs = append(errs, p.at(one.name, "verify", err))
		}
	}
	if c.toSOPS() && len(errs) == 0 {
		return one.verifyFile(roots)
	}
	return errors.Join(errs...)
}

// verify compares a SealedSecret with what it was made of.
func (p *piece) verify(f found, keep []string) error {
	doc, err := sopsdoc.ParseSealedSecret(f.Node)
	if err != nil {
		return err
	}
	content, err := doc.Envelope.Open(p.made.key)
	if err != nil {
		return err
	}
	e := doc.Envelope
	got := &manifest.Secret{
		Name: doc.SecretName, Namespace: doc.Namespace, Type: e.Type, Immutable: e.Immutable,
		Labels: e.Labels, StringData: content.StringData, Data: map[string][]byte{},
	}
	for key, text := range content.Data {
		if got.Data[key], err = base64.StdEncoding.DecodeString(text); err != nil {
			return err
		}
	}
	moved := beside(f.Node, p.secret.Annotations)
	maps.Copy(moved, e.Annotations)
	got.Annotations = moved
	want := *p.secret
	want.Labels = exceptLeftOut(want.Labels, got.Labels, keep)
	want.Annotations = exceptLeftOut(want.Annotations, got.Annotations, keep)
	fields := secretDifferences(&want, got)
	if e.Scope != scopeOf(p.secret, p.reach) || e.Merge {
		fields = append(fields, "scope")
	}
	if len(fields) > 0 {
		return &differsError{fields}
	}
	return nil
}

// beside returns those annotations of a Secret that stand on the SealedSecret,
// where GitOps tools look for them.
func beside(n *yaml.Node, annotations map[string]string) map[string]string {
	all := map[string]string{}
	for key, value := range annotations {
		if v := manifest.Get(n, "metadata", "annotations", key); v != nil && v.Value == value {
			all[key] = value
		}
	}
	return all
}

// leftOut are labels and annotations that sealing leaves out, with a note.
func leftOut() []string {
	return []string{"app.kubernetes.io/instance", "kubectl.kubernetes.io/last-applied-configuration"}
}

// exceptLeftOut returns m without what is left out and not in got.
func exceptLeftOut(m, got map[string]string, keep []string) map[string]string {
	result := map[string]string{}
	for key, value := range m {
		if _, ok := got[key]; ok || !slices.Contains(leftOut(), key) || slices.Contains(keep, key) {
			result[key] = value
		}
	}
	return result
}

// scopeOf is the scope of a Secret that is sealed for a reach.
func scopeOf(s *manifest.Secret, reach seal.Reach) sopsdoc.Scope {
	scope := sopsdoc.Scope{Namespace: s.Namespace, Name: s.Name}
	if reach != seal.Strict {
		scope.Name = sopsdoc.Any
	}
	if reach == seal.Cluster {
		scope.Namespace = sopsdoc.Any
	}
	return scope
}

// verifyFile compares a SOPS file with what it was made of.
func (one *conversion) verifyFile(roots []*yaml.Node) error {
	first := one.pieces[0]
	file, err := sopsdoc.ParseFile(roots...)
	if err != nil {
		return first.at(one.name, "verify", err)
	}
	docs, err := file.Decrypt(one.fileKey)
	if err != nil {
		return first.at(one.name, "verify", err)
	}
	for i, p := range one.pieces {
		got, _, err := manifest.ParseSecret(docs[i])
		if err != nil {
			return p.at(one.name, "verify", err)
		}
		want := *p.secret
		want.Annotations = exceptLeftOut(want.Annotations, got.Annotations, nil)
		if fields := secretDifferences(&want, got); len(fields) > 0 {
			return p.at(one.name, "verify", &differsError{fields})
		}
	}
	return nil
}

// secretDifferences names the fields in which two Secrets differ. Where a value stands,
// in data or stringData, is no difference.
func secretDifferences(want, got *manifest.Secret) []string {
	a, b := secretBytes(want), secretBytes(got)
	var fields []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"name", want.Name == got.Name},
		{"namespace", want.Namespace == got.Namespace},
		{"type", cmp.Or(want.Type, "Opaque") == cmp.Or(got.Type, "Opaque")},
		{"immutable", want.Immutable == got.Immutable},
		{"labels", maps.Equal(want.Labels, got.Labels)},
		{"annotations", maps.Equal(want.Annotations, got.Annotations)},
		{"values", maps.Equal(a, b)},
	} {
		if !f.same {
			fields = append(fields, f.name)
		}
	}
	return fields
}

// secretBytes returns the values of a Secret, whatever field they stand in.
func secretBytes(s *manifest.Secret) map[string]string {
	values := maps.Clone(s.StringData)
	if values == nil {
		values = map[string]string{}
	}
	for key, value := range s.Data {
		values[key] = string(value)
	}
	return values
}
