// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"fmt"
	"strconv"
	"strings"
)

// RulesError says what is wrong in a rules file, and where. It never holds a
// value of the file, other than the part of a regular expression that does not
// compile.
type RulesError struct {
	Path   string // of the file, "" if unknown
	Line   int    // 1-based, 0 if unknown
	Field  string // such as creation_rules[0].key_groups[1].age, "" for the file itself
	Reason string
}

func (e *RulesError) Error() string {
	var parts []string
	switch {
	case e.Path != "" && e.Line > 0:
		parts = append(parts, e.Path+":"+strconv.Itoa(e.Line))
	case e.Path != "":
		parts = append(parts, e.Path)
	case e.Line > 0:
		parts = append(parts, "line "+strconv.Itoa(e.Line))
	}
	if e.Field != "" {
		parts = append(parts, e.Field)
	}
	return strings.Join(append(parts, e.Reason), ": ")
}

// NoRuleError says that no rule matches a document.
type NoRuleError struct {
	Rules    string   // path of the rules file
	Document string   // what the rules were tried on: the path relative to the rules file
	Tried    []string // path_regex of each rule, in order
}

func (e *NoRuleError) Error() string {
	return fmt.Sprintf("no rule in %s matches %q: tried path_regex %s", e.Rules, e.Document, quoteAll(e.Tried))
}

// NoRulesError says that there is no rules file for a document.
type NoRulesError struct {
	Document   string   // as it was given
	Repository string   // root of the document's Git repository, "" outside one
	Searched   []string // directories, nearest first
	Misnamed   string   // path of a .sops.yml, at which the search ended, or ""
}

func (e *NoRulesError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "no %s for %q: ", RulesFile, e.Document)
	if e.Misnamed != "" {
		fmt.Fprintf(&b, "%s is in its place, rename it to %s", e.Misnamed, RulesFile)
		return b.String()
	}
	fmt.Fprintf(&b, "searched %s", strings.Join(e.Searched, ", "))
	if e.Repository == "" {
		b.WriteString(" and no further, because it is not in a Git repository")
	}
	return b.String()
}

func quoteAll(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = strconv.Quote(t)
	}
	return strings.Join(quoted, ", ")
}

var (
	_ error = (*RulesError)(nil)
	_ error = (*NoRuleError)(nil)
	_ error = (*NoRulesError)(nil)
)
