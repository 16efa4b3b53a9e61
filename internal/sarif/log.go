// SPDX-License-Identifier: Apache-2.0

package sarif

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Level says how much a result weighs.
type Level string

// The levels of SARIF that tell of problems.
const (
	Error   Level = "error"
	Warning Level = "warning"
	Note    Level = "note"
)

// Rule is something that is looked for.
type Rule struct {
	ID    string
	Short string // one sentence
	Help  string // what to do about it
	Level Level  // of its results, where they do not say
}

// Result is one finding.
type Result struct {
	Rule    string // the ID of one of the rules
	Level   Level
	Message string // as it is to be read: nothing in it becomes a link
	// Path is that of the file, with slashes, relative to the root of the
	// sources. "" is no file, such as stdin; an absolute one stays so.
	Path string
	Line int // 1-based, 0 if it is about the whole file
	// Fingerprint is the same for the same problem in the next run, wherever it
	// has moved in the file.
	Fingerprint string
	// Suppressed says why somebody accepts it, "" if nobody does.
	Suppressed string
}

// Log is what one run of a tool has found.
type Log struct {
	Tool, Version, URI string // URI is where to read about the tool
	// Root is the directory that paths are relative to, absolute, or "" where
	// nobody is to know.
	Root    string
	Rules   []Rule
	Results []Result
}

const (
	schema      = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	rootName    = "SRCROOT"
	fingerprint = "signet/v1"
)

// Write writes the log as indented JSON, and changes nothing of it. The error is that
// of w, or names a result whose rule is none of the log's.
func (l *Log) Write(w io.Writer) error {
	r := run{ColumnKind: "utf16CodeUnits", Results: []result{}}
	r.Tool.Driver = toolComponent{Name: l.Tool, Version: l.Version, InformationURI: l.URI, Rules: []reportingDescriptor{}}
	if l.Root != "" {
		r.OriginalURIBaseIDs = map[string]artifactLocation{rootName: {URI: directoryURI(l.Root)}}
	}
	for _, have := range l.Rules {
		r.Tool.Driver.Rules = append(r.Tool.Driver.Rules, reportingDescriptor{
			ID: have.ID, ShortDescription: message{have.Short}, Help: message{have.Help}, DefaultConfiguration: reportingConfiguration{have.Level},
		})
	}
	for _, found := range l.Results {
		index := slices.IndexFunc(l.Rules, func(r Rule) bool { return r.ID == found.Rule })
		if index < 0 {
			return fmt.Errorf("write SARIF: the log has no rule %s", found.Rule)
		}
		r.Results = append(r.Results, resultOf(found, index))
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(sarifLog{Schema: schema, Version: "2.1.0", Runs: []run{r}})
}

func resultOf(found Result, index int) result {
	r := result{RuleID: found.Rule, RuleIndex: index, Level: found.Level, Message: message{plain(found.Message)}}
	if found.Path != "" {
		at := physicalLocation{ArtifactLocation: artifact(found.Path), Region: &region{StartLine: max(found.Line, 1)}}
		r.Locations = []location{{PhysicalLocation: at}}
	}
	if found.Fingerprint != "" {
		r.PartialFingerprints = map[string]string{fingerprint: found.Fingerprint}
	}
	if found.Suppressed != "" {
		r.Suppressions = []suppression{{Kind: "inSource", Justification: plain(found.Suppressed)}}
	}
	return r
}

// plain escapes what would make a link of a text, 3.11.6: names of foreign files
// are in it.
func plain(text string) string {
	return strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`).Replace(text)
}

// artifact is where a file is.
func artifact(name string) artifactLocation {
	if path.IsAbs(name) || filepath.IsAbs(name) {
		return artifactLocation{URI: fileURI(name)}
	}
	segments := strings.Split(path.Clean(name), "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	escaped := strings.Join(segments, "/")
	if strings.Contains(segments[0], ":") { // or it would be a scheme
		escaped = "./" + escaped
	}
	return artifactLocation{URI: escaped, URIBaseID: rootName}
}

// fileURI is the URI of an absolute path.
func fileURI(name string) string {
	name = filepath.ToSlash(name)
	if !strings.HasPrefix(name, "/") {
		name = "/" + name // a drive
	}
	return (&url.URL{Scheme: "file", Path: name}).String()
}

func directoryURI(name string) string {
	return strings.TrimSuffix(fileURI(name), "/") + "/"
}
