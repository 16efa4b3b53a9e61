// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rsa"
	"errors"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/unseal"
)

// conversionRun is one run of `signet convert`.
type conversionRun struct {
	*convertCommand
	conversions []*conversion
	open        unseal.Options // with which sources are opened
	again       unseal.Options // with which files that are there already are
	private     []*rsa.PrivateKey
	wrapper     keys.Wrapper
	limits      keyLimits
	now         time.Time
}

// conversion is one file of the run.
type conversion struct {
	input
	target    string // "" is stdout
	pieces    []*piece
	rule      *keys.Rule
	fileKey   keys.DataKey // of a SOPS file
	result    []byte       // nil if there is none
	unchanged bool         // the target held it already
	err       error        // why there is no result, or none in the target
}

// made is what became of a piece.
type made struct {
	key  keys.DataKey
	body []byte // of the previous document, if it can stay as it is
}

// newRun reads the private keys and all else that the run needs, but for the rules.
func (v *convertCommand) newRun(files []*conversion, watch *userkeys.Watch) (*conversionRun, error) {
	c := &conversionRun{convertCommand: v, conversions: files, now: time.Now()}
	targets := make([]input, len(files))
	for i, one := range files {
		targets[i] = input{name: one.target}
		if one.target == "" {
			targets[i].name = one.name
		}
	}
	paths := append(documentPaths(convertInputs(files)), documentPaths(targets)...)
	sources := v.sources(v.err, true)
	sources.Watch = watch
	var err error
	if c.private, err = v.privateKeys(); err != nil {
		return nil, err
	}
	if c.open, err = sources.Options(paths...); err != nil {
		return nil, err
	}
	c.open.Namespace = v.namespace
	c.again = c.open
	c.open.WholeSecrets = true
	if c.wrapper, err = v.wrapper(v.err); err != nil {
		return nil, err
	}
	c.limits, err = (&sealCommand{keyFlags: v.keyFlags}).keyLimits(targets)
	return c, err
}

// prepare finds what is to be converted, and for whom, before any key is used.
// The error is a mistake that all files would share.
func (c *conversionRun) prepare() error {
	rules := &ruleFinder{flags: c.recipientFlags}
	idle := true
	for _, one := range c.conversions {
		pieces, err := c.pieces(one.input)
		one.pieces, one.err = pieces, exitcode.Opening(err)
		if err == nil && len(pieces) > 0 {
			one.rule, one.err = c.ruleFor(rules, one)
		}
		if aboutRules(one.err) {
			return one.err
		}
		idle = idle && len(pieces) == 0 && err == nil
	}
	if idle {
		return &report.PlacedError{File: c.args[0], Operation: "convert", Err: errNothingToConvert}
	}
	return nil
}

// ruleFor returns the rule for what is made of a file.
func (c *conversionRun) ruleFor(rules *ruleFinder, one *conversion) (*keys.Rule, error) {
	for _, p := range one.pieces {
		if p.from == fromBitnami && len(c.private) == 0 {
			return nil, p.at(one.name, "convert", errNoFromKey)
		}
	}
	like := &sealCommand{recipientFlags: c.recipientFlags, outputFlags: outputFlags{output: one.target}}
	rule, err := rules.rule(like.document(one.input))
	if err != nil {
		return nil, &report.PlacedError{File: one.name, Operation: "seal", Err: like.withoutFile(one.input, err)}
	}
	return rule, nil
}

// convertAll converts all files, also after some could not be.
func (c *conversionRun) convertAll(ctx context.Context) error {
	progress := newProgress(c.err, "converting", len(c.conversions))
	failed := parallel.Do(len(c.conversions), func(i int) error {
		defer progress.step()
		one := c.conversions[i]
		if one.err != nil || len(one.pieces) == 0 {
			return one.err
		}
		return c.convert(ctx, one)
	})
	progress.done()
	var errs []error
	for i, one := range c.conversions {
		one.err = failed[i]
		errs = append(errs, report.Split(one.err)...)
	}
	return errors.Join(errs...)
}

// convert converts one file, and writes it if it has one of its own.
func (c *conversionRun) convert(ctx context.Context, one *conversion) error {
	if err := c.openPieces(ctx, one); err != nil {
		return exitcode.Opening(err)
	}
	old := &previous{anew: c.force, options: c.again, replaced: map[*manifest.Object]replacement{}}
	if one.target != "" {
		if err := old.read(one.target); err != nil {
			return err
		}
	}
	convert := c.sealPieces
	if c.toSOPS() {
		convert = c.encryptFile
	}
	out, err := convert(ctx, one, old)
	if err != nil {
		return err
	}
	if err := c.verify(one, out); err != nil {
		return err
	}
	one.result = out
	if c.outDir != "" {
		one.unchanged, err = writeTarget(one.target, out, c.force)
	}
	return err
}

func (c *conversionRun) options(one *conversion) seal.Options {
	return seal.Options{
		Recipients:       one.rule.Recipients,
		Wrapper:          c.wrapper,
		Namespace:        c.namespace,
		KeepMetadata:     c.keepMetadata,
		AllowClear:       c.allowClear,
		FreshKeyOnChange: one.rule.FreshKey,
		Now:              c.now,
	}
}

// sealPieces makes SealedSecrets of the pieces of a file, which are in clear.
func (c *conversionRun) sealPieces(ctx context.Context, one *conversion, old *previous) ([]byte, error) {
	places := old.places(c.namespace)
	var objects []found
	for _, p := range one.pieces {
		objects = append(objects, p.found)
		if all := places[placeOf(p.found, c.namespace)]; len(all) == 1 {
			old.replaced[p.Object] = replacement{found: all[0]}
		}
	}
	errs := parallel.Do(len(one.pieces), func(i int) error {
		p := one.pieces[i]
		if err := c.sealPiece(ctx, one, p, old); err != nil {
			return p.at(one.name, "seal", err)
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, p := range one.pieces {
		p.retitle()
	}
	out, err := one.replaced(objects)
	if err != nil {
		return nil, err
	}
	for _, p := range one.pieces {
		if p.made.body != nil {
			p.doc.ReplaceBody(p.made.body)
			out = one.stream.Bytes()
		}
	}
	return out, nil
}

func (c *conversionRun) sealPiece(ctx context.Context, one *conversion, p *piece, files *previous) error {
	o := c.options(one)
	o.Reach = p.reach
	if c.scope != "" {
		o.Reach = reaches[c.scope]
	}
	p.reach = o.Reach
	old, _ := files.secret(ctx, p.found)
	result, err := seal.Seal(ctx, p.Tree(), old.sealed(), o)
	if err != nil {
		return err
	}
	p.notes = append(append(p.notes, result.Notes...), c.limits.notes(p.found, o)...)
	p.made.key = result.DataKey
	node, changed := p.dress(result.Node)
	if result.Unchanged && !changed && p.Item == 0 {
		p.made.body = old.body(p.doc)
	}
	p.replaceTree(node)
	return nil
}

// retitle makes a List of a list of one kind, whose items have another one now.
func (p *piece) retitle() {
	list := manifest.Root(p.root)
	if p.Item == 0 || manifest.GetString(list, "kind") == "List" {
		return
	}
	manifest.Set(list, "apiVersion", manifest.String("v1"))
	manifest.Set(list, "kind", manifest.String("List"))
}

// errSOPSAlone says that a file holds more than what can become a SOPS file.
var errSOPSAlone = errors.New("a SOPS file holds nothing but Secrets, as documents of their own: sops opens a file only as a whole")

// encryptFile makes a SOPS file of the pieces of a file, which are in clear.
func (c *conversionRun) encryptFile(ctx context.Context, one *conversion, old *previous) ([]byte, error) {
	documents := 0
	for _, doc := range one.stream.Documents {
		if doc.Index > 0 {
			documents++
		}
	}
	var objects []found
	var nodes []*yaml.Node
	for _, p := range one.pieces {
		objects, nodes = append(objects, p.found), append(nodes, p.root)
		if p.Item > 0 {
			return nil, p.at(one.name, "convert", errSOPSAlone)
		}
	}
	if documents != len(nodes) {
		return nil, &report.PlacedError{File: one.name, Operation: "convert", Err: errSOPSAlone}
	}
	o := seal.SOPSOptions{Options: c.options(one), Selector: one.rule.Selector, MACOnlyEncrypted: one.rule.MACOnlyEncrypted}
	result, err := seal.SealSOPS(ctx, nodes, old.file(ctx), o)
	if err != nil {
		return nil, objects[0].at(one.name, "seal", err)
	}
	one.fileKey = result.DataKey
	one.pieces[0].notes = append(one.pieces[0].notes, result.Notes...)
	if result.Unchanged && old.alone() {
		return old.raw, nil
	}
	for i, f := range objects {
		*f.root = *result.Nodes[i]
	}
	return one.replaced(objects)
}
