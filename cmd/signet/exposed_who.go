// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys"
)

// resolve finds out which recipients a text means: those of a SealingKey of that
// name, or the one that it is, or is the beginning or the ends of. None is an answer
// only for what is a whole recipient.
func (s *sightings) resolve(text string) ([]string, error) {
	var named []string
	for _, k := range s.keys {
		if k.name == text && !slices.Contains(named, k.recipient) {
			named = append(named, k.recipient)
		}
	}
	if len(named) > 0 {
		return named, nil
	}
	text = withoutType(text)
	whole, isWhole := wholeRecipient(text)
	head, tail := ends(text)
	var same, match []string
	for _, id := range s.recipients() {
		switch {
		case id == text, isWhole && sameRecipient(id, whole):
			same = append(same, id)
		case len(head)+len(tail) >= shortest && len(id) >= len(head)+len(tail) && strings.HasPrefix(id, head) && strings.HasSuffix(id, tail):
			match = append(match, id)
		}
	}
	switch {
	case len(same) > 0:
		return same, nil
	case len(match) > 1:
		return nil, &ambiguousRecipientError{match}
	case len(match) == 1, isWhole:
		return match, nil
	case len(head)+len(tail) < shortest:
		return nil, errShortRecipient
	}
	return nil, &noRecipientError{history: !s.command.noHistory && s.repo != nil}
}

// withoutType returns a recipient as signet prints it without what stands around it:
// its type, quotes, and whether it is a post-quantum one.
func withoutType(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), " (")
	if word, rest, ok := strings.Cut(text, " "); ok {
		word = strings.ReplaceAll(strings.TrimSuffix(word, ":"), "-", "_")
		types := []keys.Type{keys.Age, keys.AWSKMS, keys.GCPKMS, keys.HuaweiKMS, keys.AzureKV, keys.Vault, keys.PGP}
		if slices.Contains(types, keys.Type(word)) {
			text = rest
		}
	}
	return strings.Trim(text, "\"'` ")
}

// ends are the beginning and the end that an abbreviated recipient has; of another
// text, all of it and nothing.
func ends(text string) (head, tail string) {
	for _, dots := range []string{"...", "…"} {
		if head, tail, ok := strings.Cut(text, dots); ok {
			return head, tail
		}
	}
	return text, ""
}

// wholeRecipient reports whether a text is a whole and valid recipient of any type,
// and how documents spell it.
func wholeRecipient(text string) (id string, ok bool) {
	for _, f := range keyListFlags() {
		group, err := keys.ParseRecipients(f.of, text)
		if err == nil && len(group) == 1 && checkRecipient(group[0]) == nil {
			return group[0].ID(), true
		}
	}
	return "", false
}

// sameRecipient reports whether two recipients are the same key: the hex digits of
// one may be of another case, and an SSH key may have a comment.
func sameRecipient(a, b string) bool {
	return strings.EqualFold(withoutComment(a), withoutComment(b))
}

func withoutComment(id string) string {
	const words = 2 // kind and key
	if fields := strings.Fields(id); strings.HasPrefix(id, "ssh-") && len(fields) > words {
		return strings.Join(fields[:words], " ")
	}
	return id
}

// readRules finds the recipients that the rules name which are in force where the
// documents lie. Rules that cannot be read name nobody.
func (s *sightings) readRules(args []string) {
	finder, seen := &ruleFinder{}, map[string]bool{}
	find := func(document string) {
		dir := filepath.Dir(document)
		if seen[dir] {
			return
		}
		seen[dir] = true
		path, err := keys.FindRules(document)
		if err != nil {
			return
		}
		rules, err := finder.load(path)
		if err != nil {
			return
		}
		for _, rule := range rules.Rules {
			for _, e := range rule.Recipients.Entries() {
				s.rules = append(s.rules, report.WithoutKeys(e.ID()))
			}
		}
	}
	for _, arg := range args {
		find(filepath.Join(arg, "any.yaml"))
	}
	for _, f := range s.current {
		find(f.name)
	}
}

// ambiguousRecipientError says that several recipients begin with a text.
type ambiguousRecipientError struct{ ids []string }

func (e *ambiguousRecipientError) Error() string {
	const most = 5
	names := make([]string, 0, most)
	for _, id := range e.ids[:min(most, len(e.ids))] {
		names = append(names, report.Visible(shortRecipient(id)))
	}
	return fmt.Sprintf("--exposed-to: %d recipients begin so: %s", len(e.ids), strings.Join(names, ", "))
}

// errShortRecipient says that a text is too short for the beginning of a recipient.
var errShortRecipient = fmt.Errorf("--exposed-to: no SealingKey has this name, and the beginning of a recipient takes %d characters or more", shortest)

// noRecipientError says that a text is neither a whole recipient nor a part of one
// that is known. The text is not shown: it may be a private key.
type noRecipientError struct{ history bool }

func (e *noRecipientError) Error() string {
	if e.history {
		return "--exposed-to: " + errNoRecipient.Error() + " in the rules, the documents and their history"
	}
	return "--exposed-to: " + errNoRecipient.Error() + " in the rules and the documents"
}

func (e *noRecipientError) Unwrap() error { return errNoRecipient }

var errNoRecipient = errors.New("no such recipient")
