// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/fingerprint"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// documentDiff is what has changed in a document.
type documentDiff struct {
	File      string   `json:"file"`
	Object    string   `json:"object"`              // namespace/name of the Secret
	Change    diffKind `json:"change"`              // of the document as a whole
	OldFile   string   `json:"oldFile,omitempty"`   // where it is another
	OldObject string   `json:"oldObject,omitempty"` // where it is another
	Form      string   `json:"form"`                // SealedSecret, SOPS, SealingKey, or Secret in clear
	OldForm   string   `json:"oldForm,omitempty"`   // where it is another
	// Opened says that values were compared, and not their ciphertext.
	Opened     bool            `json:"opened"`
	Cause      string          `json:"cause,omitempty"`      // why not
	NewDataKey bool            `json:"newDataKey,omitempty"` // and so new ciphertext for all values
	Values     []valueDiff     `json:"values"`
	Fields     []fieldDiff     `json:"fields"`
	Recipients []recipientDiff `json:"recipients"`
}

// diffKind says what has become of something.
type diffKind string

const (
	changeAdded   diffKind = "added"
	changeRemoved diffKind = "removed"
	changeChanged diffKind = "changed"
	changeRenamed diffKind = "renamed" // has the value that was under another key
)

// valueDiff is a value that was changed.
type valueDiff struct {
	Key    string       `json:"key"`
	Change diffKind     `json:"change"`
	OldKey string       `json:"oldKey,omitempty"`
	Old    *maskedValue `json:"old,omitempty"`
	New    *maskedValue `json:"new,omitempty"`
}

// fieldDiff is a field in clear that was changed.
type fieldDiff struct {
	Path string  `json:"path"`
	Old  *string `json:"old,omitempty"`
	New  *string `json:"new,omitempty"`
}

// recipientDiff is somebody who can open the document now, or no longer.
type recipientDiff struct {
	Recipient string   `json:"recipient"`
	Change    diffKind `json:"change"`
}

// compare returns what has changed in the document.
func (p documentPair) compare() documentDiff {
	d := documentDiff{Change: changeChanged, Values: []valueDiff{}, Fields: []fieldDiff{}, Recipients: []recipientDiff{}}
	shown := p.new
	switch {
	case p.new == nil:
		d.Change, shown = changeRemoved, p.old
	case p.old == nil:
		d.Change = changeAdded
	}
	d.File, d.Object, d.Form, d.Opened = shown.file, shown.label(), shown.form(), shown.opened
	for _, side := range []*diffDocument{p.old, p.new} {
		if side != nil && side.cause != nil {
			d.Cause = causeLine(side.cause)
		}
	}
	if d.Change == changeChanged {
		d.was(p.old)
		d.NewDataKey = !p.old.dataKey.IsZero() && !p.new.dataKey.IsZero() && !p.old.dataKey.Equal(p.new.dataKey)
	}
	d.Values = append(d.Values, valueDiffs(p.old.shownValues(), p.new.shownValues())...)
	d.Fields = append(d.Fields, fieldDiffs(p.old, p.new)...)
	d.Recipients = append(d.Recipients, recipientDiffs(p.old.recipients(), p.new.recipients())...)
	return d
}

// was notes where and what the document was before.
func (d *documentDiff) was(old *diffDocument) {
	if old.file != d.File {
		d.OldFile = old.file
	}
	if object := old.label(); object != d.Object {
		d.OldObject = object
	}
	if form := old.form(); form != d.Form {
		d.OldForm = form
	}
}

func (d *diffDocument) form() string {
	switch {
	case d.Group() == sopsdoc.Group:
		return report.Visible(d.Kind())
	case d.mac() != "":
		return "SOPS"
	}
	return "Secret in clear"
}

func (d *diffDocument) shownValues() map[string]maskedValue {
	if d == nil {
		return nil
	}
	return d.values
}

// valueDiffs compares values. One that is gone and one that is new and equal are one
// that was renamed.
func valueDiffs(old, now map[string]maskedValue) []valueDiff {
	var all []valueDiff
	for _, key := range slices.Sorted(maps.Keys(union(old, now))) {
		was, had := old[key]
		is, has := now[key]
		switch {
		case !had:
			all = append(all, valueDiff{Key: key, Change: changeAdded, New: &is})
		case !has:
			all = append(all, valueDiff{Key: key, Change: changeRemoved, Old: &was})
		case !was.equals(is) || was.Form != is.Form:
			all = append(all, valueDiff{Key: key, Change: changeChanged, Old: &was, New: &is})
		}
	}
	return withRenamed(all)
}

func withRenamed(all []valueDiff) []valueDiff {
	for i, added := range all {
		if added.Change != changeAdded || added.New.Mark == fingerprint.Empty {
			continue
		}
		from := slices.IndexFunc(all, func(v valueDiff) bool {
			return v.Change == changeRemoved && v.Old.equals(*added.New)
		})
		if from >= 0 {
			all[i].Change, all[i].OldKey, all[i].Old = changeRenamed, all[from].Key, all[from].Old
			all[from].Change = "" // taken
		}
	}
	return slices.DeleteFunc(all, func(v valueDiff) bool { return v.Change == "" })
}

func union[V any](several ...map[string]V) map[string]bool {
	all := map[string]bool{}
	for _, m := range several {
		for key := range m {
			all[key] = true
		}
	}
	return all
}

// fieldDiffs compares what stands in clear: of documents of the same form all of
// it, else what both forms have.
func fieldDiffs(old, now *diffDocument) []fieldDiff {
	if old == nil || now == nil {
		return nil
	}
	before, after := old.clearFields(), now.clearFields()
	whole := old.form() == now.form()
	var all []fieldDiff
	for _, path := range slices.Sorted(maps.Keys(union(before, after))) {
		if !whole && strings.HasPrefix(path, "other ") {
			continue
		}
		was, had := before[path]
		is, has := after[path]
		if had == has && was == is {
			continue
		}
		d := fieldDiff{Path: strings.TrimPrefix(path, "other ")}
		if had {
			d.Old = &was
		}
		if has {
			d.New = &is
		}
		all = append(all, d)
	}
	return all
}

// clearFields returns the fields in clear by their paths: labels, annotations, type
// and immutable of the Secret, and after "other " what else there is.
func (d *diffDocument) clearFields() map[string]string {
	fields := map[string]string{}
	sealed := d.Group() == sopsdoc.Group
	if d.IsSecret() { // what Kubernetes takes where nothing is said
		fields["type"], fields["immutable"] = "Opaque", "false"
	}
	eachScalar(d.Node, nil, nil, func(path []string, n, _ *yaml.Node) {
		if sopsdoc.LooksEncrypted(n.Value) || !sealed && (path[0] == "data" || path[0] == "stringData") || skippedField(path, sealed) {
			return
		}
		fields[fieldName(path, sealed)] = n.Value
	})
	if sealed { // copies
		maps.DeleteFunc(fields, func(path, value string) bool {
			label, ok := strings.CutPrefix(path, "other metadata.")
			original, same := fields[label]
			return ok && same && original == value
		})
	}
	return fields
}

// skippedField reports whether a field of an envelope is no field in clear.
func skippedField(path []string, sealed bool) bool {
	return sealed && inEnvelope(path) && (path[2] == "signet" || path[2] == sopsdoc.MetadataKey)
}

func inEnvelope(path []string) bool { return len(path) > 2 && path[0] == "spec" && path[1] == "sealed" }

func fieldName(path []string, sealed bool) string {
	enclosed := sealed && inEnvelope(path)
	ofSecret := !sealed && len(path) > 2 && path[0] == "metadata" && (path[1] == "labels" || path[1] == "annotations")
	switch {
	case enclosed && (path[2] == "scope" || path[2] == "merge"):
		return "other " + path[2]
	case enclosed:
		return manifest.JoinPath(path[2:])
	case ofSecret:
		return manifest.JoinPath(path[1:])
	case !sealed && len(path) == 1 && (path[0] == "type" || path[0] == "immutable"):
		return path[0]
	}
	return "other " + manifest.JoinPath(path)
}

func recipientDiffs(old, now []string) []recipientDiff {
	var all []recipientDiff
	for _, name := range now {
		if !slices.Contains(old, name) {
			all = append(all, recipientDiff{name, changeAdded})
		}
	}
	for _, name := range old {
		if !slices.Contains(now, name) {
			all = append(all, recipientDiff{name, changeRemoved})
		}
	}
	return all
}

// String is the line of a value for people.
func (v valueDiff) String() string {
	key := report.Visible(v.Key)
	switch v.Change {
	case changeAdded:
		return fmt.Sprintf("+ %s: %s", key, *v.New)
	case changeRemoved:
		return fmt.Sprintf("- %s: %s", key, *v.Old)
	case changeRenamed:
		return fmt.Sprintf("= %s: the value that was under %s, %s", key, report.Visible(v.OldKey), *v.New)
	}
	return fmt.Sprintf("~ %s: %s -> %s", key, *v.Old, *v.New)
}
