// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
)

const (
	// RulesFile is the name of a rules file.
	RulesFile = ".sops.yaml"
	// MaxRulesBytes is the size of a rules file that LoadRules still reads.
	MaxRulesBytes = 1 << 20
)

// Rules is one rules file: the `creation_rules` of a .sops.yaml. It comes from
// ParseRules or LoadRules; nothing changes it afterwards, so that it is safe
// for concurrent use.
type Rules struct {
	// Path is where the file lies. The `path_regex` of its rules are about
	// paths relative to its directory.
	Path string
	// Rules holds at least one rule, in the order of the file.
	Rules []Rule
}

// Rule says for whom the documents are sealed whose path it matches, and how.
type Rule struct {
	// Index is the 0-based place in `creation_rules`.
	Index int
	// PathRegex is what the path of a document is matched against, anywhere
	// in it unless anchored. The empty one matches every path.
	PathRegex string
	// Recipients are entries without a wrapped secret, at least one in each
	// group and none twice, ordered as in Types. What is specific to a key
	// service is not checked here but by its Wrapper.
	Recipients Recipients
	// Selector says which values of a SOPS document are encrypted; its Kind
	// is "" where the rule gives none.
	Selector Selector
	// MACOnlyEncrypted is `mac_only_encrypted`: the MAC of a SOPS document
	// leaves out what is not encrypted.
	MACOnlyEncrypted bool
	// FreshKey is `fresh_key`, which SOPS ignores: every change of a document
	// renews its data key.
	FreshKey bool
	// RequirePostQuantum is `require_post_quantum`, which SOPS ignores: no
	// recipient may be one that a quantum computer can stand in for. Which
	// those are is for whoever seals to know; here it is not enforced.
	RequirePostQuantum bool

	path  *regexp.Regexp // PathRegex, nil if that is empty
	lines map[string]int // on which recipients stand, by placeOf
}

// LoadRules reads the rules file at path, which must be a regular file, or a
// symlink to one, of at most MaxRulesBytes. The error is one of the file
// system or a *RulesError.
func LoadRules(path string) (*Rules, error) {
	data, err := readRules(path)
	if err != nil {
		return nil, err
	}
	return ParseRules(path, data)
}

func readRules(path string) ([]byte, error) {
	info, err := os.Stat(path) // before opening: a named pipe would wait for a writer
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, &RulesError{Path: path, Reason: "not a regular file"}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxRulesBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	if len(data) > MaxRulesBytes {
		return nil, &RulesError{Path: path, Reason: fmt.Sprintf("has more than %d bytes", MaxRulesBytes)}
	}
	return data, nil
}

// For returns the first rule that matches the document, which need not exist.
// Symlinks on both sides are followed as in FindRules. A path_regex sees the
// path relative to the directory of the rules file, with slashes, and the
// absolute path of a document that lies elsewhere, as in SOPS. Where no rule
// matches, the error is a *NoRuleError.
func (r *Rules) For(document string) (*Rule, error) {
	path, err := r.relative(document)
	if err != nil {
		return nil, fmt.Errorf("find rule for %q: %w", document, err)
	}
	none := &NoRuleError{Rules: r.Path, Document: path}
	for i := range r.Rules {
		rule := &r.Rules[i]
		if rule.matches(path) {
			return rule, nil
		}
		none.Tried = append(none.Tried, rule.PathRegex)
	}
	return nil, none
}

// Line returns the 1-based line of the rules file on which a recipient of the
// rule stands first, 0 if it is none of the rule.
func (r *Rule) Line(e Entry) int { return r.lines[placeOf(e)] }

// placeOf is the same for entries that a rules file names in the same way.
func placeOf(e Entry) string { return string(e.Type()) + " " + e.ID() }

func (r *Rule) matches(path string) bool {
	if r.PathRegex == "" {
		return true
	}
	return r.path != nil && r.path.MatchString(path)
}

func (r *Rules) relative(document string) (string, error) {
	path, err := resolve(document)
	if err != nil {
		return "", err
	}
	dir, _ := filepath.Split(r.Path)
	if dir == "" {
		dir = "."
	}
	if dir, err = resolve(dir); err != nil {
		return "", err
	}
	if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
		path = rel
	}
	return filepath.ToSlash(path), nil
}
