// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// replacement is a document of the output file that a Secret takes the place of.
type replacement struct {
	found
	// moved says that the Secret has another name or namespace: of all
	// documents and Secrets, these two are left.
	moved bool
}

// secretPlace is where a Secret is.
type secretPlace struct{ namespace, name string }

// placeOf is where the Secret will be that is made of f: a Secret, or a sealed
// one.
func placeOf(f found, namespace string) secretPlace {
	p := secretPlace{cmp.Or(f.Namespace(), namespace), f.Name()}
	if f.Group() != sopsdoc.Group {
		return p
	}
	if scope, _, _ := strings.Cut(manifest.GetString(f.Node, "spec", "sealed", "scope"), "/"); p.namespace == "" && scope != sopsdoc.Any {
		p.namespace = scope
	}
	p.name = cmp.Or(manifest.GetString(f.Node, "spec", "secretName"), p.name)
	return p
}

// ambiguousError says that a Secret could take the place of several documents.
type ambiguousError struct {
	file string
	all  []found
}

func (e *ambiguousError) Error() string {
	var names []string
	for _, f := range e.all {
		names = append(names, fmt.Sprintf("document %d, %s", f.doc.Index, report.ObjectName(f.Object)))
	}
	return fmt.Sprintf("%s holds several documents for this Secret, and nothing says which one it replaces: %s", report.Visible(e.file), strings.Join(names, "; "))
}

// errOneObject says that several objects were to get the same name.
var errOneObject = errors.New("seal: --object-name names one SealedSecret, and there are several Secrets")

// match finds out which document of the output file each Secret takes the place
// of, and notes what is lost with those of which none does.
func (s *sealing) match(jobs []sealJob) error {
	p := s.previous
	p.replaced = map[*manifest.Object]replacement{}
	at, replaced := p.places(s.namespace), map[*manifest.Object]bool{}
	var fresh []found
	var errs []error
	secrets := 0
	for _, job := range jobs {
		secrets += len(job.objects)
		for _, f := range job.objects {
			switch all := at[placeOf(f, s.namespace)]; {
			case len(all) == 0:
				fresh = append(fresh, f)
			case len(all) > 1 && s.as != "sops":
				errs = append(errs, f.at(job.name, "seal", &ambiguousError{s.output, all}))
			default:
				p.replaced[f.Object] = replacement{found: all[0]}
				for _, old := range all {
					replaced[old.Object] = true
				}
			}
		}
	}
	if s.objectName != "" && secrets > 1 {
		errs = append(errs, errOneObject)
	}
	s.noteLost(fresh, p.left(replaced, jobs))
	return errors.Join(errs...)
}

// places returns which documents become the Secret of each place.
func (p *previous) places(namespace string) map[secretPlace][]found {
	at := map[secretPlace][]found{}
	for _, old := range p.objects {
		if old.Group() == sopsdoc.Group || old.IsSecret() {
			place := placeOf(old, namespace)
			at[place] = append(at[place], old)
		}
	}
	return at
}

// left returns the documents that neither were replaced nor are in the input
// as well, sealed, and so go on into the output.
func (p *previous) left(replaced map[*manifest.Object]bool, jobs []sealJob) []found {
	id := func(f found) [3]string { return [3]string{f.Group(), f.Namespace(), f.Name()} }
	passedOn := map[[3]string]bool{}
	for _, job := range jobs {
		for _, f := range job.sealed {
			passedOn[id(f)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(p.objects), func(f found) bool { return replaced[f.Object] || passedOn[id(f)] })
}

// noteLost looks at the Secrets and the documents of the output file that have
// nothing to do with each other. One of each is a Secret that was renamed or
// moved.
func (s *sealing) noteLost(fresh, left []found) {
	if len(fresh) == 1 && len(left) == 1 {
		switch old := left[0]; {
		case s.as == "sops" && old.Group() != sopsdoc.Group:
			return // which has nothing but the Secret
		case s.as != "sops" && old.Group() == sopsdoc.Group:
			s.previous.replaced[fresh[0].Object] = replacement{old, true}
			return
		}
	}
	for _, old := range left {
		s.lost(old, "is in the file no more: nothing that is sealed now takes its place")
	}
	if s.as == "sops" {
		for _, r := range s.previous.objects {
			if r.Group() == sopsdoc.Group && !slices.ContainsFunc(left, func(f found) bool { return f.Object == r.Object }) {
				s.lost(r, "becomes a SOPS document, which opens anywhere")
			}
		}
	}
}

func (s *sealing) lost(old found, what string) {
	if around := surroundings(old, true); len(around) > 0 {
		what += "; gone with it: " + strings.Join(around, ", ")
	}
	note(&s.previous.notes, input{name: s.output}.label(old), what)
}

// surroundings names what stands in a SealedSecret beside the Secret. What is
// under seal counts only with all.
func surroundings(old found, all bool) []string {
	if old.Group() != sopsdoc.Group {
		return nil
	}
	var names []string
	spec, metadata := manifest.Get(old.Node, "spec"), manifest.Get(old.Node, "metadata")
	if scope := manifest.GetString(spec, "sealed", "scope"); all && strings.HasSuffix(scope, "/"+sopsdoc.Any) {
		names = append(names, "scope "+scope)
	}
	for _, field := range []string{"creationPolicy", "deletionPolicy", "suspend"} {
		if v := manifest.Get(spec, field); v != nil && (all || field != "creationPolicy") {
			names = append(names, "spec."+field+known(v.Value))
		}
	}
	if name := manifest.GetString(spec, "secretName"); all && name != "" && name != old.Name() {
		names = append(names, "spec.secretName: "+name)
	}
	labels := manifest.Keys(manifest.Get(spec, "sealed", "labels"))
	for _, field := range manifest.Keys(metadata) {
		switch v := manifest.Get(metadata, field); field {
		case "name", "namespace":
		case "labels", "annotations":
			for _, key := range manifest.Keys(v) {
				if field == "annotations" || !slices.Contains(labels, key) {
					names = append(names, strings.TrimSuffix(field, "s")+" "+key)
				}
			}
		case "finalizers":
			names = append(names, "metadata."+field)
		}
	}
	return names
}

// known returns a value to be shown behind its field, if it is one that such
// fields can have: of a document that was tampered with nothing else is shown.
func known(value string) string {
	if slices.Contains([]string{"Owner", "Merge", "Delete", "Retain", "true", "false"}, value) {
		return ": " + value
	}
	return ""
}

// moving tells of a Secret that was renamed or moved.
func (o *oldSecret) moving(file string) []string {
	if o == nil || !o.moved {
		return nil
	}
	text := "takes the place of " + report.ObjectName(o.Object) + " in " + report.Source(file) + " under another name or namespace"
	if around := surroundings(o.found, false); len(around) > 0 {
		text += ", and keeps of it: " + strings.Join(around, ", ")
	}
	return []string{text}
}

// Errors about a file in which the form of the documents is not clear.
var (
	errBothForms = errors.New("holds SealedSecrets and SOPS documents, and nothing says which of them the result is")
	errSOPSForm  = errors.New("holds SOPS documents that could not be opened, and nothing says whether the result is one, too")
)

// keepForm makes what is sealed over a SOPS file one again, unless --as says
// otherwise.
func (s *sealCommand) keepForm(ctx context.Context, cmd *cobra.Command, p *previous) error {
	isSOPS := func(f found) bool { return f.Group() != sopsdoc.Group }
	if cmd.Flags().Changed("as") || !slices.ContainsFunc(p.objects, isSOPS) {
		return nil
	}
	for _, flag := range []string{"scope", "merge", "object-name"} {
		if cmd.Flags().Changed(flag) {
			return usagef(cmd, "--%s has no meaning for %s, which is a SOPS file; with --as sealedsecret it becomes another", flag, report.Visible(s.output))
		}
	}
	switch {
	case slices.ContainsFunc(p.objects, func(f found) bool { return !isSOPS(f) }):
		return &report.PlacedError{File: s.output, Operation: "seal", Err: errBothForms}
	case p.file(ctx) == nil:
		return &report.PlacedError{File: s.output, Operation: "seal", Err: errSOPSForm}
	}
	s.as = "sops"
	note(s.err, s.output, "stays a SOPS file, as it was; --as sealedsecret makes SealedSecrets of it")
	return nil
}
