// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys"
)

// classicError says that a rule names a recipient that it forbids itself.
type classicError struct {
	where     string // rules file and rule
	recipient string
	line      int // of the rules file, 1-based
}

func (e *classicError) Error() string {
	return fmt.Sprintf("%s: %s is a classic recipient, and the rule has require_post_quantum: true", e.where, e.recipient)
}

// checkRule finds what is wrong with the recipients of a rule before anything is
// done. It is for rules of files: recipients that flags name are nobody's policy.
func checkRule(where string, rule *keys.Rule) error {
	if err := checkRecipients(where, rule.Recipients); err != nil {
		return err
	}
	if !rule.RequirePostQuantum {
		return nil
	}
	for _, e := range rule.Recipients.Entries() {
		if isClassic(e) {
			return &classicError{where, nameClassic(e), rule.Line(e)}
		}
	}
	return nil
}

// isClassic reports whether a quantum computer could stand in for a recipient.
// Of one whose key is elsewhere and of which nothing is known, it does not.
func isClassic(e keys.Entry) bool {
	safe, known := postQuantum(e)
	return known && !safe
}

func nameClassic(e keys.Entry) string {
	id := shortRecipient(report.WithoutKeys(e.ID()))
	if e.Type() == keys.Age { // as it says itself
		return id
	}
	return string(e.Type()) + " " + id
}

// classicHint is about rules that want post-quantum recipients only.
func classicHint(e *classicError) string {
	return fmt.Sprintf("on line %d, put a post-quantum one in its place: `signet key generate` and `signet key create` make hybrid keys, "+
		"and AWS KMS and Google Cloud KMS count as safe; Azure Key Vault, PGP and SSH keys do not", e.line)
}
