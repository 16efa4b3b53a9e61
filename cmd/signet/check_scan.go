// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/internal/helmtext"
	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// scan applies the rules for sources to the files of one source.
type scan struct {
	src    source
	list   *listing
	sealed sealedRules
	keep   bool // the streams of what was read are wanted
}

// scanned is what was found in one file.
type scanned struct {
	file     checkFile
	findings []finding
	docs     []*sealedDoc
	kust     *kustFile // if it is a kustomization
	allowed  []allowance
	stream   *manifest.Stream // with keep
	empty    bool             // there is nothing but blanks and comments
	err      error
}

// checkWords are what a document says somewhere that a rule could be about. The
// patches of a kustomization need not say what kind they are for.
func checkWords(at string) []string {
	words := append(encodedWords(), "Secret", "stringData", sopsdoc.Group, sopsdoc.MetadataKey)
	if isKustomizationName(at) {
		words = append(words, "/data")
	}
	return words
}

// files looks at all files, several at a time, and returns what was found in the
// order of the listing.
func (s *scan) files(ctx context.Context) ([]scanned, error) {
	all := make([]scanned, len(s.list.files))
	const some = 16
	errs := parallel.Do((len(all)+some-1)/some, func(n int) error {
		for i := n * some; i < min((n+1)*some, len(all)) && ctx.Err() == nil; i++ {
			all[i] = s.file(s.list.files[i])
		}
		return nil
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	others, err := s.others(ctx)
	return append(all, others...), errors.Join(append(errs, err)...)
}

// file looks at one file.
func (s *scan) file(f checkFile) scanned {
	r := scanned{file: f}
	text, err := s.src.read(f.at)
	switch {
	case (errors.Is(err, fs.ErrNotExist) || errors.Is(err, errSpecial)) && f.walked, errors.Is(err, gitrepo.ErrMissing):
		return r // gone or another one meanwhile, or not in this clone
	case errors.Is(err, manifest.ErrTooLarge) && f.walked:
		r.unreadable(0, 0, err)
		return r
	case err != nil:
		r.err = &report.PlacedError{File: f.name, Operation: "read", Err: report.Cause(err)}
		return r
	case gitrepo.IsLFSPointer(text):
		return r
	}
	text = fromUTF16(text)
	if isKustomizationName(f.at) {
		r.kust = parseKust(text)
	}
	r.allowed = allowances(text)
	keys := privateKeys(f.name, text)
	if len(keys) == 0 || f.walked || isCheckFile(f.at) {
		s.manifests(&r, text)
	}
	r.findings = append(keys, r.findings...)
	return r
}

// manifests looks at the text of a file that may hold manifests.
func (s *scan) manifests(r *scanned, text []byte) {
	f := r.file
	if !s.keep && f.walked && !manifest.Mentions(text, checkWords(f.at)...) && !manifest.Mentions(text, disguises...) {
		return
	}
	if r.findings = conflict(f.name, text); len(r.findings) > 0 {
		return
	}
	if isScriptName(f.at) && !s.keep {
		r.findings = scriptSecrets(input{name: f.name, walked: f.walked}, string(text))
		return
	}
	stream, err := manifest.Split(text)
	if err != nil {
		if !f.walked || namesSealed().Match(text) {
			r.unreadable(0, 0, err)
		}
		return
	}
	r.empty = stream.Empty()
	if s.keep {
		r.stream = stream
	}
	s.documents(r, text, stream)
}

// documents looks at the documents of a file, or at all of it if it is a
// template.
func (s *scan) documents(r *scanned, text []byte, stream *manifest.Stream) {
	hasActions := helmtext.IsTemplate(string(text))
	in := input{name: r.file.name, walked: r.file.walked, stream: stream}
	if hasActions && (isTemplateName(r.file.at) || s.inChart(r.file.at)) {
		s.template(r, text)
		return
	}
	for _, doc := range stream.Documents {
		if doc.Index == 0 || !manifest.MightConcern(doc.Raw(), checkWords(r.file.at)...) {
			continue
		}
		err := s.strict(r, in, doc)
		if err != nil && hasActions {
			r.findings, r.docs = nil, nil
			s.template(r, text)
			return
		}
		if err != nil && !s.lenient(r, in, doc) && (!r.file.walked || namesSealed().Match(doc.Raw())) {
			r.unreadable(doc.Index, doc.Line, err)
		}
		doc.Forget()
	}
}

func (s *scan) template(r *scanned, text []byte) {
	found, err := clearTemplates(r.file.name, string(text))
	if err != nil {
		r.unreadable(0, 0, err)
		return
	}
	for _, f := range scriptSecrets(input{name: r.file.name, walked: r.file.walked}, string(text)) {
		if !slices.ContainsFunc(found, func(other finding) bool { return other.Line == f.Line }) {
			found = append(found, f)
		}
	}
	r.findings = append(r.findings, found...)
}

// strict looks at a document as it is opened and sealed. The error says why
// nobody would do that with it.
func (s *scan) strict(r *scanned, in input, doc *manifest.Document) error {
	node, objects, err := doc.Objects()
	if err != nil {
		return err
	}
	for _, o := range objects {
		f := found{o, doc, node}
		if f.IsSecret() || isSecretNode(f.Node) {
			r.findings = append(r.findings, in.clearSecret(f)...)
		}
		r.findings = append(r.findings, nestedSecrets(in, f)...)
		sealed, findings := s.sealed.check(r.file, f)
		r.findings = append(r.findings, findings...)
		if sealed != nil {
			r.docs = append(r.docs, sealed)
		}
	}
	if root := manifest.Root(node); len(objects) == 0 && root != nil && root.Kind == yaml.SequenceNode {
		r.findings = append(r.findings, nestedSecrets(in, lenientFound(doc, root))...)
	}
	return nil
}

// lenient looks at a document that signet does not take and others do; false if
// nobody does, or if it is something of ours, which must be strict.
func (s *scan) lenient(r *scanned, in input, doc *manifest.Document) bool {
	n, err := lenient(doc.Raw(), doc.Line)
	if err != nil {
		return false
	}
	if n == nil {
		return true
	}
	group := (&manifest.Object{Node: n}).Group()
	if n.Kind == yaml.MappingNode && (group == sopsdoc.Group || manifest.Get(n, sopsdoc.MetadataKey) != nil) {
		return false
	}
	if n.Kind == yaml.MappingNode && isSecretNode(n) {
		r.findings = append(r.findings, in.clearSecret(lenientFound(doc, n))...)
	}
	r.findings = append(r.findings, nestedSecrets(in, lenientFound(doc, n))...)
	return true
}

// unreadable tells of a document that cannot be parsed, if it names what rules
// are about. In a file that was named it is an error.
func (r *scanned) unreadable(document, line int, err error) {
	if !r.file.walked {
		r.err = errors.Join(r.err, &report.PlacedError{File: r.file.name, Document: document, Operation: "read", Err: err})
		return
	}
	var text string
	if err != nil {
		text = err.Error()
	}
	r.findings = append(r.findings, finding{
		Rule: ruleUnreadable, Level: ruleUnreadable.level(), File: r.file.name, Line: line, Document: document,
		Message: "cannot be read, so that nobody knows what is in it: " + text,
		Hint:    "correct it; if it is a template, give it a name that ends in .tmpl or .tpl",
	})
}

// isKustomizationName reports whether a file is a kustomization by its name.
func isKustomizationName(name string) bool {
	return slices.Contains(kustomizationNames(), filepath.Base(name))
}

// inChart reports whether a file is a template of a Helm chart: below a folder
// templates that has a Chart.yaml beside it.
func (s *scan) inChart(at string) bool {
	for dir := filepath.Dir(at); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if filepath.Base(dir) != "templates" {
			continue
		}
		chart := filepath.Join(filepath.Dir(dir), "Chart.yaml")
		if s.list.known[chart] {
			return true
		}
		if _, err := s.src.read(chart); err == nil {
			return true
		}
	}
	return false
}
