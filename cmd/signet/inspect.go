// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

const inspectLong = `Show what can be seen of sealed documents without any key: where they open, who
can open them, the names of their values and when they were last changed.

What is shown is what the document claims. Only unseal verifies it.`

// inspection is what inspect shows of one document.
type inspection struct {
	File       string      `json:"file"`
	Document   int         `json:"document"`
	Kind       string      `json:"kind"` // SealedSecret, or SOPS and the kind of the object
	Namespace  string      `json:"namespace,omitempty"`
	Name       string      `json:"name"`
	Scope      string      `json:"scope,omitempty"`
	Type       string      `json:"type,omitempty"`
	Data       []string    `json:"data"`
	StringData []string    `json:"stringData"`
	Recipients []recipient `json:"recipients"`
	Threshold  int         `json:"threshold,omitempty"`
	Modified   string      `json:"lastModified"`
	Version    string      `json:"version"`
	sorted     bool
}

// recipient is one key that can open a document.
type recipient struct {
	Type        string `json:"type"`
	ID          string `json:"id"`
	PostQuantum *bool  `json:"postQuantum,omitempty"` // absent if nobody can tell
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
		errs = append(errs, split(err)...)
		shown = append(shown, found...)
	}
	if err := errors.Join(errs...); err != nil {
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
		fmt.Fprintln(c.err, "signet: note: nothing sealed found")
	}
	return nil
}

func (in input) mentionsSealed() bool { return in.mentions(sopsdoc.Group, sopsdoc.MetadataKey) }

func (in input) inspect() ([]inspection, error) {
	objects, err := in.objects(toOpen, sopsdoc.Group, sopsdoc.MetadataKey)
	if err != nil {
		return nil, asOpenErrors(err)
	}
	var all []inspection
	var errs []error
	for _, f := range objects {
		s, err := inspectObject(f)
		if err != nil {
			errs = append(errs, &openError{f.at(in.name, "read", err)})
			continue
		}
		s.File, s.Document = in.name, f.doc.Index
		all = append(all, s)
	}
	return all, errors.Join(errs...)
}

func inspectObject(f found) (inspection, error) {
	if f.Group() != sopsdoc.Group {
		return inspectSOPS(f)
	}
	doc, err := sopsdoc.ParseSealedSecret(f.Node)
	if err != nil {
		return inspection{}, err
	}
	e := doc.Envelope
	s := inspectMetadata(e.Metadata)
	s.Kind, s.Namespace, s.Name = sopsdoc.Kind, doc.Namespace, doc.SecretName
	s.Scope, s.Type = e.Scope.String(), e.Type
	s.Data, s.StringData = append(s.Data, e.DataKeys()...), append(s.StringData, e.StringDataKeys()...)
	s.sorted = sopsdoc.Sorted(manifest.Get(f.Node, "spec", "sealed"))
	return s, nil
}

func inspectSOPS(f found) (inspection, error) {
	file, err := sopsdoc.ParseFile(f.tree())
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
	for i, group := range md.Recipients.Groups {
		for _, e := range group {
			r := describe(e)
			if len(md.Recipients.Groups) > 1 {
				r.Group = i + 1
				s.Threshold = md.Recipients.Threshold
			}
			s.Recipients = append(s.Recipients, r)
		}
	}
	return s
}

func describe(e keys.Entry) recipient {
	r := recipient{Type: string(e.Type()), ID: withoutKeys(e.ID())}
	switch e := e.(type) {
	case keys.AgeEntry:
		if parsed, err := agekey.ParseRecipient(e.Recipient); err == nil {
			if pq, known := parsed.PostQuantum(); known {
				r.PostQuantum = &pq
			}
		}
	case keys.KMSEntry:
		yes := true // symmetric
		r.PostQuantum, r.CreatedAt = &yes, e.CreatedAt
	}
	return r
}

// print writes one document for people.
func (s inspection) print(w io.Writer) {
	name := s.Name
	if s.Namespace != "" {
		name = s.Namespace + "/" + name
	}
	fmt.Fprintf(w, "%s, document %d: %s %s\n", visible(stdinOr(s.File)), s.Document, visible(s.Kind), visible(name))
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(w, "  %-10s %s\n", label, visible(text))
		}
	}
	switch s.Scope {
	case "":
		line("opens", "anywhere: a SOPS document has no scope")
	default:
		line("opens", where(s.Scope))
	}
	line("type", s.Type)
	line("text", strings.Join(s.StringData, ", "))
	line("binary", strings.Join(s.Data, ", "))
	line("changed", s.Modified+age(s.Modified))
	if s.Threshold > 0 {
		line("needs", plural(s.Threshold, "key group"))
	}
	for _, r := range s.Recipients {
		line("opened by", r.String())
	}
	if !s.sorted {
		line("note", "the keys of the envelope are not sorted: signet opens it, stock sops cannot verify it")
	}
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
	if r.Group > 0 {
		text += fmt.Sprintf(" (group %d)", r.Group)
	}
	return text
}
