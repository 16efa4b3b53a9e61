// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// sealedRules are the rules about what is sealed. Nothing is opened.
type sealedRules struct {
	rules       *sourceRules
	maxAge      time.Duration // 0 is any
	postQuantum bool
	now         time.Time
}

// sealedDoc is what is known of a sealed document that follows its format.
type sealedDoc struct {
	file       checkFile
	base       finding // that says where it is
	kind       string  // SealedSecret, SealingKey, or "" for SOPS
	name       string  // of the object
	secretName string
	namespace  string // of the object
	scope      *sopsdoc.Scope
	explicit   bool // spec.secretName is given
	merge      bool // its values may be added to a Secret of others
	keys       []string
	metadata   *sopsdoc.Metadata
}

// about is a finding about a sealed document.
func (d sealedDoc) about(r rule, message, hint string) finding {
	is := d.base
	is.Rule, is.Level, is.Message, is.Hint = r, r.level(), message, hint
	return is
}

// check looks at one object that may be sealed. doc is nil if it is not, or
// breaks its format.
func (s *sealedRules) check(file checkFile, f found) (doc *sealedDoc, all []finding) {
	if isFunction(f.Object) {
		return nil, nil
	}
	sealed, err := toInspect(f)
	if err == nil && !sealed {
		return nil, nil
	}
	if err == nil && f.Kind() == "" {
		return nil, nil // no manifest: a file of another tool
	}
	if err == nil {
		doc, err = parseSealed(file, f)
	}
	if err != nil {
		return nil, []finding{f.find(file.name, ruleInvalid, "is not as a sealed document must be: "+strings.ReplaceAll(err.Error(), "\n", "; "), invalidHint)}
	}
	if doc.kind == sopsdoc.Kind {
		all = append(all, doc.place()...)
		if !sopsdoc.Sorted(manifest.Get(f.Node, "spec", "sealed")) {
			all = append(all, doc.about(ruleUnsorted, "the keys of the envelope are not sorted: stock sops cannot verify it",
				"signet rewrap --all "+report.Quoted(file.name)+" writes it anew"))
		}
	}
	if doc.kind == "" && f.IsSecret() {
		all = append(all, doc.about(ruleUnscoped, "a Secret encrypted by SOPS opens in any namespace, under any name",
			"signet convert --to sealedsecret binds it to its place"))
	}
	return doc, append(all, s.recipients(doc)...)
}

const invalidHint = "somebody has changed it by hand, or a merge has: restore the file from Git, or seal it again"

// parseSealed reads a sealed object as strictly as whoever opens it.
func parseSealed(file checkFile, f found) (*sealedDoc, error) {
	d := &sealedDoc{file: file, base: f.find(file.name, "", "", ""), name: f.Name(), namespace: f.Namespace()}
	switch {
	case f.Group() != sopsdoc.Group:
		parsed, err := sopsdoc.ParseFile(f.Tree())
		if err != nil {
			return nil, err
		}
		d.metadata, d.secretName = parsed.Metadata, f.Name()
		return d, nil
	case f.Kind() == sopsdoc.KeyKind:
		k, err := sopsdoc.ParseSealingKey(f.Node)
		if err != nil {
			return nil, err
		}
		d.kind, d.metadata = sopsdoc.KeyKind, k.Metadata
		return d, k.CheckContext()
	}
	parsed, err := sopsdoc.ParseSealedSecret(f.Node)
	if err != nil {
		return nil, err
	}
	e := parsed.Envelope
	d.kind, d.metadata, d.scope, d.secretName = sopsdoc.Kind, e.Metadata, &e.Scope, parsed.SecretName
	d.merge, d.keys = e.Merge, slices.Concat(e.DataKeys(), e.StringDataKeys())
	d.explicit = manifest.GetString(f.Node, "spec", "secretName") != ""
	return d, errors.Join(e.CheckContext(), parsed.CheckCreationPolicy(), sopsdoc.Denied().Check(e.Type, e.Labels, e.Annotations))
}

// place compares the scope with what the object says of its place.
func (d *sealedDoc) place() []finding {
	hint := d.moveHint()
	var all []finding
	if d.elsewhere() {
		all = append(all, d.about(ruleScope, "is in namespace "+report.Visible(d.namespace)+", but sealed for "+d.scope.Namespace, hint))
	}
	if d.renamed() {
		all = append(all, d.about(ruleScope, "is for the Secret "+report.Visible(d.secretName)+", but sealed for "+d.scope.Name, hint))
	}
	return all
}

// recipients looks at for whom a document is sealed, and since when.
func (s *sealedRules) recipients(d *sealedDoc) []finding {
	have := d.metadata.Recipients
	rule, err := s.rules.rule(d.file.at)
	var all []finding
	var none *keys.NoRuleError
	switch {
	case errors.As(err, &none) && d.kind != sopsdoc.KeyKind:
		all = append(all, d.about(ruleNoRule, "no rule of "+report.Visible(report.ShortPath(none.Rules))+" matches this file",
			"add a rule whose path_regex matches, or one without path_regex at the end"))
	case err == nil && rule != nil:
		all = append(all, d.compare(have, rule.Recipients)...)
	}
	policy := s.postQuantum || rule != nil && rule.RequirePostQuantum
	for _, e := range have.Entries() {
		if policy && isClassic(e) {
			all = append(all, d.about(ruleAgainstPQ, "opens for "+nameClassic(e)+", which a quantum computer could stand in for",
				d.withoutClassic()))
		}
	}
	// For a SealingKey it is a choice, of which its maker was told.
	if weak := weakens(have, false); weak != "" && !policy && d.kind != sopsdoc.KeyKind {
		all = append(all, d.about(ruleWeak, "a quantum computer could open it in spite of its post-quantum recipients, "+weak,
			"replace the classic recipient in the rules, then: signet rotate "+report.Quoted(d.file.name)))
	}
	return append(all, s.age(d)...)
}

// withoutClassic is what to do about a recipient that policy does not want.
func (d *sealedDoc) withoutClassic() string {
	if d.kind == sopsdoc.KeyKind {
		return "make its successor without it: signet key rotate"
	}
	return "take it out of the rules, then: signet rotate " + report.Quoted(d.file.name)
}

// compare tells whom a document and its rule do not have in common.
func (d *sealedDoc) compare(have, want keys.Recipients) []finding {
	bound, err := want, error(nil)
	switch d.kind {
	case sopsdoc.Kind:
		bound, err = sopsdoc.BindContext(want, *d.scope)
	case sopsdoc.KeyKind:
		return nil // the rules are about documents, and a SealingKey about itself
	}
	if err != nil || have.Same(bound) {
		return nil
	}
	var parts []string
	hint := "signet rewrap " + report.Quoted(d.file.name)
	if gone := have.Minus(bound); len(gone) > 0 {
		parts = append(parts, "opens for "+nameEntries(gone)+", whom the rules do not name")
		hint = "signet rotate " + report.Quoted(d.file.name)
	}
	if missing := bound.Minus(have); len(missing) > 0 {
		parts = append(parts, "does not open for "+nameEntries(missing)+", whom the rules name")
	}
	if len(parts) == 0 {
		parts = append(parts, "has other key groups than the rules say")
	}
	return []finding{d.about(ruleRecipients, strings.Join(parts, ", and "), hint)}
}

func nameEntries(entries []keys.Entry) string {
	var names []string
	for _, e := range entries {
		names = append(names, string(e.Type())+" "+shortRecipient(report.WithoutKeys(e.ID())))
	}
	return some(names)
}

// age looks at how old the data key is. A document that does not say so is at
// least as old as its last change.
func (s *sealedRules) age(d *sealedDoc) []finding {
	if s.maxAge == 0 {
		return nil
	}
	hint := "signet rotate " + report.Quoted(d.file.name)
	changed, err := time.Parse(time.RFC3339, d.metadata.LastModified)
	made, known := d.metadata.Recipients.Created()
	days := func(t time.Time) int { return int(s.now.Sub(t).Hours() / 24) }
	switch {
	case !d.metadata.Recipients.PlausibleAge(changed, s.now):
		return []finding{d.about(ruleMaxAge, "nothing says how old its data key is: it names a time in the future, or after its last change", hint)}
	case known && s.now.Sub(made) > s.maxAge:
		return []finding{d.about(ruleMaxAge, "its data key was made "+plural(days(made), "day")+" ago", hint)}
	case known || err != nil:
		return nil
	case s.now.Sub(changed) > s.maxAge:
		return []finding{d.about(ruleMaxAge, "its data key was made "+plural(days(changed), "day")+" ago, or before that", hint)}
	}
	unknown := d.about(ruleMaxAge, fmt.Sprintf("nothing says how old its data key is, at least %s", plural(days(changed), "day")), hint)
	unknown.Level = levelNote
	return []finding{unknown}
}

// lenientFound makes an object of a tree that is none for a strict reader.
func lenientFound(doc *manifest.Document, n *yaml.Node) found {
	return found{&manifest.Object{Node: n}, doc, n}
}
