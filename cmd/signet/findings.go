// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// rule is the name of a rule of `signet check`.
type rule string

// level says how much a finding weighs.
type level string

const (
	levelError   level = "error"
	levelWarning level = "warning"
	levelNote    level = "note"
)

// finding is a mistake that a rule has found. None of its texts holds a value.
type finding struct {
	Rule     rule   `json:"rule"`
	Level    level  `json:"level"`
	File     string `json:"file"`               // "-" is stdin
	Line     int    `json:"line,omitempty"`     // 1-based, where the object begins; 0 if it is not known
	Document int    `json:"document,omitempty"` // 1-based, 0 if it is about the whole file
	Item     int    `json:"item,omitempty"`     // 1-based item of a List
	Object   string `json:"object,omitempty"`   // namespace/name
	// Keys are those whose values are in clear.
	Keys    []string `json:"keys,omitempty"`
	Message string   `json:"message"`
	Hint    string   `json:"hint"`
	// suppressed is the reason for which somebody accepts it.
	suppressed string
}

// find is a finding about the object.
func (f found) find(file string, r rule, message, hint string) finding {
	object := report.ObjectName(f.Object)
	if strings.Contains(object, sopsdoc.ValuePrefix) { // SOPS can encrypt names, too
		object = ""
	}
	return finding{Rule: r, Level: r.level(), File: file, Line: f.Node.Line, Document: f.doc.Index, Item: f.Item, Object: object, Message: message, Hint: hint}
}

func (f finding) String() string {
	placed := &report.PlacedError{File: f.File, Document: f.Document, Item: f.Item, Object: f.Object, Operation: string(f.Rule), Err: errors.New(f.Message)}
	return placed.Error()
}

// writeFindings writes findings for people, each hint once, or as a JSON list.
func writeFindings(w io.Writer, all []finding, format string) error {
	if format == "sarif" {
		return writeSARIF(w, all)
	}
	if format == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(append([]finding{}, all...))
	}
	told := map[string]bool{}
	for _, f := range all {
		text := report.Visible(f.String()) + "\n"
		if !told[f.Hint] {
			text += "  hint: " + report.Visible(f.Hint) + "\n"
		}
		told[f.Hint] = true
		if _, err := io.WriteString(w, text); err != nil {
			return fmt.Errorf("write findings: %w", report.Cause(err))
		}
	}
	return nil
}

// foundError makes the program fail because of what was found, all of which has
// been printed.
type foundError struct{ findings int }

func (e *foundError) Error() string { return "check: " + plural(e.findings, "finding") }
