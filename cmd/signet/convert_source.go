// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/bitnami"
	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// sourceForm is what a document is before it is converted.
type sourceForm string

const (
	fromSOPS    sourceForm = "sops"
	fromSealed  sourceForm = "sealedsecret"
	fromBitnami sourceForm = "bitnami"
)

// piece is one document that is converted.
type piece struct {
	found
	from   sourceForm
	object string // for the report, "" if SOPS has encrypted the name
	secret *manifest.Secret
	reach  seal.Reach
	notes  []string
	// labels and annotations are those that the object has beside the Secret.
	labels, annotations map[string]string
	made                made
}

// words are those that a file must mention in which there is something to
// convert.
func (v *convertCommand) words() []string {
	if v.toSOPS() {
		return []string{sopsdoc.Group}
	}
	return []string{sopsdoc.MetadataKey, bitnamiGroup}
}

const bitnamiGroup = "bitnami.com"

// Errors about documents that cannot be converted.
var (
	errNothingToConvert = errors.New("holds nothing that can be converted")
	errOnlySecrets      = errors.New("is no Secret, and only Secrets become SealedSecrets")
	errNoObject         = errors.New("is no object of Kubernetes")
)

// pieces finds what is to be converted in an input.
func (v *convertCommand) pieces(in input) ([]*piece, error) {
	if in.walked && !in.mentions(v.words()...) {
		return nil, nil
	}
	if !v.toSOPS() {
		if err := in.unopened(); err != nil {
			return nil, err
		}
	}
	var all []*piece
	var refused []error
	_, err := in.objects(func(f found) (bool, error) {
		from, err := v.formOf(in, f)
		if err != nil {
			refused = append(refused, f.at(in.name, "convert", err))
		}
		if from == "" || err != nil {
			return false, nil
		}
		all = append(all, &piece{found: f, from: from, object: shownName(f.Object)})
		return true, nil
	}, v.words()...)
	err = errors.Join(append(report.Split(err), refused...)...)
	if err == nil && len(all) == 0 && !in.walked {
		err = &report.PlacedError{File: in.name, Operation: "convert", Err: errNothingToConvert}
	}
	return all, err
}

// shownName names an object in the report.
func shownName(o *manifest.Object) string {
	name := report.ObjectName(o)
	if strings.Contains(name, sopsdoc.ValuePrefix) { // SOPS can encrypt names, too
		return ""
	}
	return name
}

// formOf tells what a document is, "" for one that stays as it is.
func (v *convertCommand) formOf(in input, f found) (sourceForm, error) {
	switch {
	case v.toSOPS() && f.Group() == sopsdoc.Group && f.Kind() == sopsdoc.Kind:
		_, err := unseal.IsSealed(f.Object) // of this version
		return fromSealed, err
	case v.toSOPS():
		return "", nil
	case bitnami.IsSealedSecret(f.Object):
		return fromBitnami, nil
	case f.Group() == sopsdoc.Group || manifest.Get(f.Node, sopsdoc.MetadataKey) == nil:
		return "", nil
	case f.Kind() == "" && in.walked:
		v.passedOver++ // values of another tool
		return "", nil
	case f.Kind() == "":
		return "", errNoObject
	case !f.IsSecret() && !sopsdoc.LooksEncrypted(f.Kind()):
		return "", errOnlySecrets
	}
	return fromSOPS, nil
}

// openPieces opens what is to be converted, in the tree of its stream: it holds
// plaintext from then on.
func (c *conversionRun) openPieces(ctx context.Context, one *conversion) error {
	var others []found
	var jobs []func() error
	for _, p := range one.pieces {
		switch {
		case p.from == fromBitnami:
			jobs = append(jobs, func() error { return c.openBitnami(one.input, p) })
			continue
		case p.from == fromSealed:
			p.notes = append(p.notes, lostWith(p.found)...)
		}
		others = append(others, p.found)
	}
	for _, job := range unseal.Jobs(others, func(f found) (string, *manifest.Object) { return one.name, f.Object }) {
		jobs = append(jobs, func() error { return one.openJob(ctx, job, c.open) })
	}
	errs := parallel.Do(len(jobs), func(i int) error {
		if ctx.Err() != nil {
			return parallel.ErrNotTried
		}
		return jobs[i]()
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, p := range one.pieces {
		errs = append(errs, p.take(one.input, c.namespace))
	}
	return errors.Join(errs...)
}

// take reads the Secret that a piece has become.
func (p *piece) take(in input, namespace string) error {
	if !p.IsSecret() {
		return p.at(in.name, "open", errNotSecret)
	}
	secret, _, err := manifest.ParseSecret(p.Tree())
	if err != nil {
		return p.at(in.name, "convert", err)
	}
	secret.Namespace = cmp.Or(secret.Namespace, namespace)
	p.secret = secret
	return nil
}

// lostWith tells what a SOPS document has no place for.
func lostWith(f found) []string {
	notes := []string{"sealed for " + report.Visible(manifest.GetString(f.Node, "spec", "sealed", "scope")) + "; the SOPS document opens wherever it is"}
	if around := surroundings(f, false); len(around) > 0 {
		notes = append(notes, "not carried: "+strings.Join(around, ", "))
	}
	return notes
}

// replaceTree puts a document into the tree of its stream.
func (f found) replaceTree(n *yaml.Node) {
	f.Replace(n)
	if f.Item == 0 {
		f.root.HeadComment, f.root.FootComment = n.HeadComment, n.FootComment
	}
}
