// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
)

// recipientFlags say for whom to seal.
type recipientFlags struct {
	age      []string
	config   string
	filename string
}

func (f *recipientFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVarP(&f.age, "age", "a", nil, "seal for these age `RECIPIENTS`, separated by commas, instead of those of the rules")
	flags.StringVar(&f.config, "config", "", "use this rules `FILE` instead of looking for .sops.yaml")
	flags.StringVar(&f.filename, "filename-override", "", "match rules as if the document were `FILE`, for stdin")
}

// ruleFinder finds the rule for each document. It reads each rules file once.
type ruleFinder struct {
	flags  recipientFlags
	loaded map[string]*keys.Rules
}

// rule returns what the flags say instead of rules, checked, or nil.
func (f *recipientFlags) rule() (*keys.Rule, error) {
	if len(f.age) == 0 {
		return nil, nil
	}
	group, err := keys.ParseRecipients(keys.Age, strings.Join(f.age, ","))
	if err != nil {
		return nil, fmt.Errorf("--age: %w", err)
	}
	rule := &keys.Rule{Recipients: keys.Recipients{Groups: []keys.Group{group}}}
	return rule, checkRecipients("--age", rule.Recipients)
}

// rule returns the rule for a document, checked, or what flags say instead.
func (r *ruleFinder) rule(document string) (*keys.Rule, error) {
	if rule, err := r.flags.rule(); rule != nil || err != nil {
		return rule, err
	}
	path := r.flags.config
	if path == "" {
		found, err := keys.FindRules(document)
		if err != nil {
			return nil, err
		}
		path = found
	}
	rules, err := r.load(path)
	if err != nil {
		return nil, err
	}
	rule, err := rules.For(document)
	if err != nil {
		return nil, err
	}
	return rule, checkRecipients(fmt.Sprintf("%s: creation_rules[%d]", path, rule.Index), rule.Recipients)
}

func (r *ruleFinder) load(path string) (*keys.Rules, error) {
	if rules, ok := r.loaded[path]; ok {
		return rules, nil
	}
	rules, err := keys.LoadRules(path)
	if err != nil {
		return nil, err
	}
	if r.loaded == nil {
		r.loaded = map[string]*keys.Rules{}
	}
	r.loaded[path] = rules
	return rules, nil
}

// recipientError says that a recipient cannot be sealed for.
type recipientError struct {
	where string // rules file and rule, or a flag
	err   error
}

func (e *recipientError) Error() string { return e.where + ": " + e.err.Error() }
func (e *recipientError) Unwrap() error { return e.err }

var errKeyGroups = errors.New("key_groups are not supported by this version")

// checkRecipients finds typing errors before anything is done.
func checkRecipients(where string, r keys.Recipients) error {
	for _, e := range r.Entries() {
		if e.Type() != keys.Age {
			return &recipientError{where, fmt.Errorf("%s: %w", e.ID(), &keys.UnsupportedError{Type: e.Type()})}
		}
		if _, err := agekey.ParseRecipient(e.ID()); err != nil {
			return &recipientError{where, err}
		}
	}
	if len(r.Groups) > 1 {
		return &recipientError{where, errKeyGroups}
	}
	return nil
}

// weakens names a recipient that makes a document that is otherwise safe from
// quantum computers unsafe, or returns "".
func weakens(r keys.Recipients) string {
	strong, weak := false, ""
	for _, e := range r.Entries() {
		parsed, err := agekey.ParseRecipient(e.ID())
		if err != nil {
			continue
		}
		if pq, known := parsed.PostQuantum(); known && pq {
			strong = true
		} else if known {
			weak = e.ID()
		}
	}
	if !strong {
		return ""
	}
	return weak
}
