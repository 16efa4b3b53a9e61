// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/signet-secrets/signet/internal/report"
)

// converted is what the report says of one document. None of its texts holds a
// value.
type converted struct {
	File     string        `json:"file"`               // "-" is stdin
	Document int           `json:"document,omitempty"` // 1-based, 0 if it is about the whole file
	Item     int           `json:"item,omitempty"`     // 1-based item of a List
	Object   string        `json:"object,omitempty"`   // namespace/name
	From     sourceForm    `json:"from,omitempty"`     // sops, sealedsecret or bitnami
	To       string        `json:"to"`                 // sealedsecret or sops
	Target   string        `json:"target,omitempty"`   // where it is, "" for stdout
	Status   convertStatus `json:"status"`
	Scope    string        `json:"scope,omitempty"` // of a new SealedSecret
	Notes    []string      `json:"notes"`
	Error    string        `json:"error,omitempty"` // why it is not converted
}

// convertStatus is what became of a document.
type convertStatus string

const (
	statusConverted convertStatus = "converted"
	statusUnchanged convertStatus = "unchanged"     // the target held it already
	statusFailed    convertStatus = "not converted" // and the target is as it was
)

const (
	becauseOfOthers = "another document of the file cannot be converted"
	nothingWritten  = "nothing is written unless everything is converted"
)

// entries tells of all documents, in order.
func (c *conversionRun) entries(failed bool) []converted {
	all := []converted{}
	for _, one := range c.conversions {
		told := map[error]bool{}
		for _, p := range one.pieces {
			e := converted{
				File: one.name, Document: p.doc.Index, Item: p.Item, Object: p.object, From: p.from, To: c.to,
				Target: one.target, Status: statusConverted, Notes: append([]string{}, p.notes...),
			}
			if one.unchanged {
				e.Status = statusUnchanged
			}
			if p.secret != nil && !c.toSOPS() {
				e.Scope = scopeOf(p.secret, p.reach).String()
			}
			if why := one.cause(p, told); why != "" || failed && c.outDir == "" {
				e.Status, e.Error = statusFailed, cmp.Or(why, nothingWritten)
				e.Target, e.Scope, e.Notes = "", "", []string{}
			}
			all = append(all, e)
		}
		for _, err := range report.Split(one.err) {
			if !told[err] {
				all = append(all, c.entryOf(one, err))
			}
		}
	}
	return all
}

// cause is why a piece is not in the target, "" if it is. told gets the error
// that says so.
func (one *conversion) cause(p *piece, told map[error]bool) string {
	text := ""
	for _, err := range report.Split(one.err) {
		placed, ok := report.As[*report.PlacedError](err)
		switch {
		case ok && placed.Document == p.doc.Index && placed.Item == p.Item:
			told[err] = true
			return reportLine(placed.Operation, placed.Err)
		case ok && placed.Document == 0:
			told[err] = true
			text = reportLine(placed.Operation, placed.Err)
		case !ok:
			told[err] = true
			text = reportLine("", err)
		case text == "":
			text = becauseOfOthers
		}
	}
	return text
}

// entryOf tells of what is no document to be converted, but in the way.
func (c *conversionRun) entryOf(one *conversion, err error) converted {
	e := converted{File: one.name, To: c.to, Status: statusFailed, Notes: []string{}, Error: reportLine("", err)}
	if placed, ok := report.As[*report.PlacedError](err); ok {
		e.Document, e.Item, e.Object = placed.Document, placed.Item, placed.Object
		e.Error = reportLine(placed.Operation, placed.Err)
	}
	return e
}

// reportLine is what the report says of an error, which is printed as a whole.
func reportLine(operation string, err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	if operation != "" {
		text = operation + ": " + text
	}
	return strings.TrimSuffix(text, ":")
}

// place names the document.
func (e converted) place() string {
	place := report.Source(e.File)
	switch {
	case e.Object != "":
		place += ", " + e.Object
	case e.Item > 0:
		place += fmt.Sprintf(", document %d, item %d", e.Document, e.Item)
	case e.Document > 0:
		place += fmt.Sprintf(", document %d", e.Document)
	}
	return place
}

// print writes an entry for people.
func (e converted) print(w io.Writer) {
	text := string(e.Status)
	switch {
	case e.Status == statusFailed:
		text += ": " + e.Error
	case e.Status == statusUnchanged:
		text += " in " + e.Target
	case e.Target != "":
		text += " to " + e.Target
	}
	if len(e.Notes) > 0 {
		text += ", with " + plural(len(e.Notes), "note")
	}
	fmt.Fprintln(w, report.Visible(e.place()+": "+text))
	for _, n := range e.Notes {
		fmt.Fprintln(w, "  "+report.Visible(n))
	}
}

// report writes the report where it goes. Without a place for it, the notes go
// to stderr, and the errors are there anyway.
func (c *conversionRun) report(failed bool) error {
	all := c.entries(failed)
	if !c.reports() {
		for _, e := range all {
			for _, text := range e.Notes {
				note(c.err, e.place(), text)
			}
		}
		return nil
	}
	var b bytes.Buffer
	if c.format == "json" {
		encoder := json.NewEncoder(&b)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(all); err != nil {
			return err
		}
	} else {
		for _, e := range all {
			e.print(&b)
		}
	}
	if c.reportFile != "" {
		if err := writeFile(c.reportFile, b.Bytes(), modeSealed); err != nil {
			return err
		}
	} else if _, err := c.console.out.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write stdout: %w", report.Cause(err))
	}
	text := summarize(all)
	if c.passedOver > 0 {
		text += "; passed over: " + plural(c.passedOver, "SOPS document") + " without a kind, for sops alone"
	}
	note(c.err, cmp.Or(c.outDir, c.reportFile), text)
	return nil
}

// summarize counts what became of the documents.
func summarize(all []converted) string {
	count := map[convertStatus]int{}
	notes := 0
	for _, e := range all {
		count[e.Status]++
		notes += len(e.Notes)
	}
	text := fmt.Sprintf("%d converted, %d unchanged, %d not converted", count[statusConverted], count[statusUnchanged], count[statusFailed])
	if notes > 0 {
		text += ", " + plural(notes, "note")
	}
	return text
}
