// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

const inspectLong = `Show what can be seen of sealed documents and SealingKeys without any key: where
they open, who can open them, the names of their values and when they were last
changed. Recipients that belong to SealingKeys at hand are shown with their name.

What is shown is what the document claims. Only unseal verifies it.`

// inspection is what inspect shows of one document.
type inspection struct {
	File       string      `json:"file"`
	Document   int         `json:"document"`
	Kind       string      `json:"kind"` // SealedSecret, or SOPS and the kind of the object
	Namespace  string      `json:"namespace,omitempty"`
	Name       string      `json:"name"`                 // of the object
	SecretName string      `json:"secretName,omitempty"` // where it is another
	Scope      string      `json:"scope,omitempty"`
	Type       string      `json:"type,omitempty"`
	Merge      bool        `json:"merge,omitempty"` // is added to a Secret of somebody else
	Data       []string    `json:"data"`
	StringData []string    `json:"stringData"`
	Recipients []recipient `json:"recipients"`
	Threshold  int         `json:"threshold,omitempty"`
	Modified   string      `json:"lastModified"`
	Version    string      `json:"version"`
	// Of a SealingKey: what is sealed for PublicKey, it opens in Namespaces.
	PublicKey  string   `json:"publicKey,omitempty"`
	Namespaces []string `json:"namespaces,omitempty"`
	sorted     bool
}

// recipient is one key that can open a document.
type recipient struct {
	Type        string `json:"type"`
	ID          string `json:"id"`
	PostQuantum *bool  `json:"postQuantum,omitempty"` // absent if nobody can tell
	SealingKey  string `json:"sealingKey,omitempty"`  // whose recipient it is, if one is at hand
	Role        string `json:"role,omitempty"`
	AWSProfile  string `json:"awsProfile,omitempty"`
	Group       int    `json:"group,omitempty"`
	CreatedAt   string `json:"createdAt,omitempty"`
}

func newInspect(c console) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "inspect [flags] FILE|DIR|-...",
		Short:   "Show who can open documents, and where",
		Long:    inspectLong,
		Example: "  signet inspect sealed.yaml\n  signet inspect . --output json",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return usagef(cmd, "name a file, a directory or - for stdin")
			case output != "text" && output != "json":
				return usagef(cmd, "--output is text or json, not %q", output)
			}
			return inspect(c, args, output)
		},
	}
	cmd.Flags().StringVar(&output, "output", "text", "`FORMAT`: text or json")
	fixedCompletion(cmd, "output", "text", "json")
	return cmd
}

func inspect(c console, args []string, output string) error {
	inputs, err := collect(args)
	if err != nil {
		return err
	}
	shown := []inspection{}
	var errs []error
	for _, in := range inputs {
		if err := in.read(c.in); err != nil {
			return err
		}
		if in.walked && !in.mentionsSealed() {
			continue
		}
		found, err := in.inspect()
		errs = append(errs, report.Split(err)...)
		shown = append(shown, found...)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := nameSealingKeys(c, inputs, shown); err != nil {
		return err
	}
	if output == "json" {
		e := json.NewEncoder(c.out)
		e.SetIndent("", "  ")
		return e.Encode(shown)
	}
	for i, s := range shown {
		if i > 0 {
			fmt.Fprintln(c.out)
		}
		s.print(c.out)
	}
	if len(shown) == 0 {
		printer(c.err).Line("note", "nothing sealed found")
	}
	return nil
}

// nameSealingKeys tells which recipients belong to SealingKeys at hand.
func nameSealingKeys(c console, inputs []input, shown []inspection) error {
	found, err := (&keyFlags{}).findSealingKeys(c.err, inputs)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, k := range found {
		names[k.Recipient] = k.Name
	}
	for _, s := range shown {
		for i, r := range s.Recipients {
			if r.Type == string(keys.Age) {
				s.Recipients[i].SealingKey = names[r.ID]
			}
		}
	}
	return nil
}

func (in input) mentionsSealed() bool { return in.mentions(sopsdoc.Group, sopsdoc.MetadataKey) }

func (in input) inspect() ([]inspection, error) {
	objects, err := in.objects(toInspect, sopsdoc.Group, sopsdoc.MetadataKey)
	if err != nil {
		return nil, exitcode.Opening(err)
	}
	var all []inspection
	var errs []error
	for _, f := range objects {
		s, err := inspectObject(f)
		if err != nil {
			errs = append(errs, exitcode.Opening(f.at(in.name, "read", err)))
			continue
		}
		s.File, s.Document = in.name, f.doc.Index
		all = append(all, s)
	}
	return all, errors.Join(errs...)
}

// toInspect is toOpen, with SealingKeys.
func toInspect(f found) (bool, error) {
	if f.APIVersion() == sopsdoc.APIVersion && f.Kind() == sopsdoc.KeyKind {
		return true, nil
	}
	return toOpen(f)
}

func inspectObject(f found) (inspection, error) {
	switch {
	case f.Group() != sopsdoc.Group:
		return inspectSOPS(f)
	case f.Kind() == sopsdoc.KeyKind:
		return inspectKeyObject(f)
	}
	doc, err := sopsdoc.ParseSealedSecret(f.Node)
	if err != nil {
		return inspection{}, err
	}
	e := doc.Envelope
	s := inspectMetadata(e.Metadata)
	s.Kind, s.Namespace, s.Name = sopsdoc.Kind, doc.Namespace, doc.Name
	if doc.SecretName != doc.Name {
		s.SecretName = doc.SecretName
	}
	s.Scope, s.Type, s.Merge = e.Scope.String(), e.Type, e.Merge
	s.Data, s.StringData = append(s.Data, e.DataKeys()...), append(s.StringData, e.StringDataKeys()...)
	s.sorted = sopsdoc.Sorted(manifest.Get(f.Node, "spec", "sealed"))
	return s, nil
}

func inspectKeyObject(f found) (inspection, error) {
	k, err := sopsdoc.ParseSealingKey(f.Node)
	if err != nil {
		return inspection{}, err
	}
	s := inspectKey(k)
	s.sorted = sopsdoc.Sorted(manifest.Get(f.Node, "spec", "sealed"))
	return s, nil
}

func inspectKey(k *sopsdoc.SealingKey) inspection {
	s := inspectMetadata(k.Metadata)
	s.Kind, s.Name, s.PublicKey, s.Namespaces, s.sorted = sopsdoc.KeyKind, k.Name, k.Recipient, k.Namespaces, true
	return s
}

func inspectSOPS(f found) (inspection, error) {
	file, err := sopsdoc.ParseFile(f.Tree())
	if err != nil {
		return inspection{}, err
	}
	s := inspectMetadata(file.Metadata)
	s.Kind = "SOPS " + f.Kind()
	s.Namespace, s.Name, s.Type = f.Namespace(), f.Name(), manifest.GetString(f.Node, "type")
	s.Data = append(s.Data, slices.Sorted(slices.Values(manifest.Keys(manifest.Get(f.Node, "data"))))...)
	s.StringData = append(s.StringData, slices.Sorted(slices.Values(manifest.Keys(manifest.Get(f.Node, "stringData"))))...)
	s.sorted = true
	return s, nil
}

func inspectMetadata(md *sopsdoc.Metadata) inspection {
	s := inspection{Modified: md.LastModified, Version: md.Version, Data: []string{}, StringData: []string{}, Recipients: []recipient{}}
	groups := md.Recipients.Groups
	for i, group := range groups {
		for _, e := range group {
			r := describe(e)
			if len(groups) > 1 {
				r.Group = i + 1
				s.Threshold = cmp.Or(md.Recipients.Threshold, len(groups))
			}
			s.Recipients = append(s.Recipients, r)
		}
	}
	return s
}

func describe(e keys.Entry) recipient {
	r := recipient{Type: string(e.Type()), ID: report.WithoutKeys(e.ID())}
	if pq, known := postQuantum(e); known {
		r.PostQuantum = &pq
	}
	if k, ok := e.(keys.KMSEntry); ok {
		r.Role, r.AWSProfile, r.CreatedAt = k.Role, k.AWSProfile, k.CreatedAt
	}
	return r
}

// print writes one document for people.
func (s inspection) print(w io.Writer) {
	name := s.Name
	if s.Namespace != "" {
		name = s.Namespace + "/" + name
	}
	fmt.Fprintf(w, "%s, document %d: %s %s\n", report.Visible(report.Source(s.File)), s.Document, report.Visible(s.Kind), report.Visible(name))
	s.printBody(w)
}

// printBody writes what is below the name.
func (s inspection) printBody(w io.Writer) {
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(w, "  %-10s %s\n", label, report.Visible(text))
		}
	}
	line("secret", s.SecretName)
	line("opens", s.opens())
	line("public key", shortRecipient(s.PublicKey))
	line("type", s.Type)
	if s.Merge {
		line("merge", "is added to a Secret that somebody else makes")
	}
	line("text", strings.Join(s.StringData, ", "))
	line("binary", strings.Join(s.Data, ", "))
	line("changed", s.Modified+age(s.Modified))
	if s.Threshold > 0 {
		line("needs", fmt.Sprintf("%d of %s", s.Threshold, plural(s.Recipients[len(s.Recipients)-1].Group, "key group")))
	}
	for _, r := range s.Recipients {
		line("opened by", r.String())
	}
	if !s.sorted {
		line("note", "the keys of the envelope are not sorted: signet opens it, stock sops cannot verify it")
	}
}

// opens tells where a document opens, or what a SealingKey does.
func (s inspection) opens() string {
	switch {
	case s.Kind != sopsdoc.KeyKind && s.Scope == "":
		return "anywhere: a SOPS document has no scope"
	case s.Kind != sopsdoc.KeyKind:
		return where(s.Scope)
	}
	return "documents of " + theNamespaces(s.Namespaces)
}

// theNamespaces names those of a SealingKey.
func theNamespaces(names []string) string {
	switch {
	case slices.Contains(names, sopsdoc.Any):
		return "every namespace"
	case len(names) == 1:
		return "namespace " + names[0]
	}
	return "namespaces " + strings.Join(names, ", ")
}

func where(scope string) string {
	parsed, err := sopsdoc.ParseScope(scope)
	switch {
	case err != nil:
		return scope
	case parsed.Namespace == sopsdoc.Any && parsed.Name == sopsdoc.Any:
		return "anywhere"
	case parsed.Namespace == sopsdoc.Any:
		return "in every namespace, as " + parsed.Name
	case parsed.Name == sopsdoc.Any:
		return "in namespace " + parsed.Namespace + ", under any name"
	}
	return "in namespace " + parsed.Namespace + ", as " + parsed.Name
}

// age tells how long ago a time was.
func age(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return ""
	}
	switch days := int(time.Since(t).Hours() / 24); {
	case days < 0:
		return " (in the future)"
	case days == 0:
		return " (today)"
	default:
		return " (" + plural(days, "day") + " ago)"
	}
}

func (r recipient) String() string {
	const most = 80
	id := r.ID
	if len(id) > most {
		id = id[:most] + "..."
	}
	text := r.Type + " " + id
	switch {
	case r.PostQuantum == nil:
	case *r.PostQuantum:
		text += " (post-quantum)"
	default:
		text += " (classic)"
	}
	if r.SealingKey != "" {
		text += " (SealingKey " + r.SealingKey + ")"
	}
	if r.Role != "" {
		text += " (role " + r.Role + ")"
	}
	if r.AWSProfile != "" {
		text += " (profile " + r.AWSProfile + ")"
	}
	if r.Group > 0 {
		text += fmt.Sprintf(" (group %d)", r.Group)
	}
	return text
}
