// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

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
	if s.keptKey() {
		line("data key", s.Made+age(s.Made))
	}
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

// keptKey reports whether the document was changed after its data key was made,
// and not just by the time that sealing took.
func (s inspection) keptKey() bool {
	made, err := time.Parse(time.RFC3339, s.Made)
	if err != nil {
		return false
	}
	modified, err := time.Parse(time.RFC3339, s.Modified)
	return err == nil && modified.Sub(made) > time.Minute
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
