// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"

	"github.com/signet-secrets/signet/internal/report"
)

// print writes what has changed, for people or as a JSON list.
func (d *diffCommand) print(all []documentDiff) error {
	if d.output == "json" {
		return writeJSON(d.out, append([]documentDiff{}, all...))
	}
	var b bytes.Buffer
	for _, diff := range all {
		diff.write(&b)
	}
	return writeOut(d.out, b.Bytes())
}

// write prints one document for people.
func (d documentDiff) write(b *bytes.Buffer) {
	fmt.Fprintf(b, "%s, %s%s\n", report.Visible(d.File), d.Object, d.heading())
	line := func(format string, args ...any) { fmt.Fprintf(b, "  "+format+"\n", args...) }
	if d.Cause != "" {
		line("not opened, marks are of the ciphertext: %s", d.Cause)
	}
	if d.OldForm != "" {
		line("was a %s, is a %s", d.OldForm, d.Form)
	}
	for _, v := range d.Values {
		line("%s", v)
	}
	for _, f := range d.Fields {
		line("%s", f)
	}
	for _, r := range d.Recipients {
		if r.Change == changeAdded {
			line("+ opens for %s", report.Visible(r.Recipient))
		} else {
			line("- opens for %s", report.Visible(r.Recipient))
		}
	}
	if d.NewDataKey {
		line("~ a new data key")
	}
	if d.Change == changeChanged && len(d.Values)+len(d.Fields)+len(d.Recipients) == 0 && !d.NewDataKey && d.OldForm == "" {
		line("no value has changed")
	}
}

// heading follows the name of the document.
func (d documentDiff) heading() string {
	text := ""
	switch {
	case d.Change != changeChanged:
		text = ": " + string(d.Change)
	case d.OldFile != "" && d.OldObject != "":
		text = ": was " + d.OldObject + " in " + report.Visible(d.OldFile)
	case d.OldFile != "":
		text = ": was in " + report.Visible(d.OldFile)
	case d.OldObject != "":
		text = ": was " + d.OldObject
	}
	return text
}

// String is the line of a field for people.
func (f fieldDiff) String() string {
	path := report.Visible(f.Path)
	switch {
	case f.Old == nil:
		return fmt.Sprintf("+ %s: %s", path, report.Visible(*f.New))
	case f.New == nil:
		return fmt.Sprintf("- %s: %s", path, report.Visible(*f.Old))
	}
	return fmt.Sprintf("~ %s: %s -> %s", path, report.Visible(*f.Old), report.Visible(*f.New))
}
